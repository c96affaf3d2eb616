package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// finds is how soon a diagnosis has to be over.
const finds = 15 * time.Second

// lossy drops a share of what a router forwards by an interface. What its neighbours and
// peers say to each other passes: no protocol notices anything.
var lossy = []string{
	"add table ip lab",
	"add chain ip lab forward { type filter hook forward priority 0 ; }",
	"add rule ip lab forward udp dport { 3784, 4784 } accept",
	"add rule ip lab forward tcp dport 179 accept",
	"add rule ip lab forward tcp sport 179 accept",
	"add rule ip lab forward oifname " + brokenTP + " numgen random mod 100 < 12 drop",
}

// loss has a link lose packets in silence: all that is known is that the customer loses some.
// The diagnosis finds the link.
func (s *story) loss(ctx context.Context) error {
	s.say("P1 begins to lose an eighth of what it sends to P2. OSPF, BGP and BFD notice nothing, and no router says a word.")
	r := s.router(brokenAt)
	for _, rule := range lossy {
		if out, err := r.host.Command(ctx, "nft", rule).CombinedOutput(); err != nil {
			return fmt.Errorf("nft %s: %w: %s", rule, err, out)
		}
	}
	out, _ := s.customer[0].Command(ctx, "ping", "-n", "-q", "-i", "0.01", "-c", "200", "-W", "1", "172.16.0.2").CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "packet loss") {
			fmt.Printf("\n    customer A1: %s", line)
		}
	}
	s.say("The customer tells of it, and so does the near end of the tunnel. There are three links under it.")
	if _, err := s.reported(ctx, "major", "Customer A1 loses packets to A2"); err != nil {
		return err
	}
	list, err := s.await(ctx, "the incident of the loss", quickly, func(list []incident) bool { return !allCleared(list) })
	if err != nil {
		return err
	}
	i := list[slices.IndexFunc(list, func(i incident) bool { return i.Status != "cleared" })]
	if _, err := s.show(ctx, "list"); err != nil {
		return err
	}
	if _, err := s.show(ctx, "diagnose", i.ID, "--plan"); err != nil {
		return err
	}
	began := time.Now()
	if _, err := s.show(ctx, "diagnose", i.ID, "--wait"); err != nil {
		return err
	}
	took := time.Since(began)
	if list, err = s.incidents(ctx); err != nil {
		return err
	}
	causes := list[slices.IndexFunc(list, func(other incident) bool { return other.ID == i.ID })].causes()
	if len(causes) < 2 || causes[0] != brokenAt+" "+brokenTP || causes[1] != "P2 eth0" {
		return fmt.Errorf("the diagnosis of %s names %v, want %s %s and P2 eth0", i.ID, causes, brokenAt, brokenTP)
	}
	if took > finds {
		return fmt.Errorf("the diagnosis took %s, and may take %s", took, finds)
	}
	s.say("The link from P1 to P2 is found after %.1f s, and is the root cause of the incident now.", took.Seconds())
	if out, err := r.host.Command(ctx, "nft", "delete table ip lab").CombinedOutput(); err != nil {
		return fmt.Errorf("nft: %w: %s", err, out)
	}
	if _, err := s.reported(ctx, "cleared", "Customer A1 loses nothing"); err != nil {
		return err
	}
	_, err = s.await(ctx, "the end of the loss", quickly, allCleared)
	return err
}

// reported reports what the customer says.
func (s *story) reported(ctx context.Context, severity, text string) (string, error) {
	file := fmt.Sprintf("%s/customer-%s.jsonl", s.dir, severity)
	event := fmt.Sprintf(`{"id":"customer-%s","kind":"kpi","node":"PE1","resource":"vxlan-PE2","alarm-type-id":"packet-loss","severity":%q,"text":%q,"value":12,"threshold":1}`+"\n", severity, severity, text)
	if err := os.WriteFile(file, []byte(event), 0o600); err != nil {
		return "", err
	}
	return s.show(ctx, "report", file)
}
