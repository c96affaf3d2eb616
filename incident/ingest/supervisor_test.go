package ingest_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/incident"
	"incidentd/incident/event"
	"incidentd/incident/ingest"
	"incidentd/incident/ingest/ingesttest"
	"incidentd/incident/ingest/mapping"
	"incidentd/netconf/netconftest"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

var update = flag.Bool("update", false, "rewrite what the dialogues receive")

// pretend is a source that does what its script says, a command after the other:
//
//	up            it receives
//	put N         N messages come that can wait
//	offer N       N messages come that cannot
//	lose N        N messages are lost
//	from:HOST N   as put, from another host than P1
//	wait DURATION
//	fail WORDS, panic WORDS, end
//	degraded WORDS
type pretend string

func newPretend(config *data.Loc) (ingest.Source, error) {
	script := config.Node.Leaf("script")
	if strings.HasPrefix(script, "nonsense") {
		return nil, rpcerr.InvalidValue("%q is no script", script).At(config.Down(config.Node.Child("script")).Path())
	}
	return pretend(script), nil
}

// Run implements ingest.Source.
func (p pretend) Run(ctx context.Context, f *ingest.Feed) error {
	for command := range strings.SplitSeq(string(p), ";") {
		verb, rest, _ := strings.Cut(strings.TrimSpace(command), " ")
		n, host := 0, "P1"
		if name, ok := strings.CutPrefix(verb, "from:"); ok {
			verb, host = "put", name
		}
		if verb == "put" || verb == "offer" || verb == "lose" {
			fmt.Sscan(rest, &n)
		}
		if verb == "lose" {
			f.Dropped(n, "the sender is too fast")
			n = 0
		}
		for range n {
			m := &mapping.Message{Host: host, App: "test", Text: "hello"}
			f.Received(len(m.Text))
			if verb == "offer" {
				f.Offer(m)
			} else if err := f.Put(ctx, m); err != nil {
				return err
			}
		}
		switch verb {
		case "up":
			f.Up("pretend://")
		case "wait":
			d, err := time.ParseDuration(rest)
			if err != nil {
				return err
			}
			select {
			case <-time.After(d):
			case <-ctx.Done():
				return nil
			}
		case "degraded":
			f.Degraded(rest)
		case "fail":
			return errors.New(rest)
		case "panic":
			panic(rest)
		case "end":
			return nil
		}
	}
	<-ctx.Done()
	return nil
}

// kinds are that of pretend, and the others, which refuse to run.
func kinds(b *netconftest.Bench) []ingest.Kind {
	return ingesttest.Kinds(b.Schema, kind)
}

var kind = ingest.Kind{Module: "pretend", Name: "pretend", New: newPretend}

var compiled = sync.OnceValues(func() (*yang.Schema, error) { return netconftest.SchemaWith(os.DirFS("testdata")) })

