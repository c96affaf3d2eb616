package netconf_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"incidentd/datastore"
	"incidentd/netconf/netconftest"
)

// A cutStep is a step of a dialogue, and what is left of it all when the connection is
// lost after it.
type cutStep struct {
	wait time.Duration // before it
	op   string
	// now is the hostname in running once the session has ended, and later that after
	// the time left, if that is not 0.
	now, later string
	left       time.Duration
	// modified says that the candidate has changes still.
	modified bool
}

func candidateEdit(hostname string) string { return hostnameEdit("candidate", hostname) }

func hostnameEdit(target, hostname string) string {
	return `<edit-config><target><` + target + `/></target><config><system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"><hostname>` + hostname + `</hostname></system></config></edit-config>`
}

// cutDialogues are all that locks and timers are about. Running has the hostname h0
// before.
var cutDialogues = map[string][]cutStep{
	// Locks go with the session, and the changes with the lock of the candidate; a
	// confirmed commit is reverted with its session [RFC 6241 sections 7.5, 8.3.5.2 and
	// 8.4.1]. A candidate without a lock belongs to all, and stays.
	"locks": {
		{op: `<lock><target><candidate/></target></lock>`, now: "h0"},
		{op: `<lock><target><running/></target></lock>`, now: "h0"},
		{op: `<lock><target><startup/></target></lock>`, now: "h0"},
		{op: candidateEdit("h1"), now: "h0"},
		{op: `<commit><confirmed/><confirm-timeout>60</confirm-timeout></commit>`, now: "h0"},
		{wait: 30 * time.Second, op: candidateEdit("h2"), now: "h0"},
		{op: `<commit><confirmed/><confirm-timeout>60</confirm-timeout></commit>`, now: "h0"},
		{op: `<cancel-commit/>`, now: "h0"},
		{op: candidateEdit("h3"), now: "h0"},
		{op: `<commit><confirmed/><confirm-timeout>60</confirm-timeout></commit>`, now: "h0"},
		{wait: 59 * time.Second, op: `<commit/>`, now: "h3"},
		{op: `<unlock><target><startup/></target></unlock>`, now: "h3"},
		{op: `<unlock><target><running/></target></unlock>`, now: "h3"},
		{op: candidateEdit("h4"), now: "h3"},
		{op: `<unlock><target><candidate/></target></unlock>`, now: "h3"},
		{op: `<partial-lock xmlns="urn:ietf:params:xml:ns:netconf:partial-lock:1.0" xmlns:sys="urn:ietf:params:xml:ns:yang:ietf-system"><select>/sys:system</select></partial-lock>`, now: "h3"},
		{op: hostnameEdit("running", "h5"), now: "h5"},
		{op: `<partial-unlock xmlns="urn:ietf:params:xml:ns:netconf:partial-lock:1.0"><lock-id>1</lock-id></partial-unlock>`, now: "h5"},
		{op: candidateEdit("h6"), now: "h5", modified: true},
		{op: `<commit><confirmed/></commit>`, now: "h5"},
		{wait: 601 * time.Second, op: candidateEdit("h7"), now: "h5", modified: true},
		{op: `<discard-changes/>`, now: "h5"},
	},
	// A persistent one goes on without its session, to its time.
	"persistent": {
		{op: candidateEdit("h1"), now: "h0", modified: true},
		{op: `<commit><confirmed/><confirm-timeout>60</confirm-timeout><persist>p</persist></commit>`, now: "h1", later: "h0", left: time.Minute},
		{wait: 40 * time.Second, op: `<commit><confirmed/><confirm-timeout>60</confirm-timeout><persist-id>p</persist-id></commit>`, now: "h1", later: "h0", left: time.Minute},
		{wait: 40 * time.Second, op: candidateEdit("h2"), now: "h1", later: "h0", left: 20 * time.Second, modified: true},
		{op: `<commit><persist-id>p</persist-id></commit>`, now: "h2"},
		{op: candidateEdit("h3"), now: "h2", modified: true},
		{op: `<commit><confirmed/><persist>q</persist></commit>`, now: "h3", later: "h2", left: 10 * time.Minute},
		{wait: time.Minute, op: `<lock><target><candidate/></target></lock>`, now: "h3", later: "h2", left: 9 * time.Minute},
		{op: candidateEdit("h4"), now: "h3", later: "h2", left: 9 * time.Minute},
		{op: `<cancel-commit><persist-id>q</persist-id></cancel-commit>`, now: "h2"},
	},
}

