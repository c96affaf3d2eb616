package subscribe_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"incidentd/netconf/netconftest"
)

// TestChurn establishes, modifies, deletes, kills and cuts subscriptions at random, while
// notifications come and filters change. Invariants: no request is left without an answer,
// and none fails but for a subscription that is gone; in the end no subscription, session
// or goroutine is left. CHURN_SECONDS makes it long.
func TestChurn(t *testing.T) {
	b := netconftest.New(t, netconftest.Config{})
	before := runtime.NumGoroutine()
	end := time.Now().Add(time.Duration(setting("CHURN_SECONDS", 2)) * time.Second)
	var all sync.WaitGroup
	all.Go(func() {
		for i := 1; time.Now().Before(end); i++ {
			if err := b.Publish("incidents", incident(i), incident(i+1)); err != nil {
				t.Error(err)
			}
		}
	})
	all.Go(func() { churnFilters(t, b, end) })
	for i := range 40 {
		all.Go(func() {
			for r := rand.New(rand.NewPCG(uint64(i), 1)); time.Now().Before(end); {
				churnSession(t, b, r)
			}
		})
	}
	all.Wait()
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before || b.Publisher.Stats().Active > 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines and %d subscriptions are left, %d goroutines at first:\n%s",
				runtime.NumGoroutine(), b.Publisher.Stats().Active, before, stacks[:runtime.Stack(stacks, true)])
		}
	}
	if s := b.Publisher.Stats(); s.Sent == 0 || s.Excluded == 0 {
		t.Errorf("Stats = %+v: the test has shown nothing", s)
	}
}

const subscribed = `xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"`

// churnFilters changes and removes the filter that sessions use.
func churnFilters(t *testing.T, b *netconftest.Bench, end time.Time) {
	c := b.Dial(t.Context(), "u", 0)
	defer c.Close()
	p := netconftest.NewPeer(c)
	if _, err := p.Open("1.1"); err != nil {
		t.Error(err)
		return
	}
	for i := 0; time.Now().Before(end); i++ {
		edit := fmt.Sprintf(`<stream-filter><name>f</name><stream-xpath-filter>string-length(//ietf-incident:incident-id) &gt; %d</stream-xpath-filter></stream-filter>`, i%8)
		if i%5 == 4 {
			edit = `<stream-filter nc:operation="remove"><name>f</name></stream-filter>`
		}
		m, err := p.Ask(`<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="f"><edit-config><target><running/></target><config xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0">` +
			`<filters ` + subscribed + `>` + edit + `</filters></config></edit-config></rpc>`)
		if err != nil || !strings.Contains(m, "<ok/>") {
			t.Errorf("edit-config: %s, %v", m, err)
			return
		}
	}
}

// churnSession does a few things in one session and ends it, in order or not.
func churnSession(t *testing.T, b *netconftest.Bench, r *rand.Rand) {
	c := b.Dial(t.Context(), "u", 4096)
	defer c.Close()
	p := netconftest.NewPeer(c)
	if _, err := p.Open("1.1"); err != nil {
		t.Error(err)
		return
	}
	ids := []string{}
	for range 1 + r.IntN(8) {
		id := "2147483648"
		if len(ids) > 0 {
			id = ids[r.IntN(len(ids))]
		}
		operation := []string{
			`<establish-subscription ` + subscribed + `><stream>incidents</stream></establish-subscription>`,
			`<establish-subscription ` + subscribed + `><stream>incidents</stream><replay-start-time>2000-01-01T00:00:00Z</replay-start-time></establish-subscription>`,
			`<establish-subscription ` + subscribed + `><stream>incidents</stream><stream-filter-name>f</stream-filter-name><encoding>encode-json</encoding></establish-subscription>`,
			`<modify-subscription ` + subscribed + `><id>` + id + `</id><stream-subtree-filter><incident-notification xmlns="urn:ietf:params:xml:ns:yang:ietf-incident"><priority>high</priority></incident-notification></stream-subtree-filter></modify-subscription>`,
			`<delete-subscription ` + subscribed + `><id>` + id + `</id></delete-subscription>`,
			`<kill-subscription ` + subscribed + `><id>` + id + `</id></kill-subscription>`,
		}[r.IntN(6)]
		if err := p.W.WriteMessage([]byte(`<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="c">` + operation + `</rpc>`)); err != nil {
			t.Error(err)
			return
		}
		for {
			m, err := p.R.ReadMessage()
			if err != nil {
				t.Errorf("after %s: %v", operation, err)
				return
			}
			text := string(m)
			if !strings.HasPrefix(text, "<rpc-reply") {
				continue
			}
			if strings.Contains(text, "<rpc-error") && !strings.Contains(text, ":no-such-subscription") && !strings.Contains(text, "instance-required") {
				t.Errorf("%s: %s", operation, text)
			}
			if _, id, ok := strings.Cut(text, `<id xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications">`); ok {
				id, _, _ = strings.Cut(id, "<")
				ids = append(ids, id)
			}
			break
		}
	}
}