// testSchema is that of a server, with the kind of source that pretends.
func testSchema(t *testing.T) *yang.Schema {
	t.Helper()
	s, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// taker takes events, as long as it is not told to refuse them.
type taker struct {
	taken  atomic.Int64
	refuse atomic.Pointer[error]
}

func (t *taker) open(string) ingest.Inlet { return t }

// Close implements ingest.Inlet.
func (t *taker) Close() {}

// Report implements ingest.Inlet.
func (t *taker) Report(_ context.Context, events []event.Event) (incident.Reported, error) {
	if err := t.refuse.Load(); err != nil {
		return incident.Reported{}, *err
	}
	t.taken.Add(int64(len(events)))
	return incident.Reported{Accepted: len(events)}, nil
}

// What does not fit into the queue of a source is lost and counted, and nobody waits; what
// can wait does, and is stored in the end, even when the store fails for a while.
func TestQueue(t *testing.T) {
	schema := testSchema(t)
	synctest.Test(t, func(t *testing.T) {
		b := netconftest.New(t, netconftest.Config{Schema: schema})
		full := error(rpcerr.ResourceDenied("the disk is full"))
		to := new(taker)
		to.refuse.Store(&full)
		s, err := ingest.New(ingest.Config{Store: b.Store, Inlet: to.open, Kinds: kinds(b)})
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		b.OnEnd(s.Stop)
		err = b.Configure(`<sources xmlns="urn:incidentd:yang:sources">
			<source><name>lossy</name><queue-size>10</queue-size><pretend xmlns="urn:example:pretend"><script>up;offer 1;wait 1s;offer 25</script></pretend></source>
			<source><name>patient</name><queue-size>10</queue-size><pretend xmlns="urn:example:pretend"><script>up;put 1;wait 1s;put 25</script></pretend></source>
			</sources>`)
		if err != nil {
			t.Fatal(err)
		}
		health := func(name string) map[string]string {
			top := b.Store.With(b.Store.Snapshot(), b.Store.Snapshot().Operational(), nil).Child("sources")
			got := map[string]string{}
			for _, leaf := range []string{"state", "reason", "dropped", "delayed", "events", "queue-length"} {
				got[leaf] = top.EntryNamed("source", name).Child("health").Leaf(leaf)
			}
			return got
		}
		time.Sleep(1500 * time.Millisecond)
		synctest.Wait()
		for name, want := range map[string]map[string]string{
			"lossy":   {"state": "degraded", "reason": "events cannot be stored: " + full.Error(), "dropped": "15", "delayed": "1", "events": "0", "queue-length": "10"},
			"patient": {"state": "degraded", "reason": "events cannot be stored: " + full.Error(), "dropped": "0", "delayed": "2", "events": "0", "queue-length": "10"},
		} {
			if diff := cmp.Diff(want, health(name)); diff != "" {
				t.Errorf("%s, while nothing can be stored (-want +got):\n%s", name, diff)
			}
		}
		to.refuse.Store(nil)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		for name, want := range map[string]map[string]string{
			"lossy":   {"state": "degraded", "reason": "messages are lost: the queue is full", "dropped": "15", "delayed": "1", "events": "11", "queue-length": "0"},
			"patient": {"state": "up", "reason": "", "dropped": "0", "delayed": "2", "events": "26", "queue-length": "0"},
		} {
			got := health(name)
			if name == "patient" {
				// How many of the others had to wait is up to the scheduler.
				got["delayed"] = "2"
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, after that (-want +got):\n%s", name, diff)
			}
		}
	})
}

// An event that is refused for what it is does not hold up the others.
func TestRefusedEvent(t *testing.T) {
	schema := testSchema(t)
	synctest.Test(t, func(t *testing.T) {
		b := netconftest.New(t, netconftest.Config{Schema: schema})
		no := error(rpcerr.InvalidValue("no such node"))
		to := new(taker)
		to.refuse.Store(&no)
		s, err := ingest.New(ingest.Config{Store: b.Store, Inlet: to.open, Kinds: kinds(b)})
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		b.OnEnd(s.Stop)
		if err := b.Configure(`<sources xmlns="urn:incidentd:yang:sources"><source><name>s</name><pretend xmlns="urn:example:pretend"><script>up;put 3;wait 1s;put 2</script></pretend></source></sources>`); err != nil {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond)
		to.refuse.Store(nil)
		time.Sleep(time.Second)
		synctest.Wait()
		top := b.Store.With(b.Store.Snapshot(), b.Store.Snapshot().Operational(), nil).Child("sources")
		h := top.EntryNamed("source", "s").Child("health")
		if h.Leaf("dropped") != "3" || h.Leaf("events") != "2" {
			t.Errorf("dropped %s and stored %s events, want 3 and 2", h.Leaf("dropped"), h.Leaf("events"))
		}
	})
}

// Whoever invents names of hosts does not fill the network with nodes.
func TestUnknownNodes(t *testing.T) {
	b := ingesttest.NewWith(t, testSchema(t), kind)
	err := b.Configure(`<config><networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network"><network><network-id>ip</network-id><node><node-id>P1</node-id></node></network></networks>
		<mapping xmlns="urn:incidentd:yang:mapping"><alias><name>x</name><node>PE9</node></alias></mapping>
		<sources xmlns="urn:incidentd:yang:sources"><source><name>s</name><max-unknown-nodes>2</max-unknown-nodes>
		<pretend xmlns="urn:example:pretend"><script>up;from:p1 1;from:a 1;from:b 1;from:c 1;from:a 1;from:X 1;from:d.example.net 1</script></pretend></source></sources></config>`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range b.Await(7) {
		got = append(got, strings.TrimSuffix(e.Node+"/"+e.Resource, "/"))
	}
	if diff := cmp.Diff([]string{"P1", "a", "b", "unknown/c", "a", "PE9", "unknown/d.example.net"}, got); diff != "" {
		t.Errorf("nodes and resources (-want +got):\n%s", diff)
	}
	b.AwaitHealth("s", "unknown-nodes", "2")
}

// Dialogues about sources that pretend.
func TestDialogues(t *testing.T) {
	netconftest.Play(t, "testdata/*.txt", *update, netconftest.Config{Schema: testSchema(t), Setup: func(b *netconftest.Bench) {
		s, err := ingest.New(ingest.Config{Store: b.Store, Inlet: new(taker).open, Kinds: kinds(b)})
		if err != nil {
			panic(err)
		}
		s.Start()
		b.OnEnd(s.Stop)
	}})
}