// The connection is lost after each message of a dialogue, and inside it: what the
// session held is free, and the datastores are as the RFCs say, now and later.
func TestCut(t *testing.T) {
	for name, steps := range cutDialogues {
		for k := -1; k < len(steps); k++ {
			left := cutStep{now: "h0"}
			if k >= 0 {
				left = steps[k]
			}
			if k+1 == len(steps) {
				cut(t, fmt.Sprintf("%s/after %d", name, k+1), steps, "", left)
				continue
			}
			next := chunk(rpc(k+2, steps[k+1].op))
			for _, at := range []int{0, 1, 3, 12, len(next) / 2, len(next) - 5, len(next) - 1} {
				cut(t, fmt.Sprintf("%s/after %d and %d bytes", name, k+1, at), steps[:k+1], next[:at], left)
			}
			if steps[k+1].wait == 0 {
				// The request is whole, and the client does not wait for the answer.
				cut(t, fmt.Sprintf("%s/unread %d", name, k+2), steps[:k+1], next, left, steps[k+1])
			}
		}
	}
}

func chunk(msg string) string { return fmt.Sprintf("\n#%d\n%s\n##\n", len(msg), msg) }

// cut plays steps, sends a text and cuts the connection. What is left is one of some.
func cut(t *testing.T, name string, steps []cutStep, text string, left ...cutStep) {
	t.Run(name, func(t *testing.T) {
		inBubble(t, netconftest.Config{}, func(t *testing.T, b *netconftest.Bench) {
			if err := b.Configure(`<config><system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"><hostname>h0</hostname></system></config>`); err != nil {
				t.Fatal(err)
			}
			lost, other := open(t, b, 0), open(t, b, 0)
			for i, s := range steps {
				time.Sleep(s.wait)
				reply, err := lost.Ask(rpc(i+1, s.op))
				if err != nil || strings.Contains(reply, "<rpc-error>") {
					t.Fatalf("step %d: %s, %v", i+1, reply, err)
				}
			}
			if _, err := lost.Conn.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
			lost.Conn.Close()
			synctest.Wait()

			want := left[0]
			if snap := b.Store.Snapshot(); len(left) > 1 && (hostnameOf(snap) != want.now || snap.CandidateModified() != want.modified || (snap.Pending() != nil) != (want.left != 0)) {
				want = left[1]
			}
			check := func(when, hostname string) {
				t.Helper()
				if got := hostnameOf(b.Store.Snapshot()); got != hostname {
					t.Errorf("%s running has %s, want %s", when, got, hostname)
				}
			}
			check("at once", want.now)
			if got := b.Store.Snapshot().CandidateModified(); got != want.modified {
				t.Errorf("the candidate is modified: %v, want %v", got, want.modified)
			}
			for _, d := range []datastore.Name{datastore.Running, datastore.Candidate, datastore.Startup} {
				if l := b.Store.Holder(d); l != nil {
					t.Errorf("session %d has the lock of %s still", l.Session, d)
				}
			}
			if parts := b.Store.PartialLocks(); len(parts) > 0 {
				t.Errorf("%d partial locks are left", len(parts))
			}
			if sessions := b.Server.Sessions(); len(sessions) != 1 || b.Server.Stats().Memory != 0 {
				t.Errorf("%d sessions are left, and %d bytes of messages", len(sessions), b.Server.Stats().Memory)
			}
			last := want.now
			if want.left > 0 {
				time.Sleep(want.left - time.Second)
				check("before its time", want.now)
				time.Sleep(2 * time.Second)
				check("after its time", want.later)
				last = want.later
			}
			time.Sleep(time.Hour)
			check("in the end", last)
			for i, op := range []string{`<discard-changes/>`, `<lock><target><candidate/></target></lock>`, `<lock><target><running/></target></lock>`,
				candidateEdit("other"), `<commit/>`, `<unlock><target><running/></target></unlock>`, `<unlock><target><candidate/></target></unlock>`} {
				if reply, err := other.Ask(rpc(i+1, op)); err != nil || strings.Contains(reply, "<rpc-error>") {
					t.Errorf("another session, %s: %s, %v", op, reply, err)
				}
			}
			check("for others", "other")
			other.Conn.Close()
		})
	})
}

func hostnameOf(s *datastore.Snapshot) string { return s.Running.Descend("system").Leaf("hostname") }
