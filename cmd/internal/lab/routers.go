package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"incidentd/oam/testnet"
)

// frr is where Debian puts FRRouting's daemons.
const frr = "/usr/lib/frr"

// Ports and addresses that the parts of the lab agree on.
const (
	syslogPort  = 5514
	netconfPort = 1830
)

// port is an interface of a router towards another.
type port struct {
	name    string
	address netip.Prefix
}

// router is one of the four.
type router struct {
	name     string
	loopback netip.Addr
	ports    []port
	peer     netip.Addr // of BGP; only the edge has one
	manager  netip.Addr // of the server, as this router sees it
	host     *testnet.Host
	dir      string // configuration, sockets and what the daemons print
}

// network is all that the lab has running.
type network struct {
	*testnet.Network
	routers  []*router
	manager  *testnet.Host // where incidentd runs
	customer [2]*testnet.Host
	dir      string
	running  []*exec.Cmd
}

// missing tells what the lab does not find on this machine, "" when it has all.
func missing() string {
	if why := testnet.Missing(); why != "" {
		return why
	}
	if _, err := os.Stat(filepath.Join(frr, "ospfd")); err != nil {
		return "FRRouting is not installed (apt: frr)"
	}
	for _, name := range []string{"rsyslogd", "vtysh", "ping", "nft"} {
		if _, err := exec.LookPath(name); err != nil {
			return name + " is not installed (apt: rsyslog frr iputils-ping nftables)"
		}
	}
	return ""
}

// build lays the links of the network. Nothing runs on it yet.
func build(dir string) (*network, error) {
	n := &network{Network: testnet.New(), dir: dir}
	return n, n.lay()
}

func (n *network) lay() (err error) {
	if n.manager, err = n.Host("manager"); err != nil {
		return err
	}
	for i, name := range []string{"PE1", "P1", "P2", "PE2"} {
		r := &router{
			name:     name,
			loopback: netip.AddrFrom4([4]byte{10, 255, 0, byte(i + 1)}),
			manager:  netip.AddrFrom4([4]byte{192, 0, 2, byte(4*i + 1)}),
			dir:      filepath.Join(n.dir, name),
		}
		if r.host, err = n.Router(name); err != nil {
			return err
		}
		n.routers = append(n.routers, r)
		err = errors.Join(
			r.host.Address("lo", netip.PrefixFrom(r.loopback, 32)),
			n.Link(testnet.End{Host: n.manager, Interface: "to-" + name, Address: netip.PrefixFrom(r.manager, 30)},
				testnet.End{Host: r.host, Interface: "mgmt", Address: netip.PrefixFrom(r.manager.Next(), 30)}),
		)
		if err != nil {
			return err
		}
	}
	for i, left := range n.routers[:3] {
		right := n.routers[i+1]
		first := netip.AddrFrom4([4]byte{10, 0, byte(i + 1), 1})
		a := port{"eth1", netip.PrefixFrom(first, 30)}
		b := port{"eth0", netip.PrefixFrom(first.Next(), 30)}
		left.ports, right.ports = append(left.ports, a), append(right.ports, b)
		err := n.Link(testnet.End{Host: left.host, Interface: a.name, Address: a.address},
			testnet.End{Host: right.host, Interface: b.name, Address: b.address})
		if err != nil {
			return err
		}
	}
	return n.vpn()
}

// vpn joins two customers over the routers at the edge: VPN A, a VXLAN between their
// loopbacks with a bridge at each end.
func (n *network) vpn() (err error) {
	edge := [2]*router{n.routers[0], n.routers[3]}
	for i, r := range edge {
		other := edge[1-i]
		r.peer = other.loopback
		name := fmt.Sprintf("A%d", i+1)
		if n.customer[i], err = n.Host(name); err != nil {
			return err
		}
		err = n.Link(testnet.End{Host: r.host, Interface: "to-" + name},
			testnet.End{Host: n.customer[i], Interface: "eth0", Address: netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 16, 0, byte(i + 1)}), 24)})
		if err != nil {
			return err
		}
		for _, line := range []string{
			fmt.Sprintf("link add vpn-a type vxlan id 10 local %s remote %s dstport 4789", r.loopback, other.loopback),
			"link add bridge-a type bridge",
			"link set vpn-a master bridge-a",
			"link set to-" + name + " master bridge-a",
			"link set vpn-a up",
			"link set bridge-a up",
		} {
			if out, err := r.host.Command(context.Background(), "ip", strings.Fields(line)...).CombinedOutput(); err != nil {
				return fmt.Errorf("VPN A at %s: ip %s: %s", r.name, line, bytes.TrimSpace(out))
			}
		}
	}
	return nil
}

// The configuration of each daemon. What a router logs goes to rsyslog's socket as RFC
// 5424; zebra tells of interfaces at the level of debugging alone.
var daemons = []struct{ name, text string }{
	{"zebra", `debug zebra events
`},
	{"bfdd", `bfd
 profile fast
  transmit-interval 200
  receive-interval 200
  detect-multiplier 10
`},
	{"ospfd", `{{range .Ports}}interface {{.}}
 ip ospf area 0
 ip ospf network point-to-point
 ip ospf hello-interval 1
 ip ospf dead-interval 15
 ip ospf bfd
 ip ospf bfd profile fast
{{end}}interface lo
 ip ospf area 0
router ospf
 ospf router-id {{.Loopback}}
 log-adjacency-changes detail
`},
	{"bgpd", `router bgp 65000
 bgp router-id {{.Loopback}}
 bgp log-neighbor-changes
 neighbor {{.Peer}} remote-as 65000
 neighbor {{.Peer}} update-source lo
 neighbor {{.Peer}} bfd
 neighbor {{.Peer}} timers 3 30
 neighbor {{.Peer}} timers connect 1
`},
}

