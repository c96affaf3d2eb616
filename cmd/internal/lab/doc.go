// Command lab builds a real network and lets incidentd watch it: the routers PE1, P1, P2
// and PE2 of the draft's figures, each a network namespace with FRRouting (OSPF, BGP,
// BFD), VPN A between two customers over them, and rsyslog that carries what the routers
// say to the server. Then it takes an interface of P1 down.
//
// It needs Linux, root, iproute2, FRRouting and rsyslog, touches nothing outside its own
// namespaces and a temporary directory, and takes all of it away when it ends. With -stay
// it leaves the network up, to play with, until it is interrupted.
//
//	              PE1 ------- P1 --X---- P2 ------- PE2
//	              /  eth1 eth0  eth1 eth0  eth1 eth0  \
//	customer A1 -'                                     `- customer A2
//
// Every step prints the command that an operator would type, runs that very command, and
// fails when its result is not the one that is expected.
package main
