package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"incidentd/netconf/client"
)

var filterName = regexp.MustCompile(`stream-filter(?:\[[^']*'|><name>)(s\d+-\d+)`)

// TestKillInStorm kills the server while many sessions change its configuration and others
// read the notifications of that. When it is back the replay log has the notification of
// each change that is in the datastore, once, and of no other; and what was acknowledged is
// there.
func TestKillInStorm(t *testing.T) {
	dir := initialised(t)
	start := time.Now().Add(-time.Hour)
	acknowledged := map[string]bool{}
	for round := range 3 {
		p := serveAt(t, dir)
		var mu sync.Mutex
		var all sync.WaitGroup
		for range 4 {
			c := p.session()
			if err := c.CreateSubscription(t.Context(), "NETCONF", client.Filter{}, time.Time{}, time.Time{}); err != nil {
				t.Fatal(err)
			}
			all.Go(func() {
				for range c.Notifications() {
				}
			})
		}
		storm := time.After(400 * time.Millisecond)
		for i := range 6 {
			c := p.session()
			all.Go(func() {
				for n := 0; ; n++ {
					name := fmt.Sprintf("s%d-%d", round*10+i, n)
					edit := `<filters xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"><stream-filter><name>` + name + `</name></stream-filter></filters>`
					if c.EditConfig(t.Context(), "running", []byte(edit), "") != nil {
						return
					}
					mu.Lock()
					acknowledged[name] = true
					mu.Unlock()
				}
			})
		}
		<-storm
		p.kill()
		all.Wait()
	}
	p := serveAt(t, dir)
	c := p.session()
	r, err := c.GetConfig(t.Context(), "running", client.Subtree(`<filters xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"/>`))
	if err != nil {
		t.Fatal(err)
	}
	stored := map[string]int{}
	for _, m := range filterName.FindAllSubmatch(r.Raw, -1) {
		stored[string(m[1])] = 1
	}
	for name := range acknowledged {
		if stored[name] == 0 {
			t.Errorf("%s was acknowledged and is not there", name)
		}
	}
	if err := c.CreateSubscription(t.Context(), "NETCONF", client.Filter{}, start, time.Now()); err != nil {
		t.Fatal(err)
	}
	told := map[string]int{}
	for n := range c.Notifications() {
		if e, err := n.Event(); err != nil {
			t.Fatal(err)
		} else if e.Tag == "notificationComplete" {
			break
		}
		for _, m := range filterName.FindAllSubmatch(n.Raw, -1) {
			told[string(m[1])]++
		}
	}
	// The first change makes the container, and is told with its name alone.
	missing := 0
	for name := range stored {
		if told[name] == 0 {
			missing++
			told[name] = 1
		}
	}
	if missing > 1 || !maps.Equal(stored, told) {
		t.Errorf("%d changes are there, %d were told, %d were not:\n%v\n%v", len(stored), len(told), missing,
			slices.Sorted(maps.Keys(stored)), told)
	}
	if len(stored) < 10 {
		t.Errorf("only %d changes: the test has shown nothing", len(stored))
	}
}