// relay is rsyslog's configuration: from the daemons' socket to the server, by TCP, kept
// and tried again while the server is away. Of the debugging only what zebra says of
// interfaces is passed on; of all else everything, mapped or not, as a router would do.
const relay = `module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{{.Dir}}/log" useSpecialParser="off" parseHostname="on" RateLimit.Interval="0")
if $syslogseverity <= 6 or $msg contains "ZEBRA_INTERFACE_" then action(type="omfwd" target="{{.Manager}}" port="{{.Port}}" protocol="tcp" TCP_Framing="octet-counted"
  template="RSYSLOG_SyslogProtocol23Format" queue.type="LinkedList" action.resumeRetryCount="-1" action.resumeInterval="1")
`

// start runs rsyslog and FRRouting on every router.
func (n *network) start() error {
	for _, r := range n.routers {
		if err := n.run(r); err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
	}
	return nil
}

func (n *network) run(r *router) error {
	if err := os.Mkdir(r.dir, 0o755); err != nil {
		return err
	}
	if err := give(r.dir, "frr"); err != nil {
		return err
	}
	values := map[string]any{"Dir": r.dir, "Manager": r.manager, "Port": syslogPort, "Loopback": r.loopback, "Peer": r.peer}
	var names []string
	for _, p := range r.ports {
		names = append(names, p.name)
	}
	values["Ports"] = names
	conf := filepath.Join(r.dir, "rsyslog.conf")
	if err := fill(conf, relay, values); err != nil {
		return err
	}
	if err := n.daemon(r, "rsyslogd", "rsyslogd", "-n", "-f", conf, "-i", filepath.Join(r.dir, "rsyslog.pid")); err != nil {
		return err
	}
	if err := appears(filepath.Join(r.dir, "log")); err != nil {
		return err
	}
	for _, d := range daemons {
		if d.name == "bgpd" && !r.peer.IsValid() {
			continue
		}
		conf := filepath.Join(r.dir, d.name+".conf")
		head := "hostname " + r.name + "\nlog extended relay\n destination unix " + r.dir + "/log format rfc5424\n priority debugging\nexit\n"
		if err := fill(conf, head+d.text, values); err != nil {
			return err
		}
		args := []string{filepath.Join(frr, d.name), "-f", conf, "-i", filepath.Join(r.dir, d.name+".pid"),
			"-z", filepath.Join(r.dir, "zserv.api"), "--vty_socket", r.dir, "-A", "127.0.0.1"}
		if d.name == "bfdd" {
			args = append(args, "--bfdctl", filepath.Join(r.dir, "bfdd.sock"))
		}
		if err := n.daemon(r, d.name, args...); err != nil {
			return err
		}
		if err := appears(filepath.Join(r.dir, d.name+".vty")); err != nil {
			return err
		}
	}
	return nil
}

// daemon starts a program on a router; what it prints is kept beside its configuration.
func (n *network) daemon(r *router, name string, args ...string) error {
	out, err := os.Create(filepath.Join(r.dir, name+".out"))
	if err != nil {
		return err
	}
	defer out.Close()
	// Routers have a processor of their own. Where they share one with a server and tests
	// that keep it busy, they come first, or their sessions would flap.
	cmd := r.host.Command(context.Background(), "nice", append([]string{"-n", "-15"}, args...)...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	n.running = append(n.running, cmd)
	return nil
}

// converged waits until OSPF is full on every link and BGP is up between the edges.
func (n *network) converged(ctx context.Context) error {
	for _, r := range n.routers {
		for {
			out, _ := r.vtysh(ctx, "show ip ospf neighbor")
			full := strings.Count(out, "Full/")
			up := true
			if r.peer.IsValid() {
				out, _ := r.vtysh(ctx, "show bgp neighbors "+r.peer.String())
				up = strings.Contains(out, "BGP state = Established")
			}
			if full == len(r.ports) && up {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("%s: %d of %d neighbours are full, BGP up: %t", r.name, full, len(r.ports), up)
			case <-time.After(200 * time.Millisecond):
			}
		}
	}
	return nil
}

// vtysh asks the daemons of a router.
func (r *router) vtysh(ctx context.Context, command string) (string, error) {
	out, err := exec.CommandContext(ctx, "vtysh", "--vty_socket", r.dir, "-c", command).CombinedOutput()
	return string(out), err
}

// reaches reports whether the first customer reaches the second.
func (n *network) reaches(ctx context.Context) bool {
	return n.customer[0].Command(ctx, "ping", "-n", "-c", "1", "-W", "1", "172.16.0.2").Run() == nil
}

// stop ends the daemons and takes the network away.
func (n *network) stop() error {
	for i := len(n.running) - 1; i >= 0; i-- {
		n.running[i].Process.Signal(syscall.SIGTERM)
	}
	for _, cmd := range n.running {
		kill := time.AfterFunc(3*time.Second, func() { cmd.Process.Kill() })
		cmd.Wait()
		kill.Stop()
	}
	n.running = nil
	return n.Close()
}

// fill writes a file from a template, so that FRRouting's user can read it.
func fill(path, text string, values map[string]any) error {
	b, err := expand(text, values)
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o644)
}

// give hands a directory to a user of the system.
func give(dir, name string) error {
	u, err := user.Lookup(name)
	if err != nil {
		return err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return err
	}
	return os.Chown(dir, uid, gid)
}

// appears waits for a file that a daemon makes when it is ready.
func appears(path string) error {
	for range 100 {
		if _, err := os.Stat(path); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("%s does not appear; see the daemon's output beside it", path)
}
