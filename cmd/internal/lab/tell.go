package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The service of the network, and what the story breaks.
const (
	service   = "VPN-A"
	brokenAt  = "P1"
	brokenTP  = "eth1"
	quickly   = 40 * time.Second
	converges = 60 * time.Second
)

// tell tells the story, and fails at the first thing that is not as it should be.
func (s *story) tell(ctx context.Context) error {
	s.began = time.Now()
	for _, chapter := range []func(context.Context) error{s.beginning, s.loss, s.failure, s.repair, s.cutover} {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	s.say("All is as it should be.")
	return nil
}

// beginning starts the server and the routers.
func (s *story) beginning(ctx context.Context) error {
	s.say(`Four routers, each in a namespace of its own, and customers A1 and A2 of VPN A:

              PE1 ------- P1 ------- P2 ------- PE2
              /  eth1 eth0  eth1 eth0  eth1 eth0  \
    customer A1                                    customer A2

The server learns the network and listens to the routers' syslog.`)
	if err := s.serve(ctx); err != nil {
		return err
	}
	topology, err := s.topology()
	if err := s.configure(ctx, "network.xml", topology, err); err != nil {
		return err
	}
	sources, err := s.sources()
	if err := s.configure(ctx, "syslog.xml", sources, err); err != nil {
		return err
	}
	vantage, err := s.vantage()
	if err := s.configure(ctx, "vantage.xml", vantage, err); err != nil {
		return err
	}
	s.say("The routers start: FRRouting with OSPF, BGP and BFD, and rsyslog.")
	if err := s.start(); err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, converges)
	defer cancel()
	if err := s.converged(wait); err != nil {
		return err
	}
	// BFD of the BGP session begins when that is up.
	if err := sleep(ctx, 3*time.Second); err != nil {
		return err
	}
	if !s.reaches(ctx) {
		return fmt.Errorf("customer A1 does not reach A2 over the network that has converged")
	}
	// What was down before it came up is over.
	if _, err := s.await(ctx, "a quiet network", quickly, allCleared); err != nil {
		return err
	}
	s.say("OSPF is full on every link, BGP is up, and customer A1 reaches A2.")
	_, err = s.show(ctx, "sources")
	return err
}

// failure takes the interface of P1 down: one incident, with that interface as its cause.
func (s *story) failure(ctx context.Context) error {
	before, err := s.incidents(ctx)
	if err != nil {
		return err
	}
	s.say("Interface %s of %s goes down.", brokenTP, brokenAt)
	if err := s.router(brokenAt).host.Down(brokenTP); err != nil {
		return err
	}
	down := time.Now()
	if s.reaches(ctx) {
		return fmt.Errorf("customer A1 still reaches A2")
	}
	list, err := s.await(ctx, "the incident", quickly, func(list []incident) bool { return len(list) > len(before) })
	if err != nil {
		return err
	}
	s.say("Customer A1 does not reach A2 any more. After %.1f s there is an incident:", time.Since(down).Seconds())
	if _, err := s.show(ctx, "list"); err != nil {
		return err
	}
	// Time for what could become a second one.
	if err := sleep(ctx, 15*time.Second); err != nil {
		return err
	}
	if list, err = s.incidents(ctx); err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(i incident) bool {
		return slices.ContainsFunc(before, func(b incident) bool { return b.ID == i.ID })
	})
	if len(list) != 1 {
		return fmt.Errorf("the one failure made %d incidents: %+v", len(list), list)
	}
	i := list[0]
	causes, want := i.causes(), brokenAt+" "+brokenTP
	switch at := slices.Index(causes, want); {
	case at < 0:
		return fmt.Errorf("the causes of %s are %v, want %s", i.ID, causes, want)
	case at > 0:
		s.say("%s was the first to speak this time: %s comes behind it among the causes.", causes[0], want)
	}
	if !slices.Contains(i.Services, service) || i.Name != service+" unavailable" {
		return fmt.Errorf("%s is called %q and hits %v, want %s", i.ID, i.Name, i.Services, service)
	}
	s.say("It is the only one, its cause is that interface, and it names the service that is hit. Why?")
	_, err = s.show(ctx, "explain", i.ID)
	return err
}

// repair takes the interface up again: the incident is cleared.
func (s *story) repair(ctx context.Context) error {
	s.say("The interface comes up again.")
	if err := s.router(brokenAt).host.Up(brokenTP); err != nil {
		return err
	}
	if _, err := s.await(ctx, "the end of the incident", 3*converges, allCleared); err != nil {
		return err
	}
	if !s.reaches(ctx) {
		return fmt.Errorf("the incident is cleared, and customer A1 does not reach A2")
	}
	s.say("Customer A1 reaches A2, and the incident is cleared.")
	_, err := s.show(ctx, "list", "--all")
	return err
}

// cutover works on the same interface in a window: what it breaks opens no ticket.
func (s *story) cutover(ctx context.Context) error {
	before, err := s.incidents(ctx)
	if err != nil {
		return err
	}
	s.say("A cutover: work on that interface is planned, and begins now.")
	if _, err := s.show(ctx, "maintenance", "add", "cutover", brokenAt, brokenTP, "--for", "1h", "-m", "New patch", "--reference", "CHG-17"); err != nil {
		return err
	}
	if err := sleep(ctx, 2*time.Second); err != nil {
		return err
	}
	if err := s.router(brokenAt).host.Down(brokenTP); err != nil {
		return err
	}
	if _, err := s.await(ctx, "the incident of the cutover", quickly, func(list []incident) bool { return len(list) > len(before) }); err != nil {
		return err
	}
	s.say("The interface is down. The incident names the work as its cause and opens no ticket; its alarms are on a shelf.")
	if _, err := s.show(ctx, "maintenance", "show", "cutover"); err != nil {
		return err
	}
	if _, err := s.show(ctx, "alarms", "list", "--shelved"); err != nil {
		return err
	}
	list, err := s.incidents(ctx)
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(i incident) bool {
		return slices.ContainsFunc(before, func(b incident) bool { return b.ID == i.ID })
	})
	if len(list) != 1 || list[0].Ticket || !slices.Contains(list[0].Labels, "maintenance") {
		return fmt.Errorf("the cutover made %+v, want one incident with the label maintenance and without a ticket", list)
	}
	s.say("The interface is back, and the work is done before its time.")
	if err := s.router(brokenAt).host.Up(brokenTP); err != nil {
		return err
	}
	if _, err := s.await(ctx, "the end of the cutover's incident", 3*converges, allCleared); err != nil {
		return err
	}
	out, err := s.show(ctx, "maintenance", "end", "cutover")
	if err == nil && !strings.Contains(out, "Nothing is left") {
		err = fmt.Errorf("the cutover leaves something: %s", out)
	}
	return err
}

// router finds one by its name.
func (n *network) router(name string) *router {
	return n.routers[slices.IndexFunc(n.routers, func(r *router) bool { return r.name == name })]
}

// causes are the nodes and resources that an incident names, the best first.
func (i incident) causes() (list []string) {
	for _, c := range i.RootCauses.List {
		for _, r := range c.Resource {
			list = append(list, c.Node+" "+r.Name)
		}
	}
	return list
}

func allCleared(list []incident) bool {
	return !slices.ContainsFunc(list, func(i incident) bool { return i.Status != "cleared" })
}

// sleep waits, unless ctx is done before.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
