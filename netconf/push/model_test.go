package push_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"incidentd/netconf/netconftest"
	"incidentd/yang/xmltext"
)

// TestReceivers has receivers that apply what they are sent to their copies, while the
// configuration and the rules of access change at random, receivers ask for all again,
// change their dampening, or do not read for a while. Whenever all is quiet each copy is
// what a retrieval by the same user with the same filter returns; and no patch is
// missing, or cannot be applied.
func TestReceivers(t *testing.T) {
	if _, err := netconftest.Schema(); err != nil {
		t.Fatal(err)
	}
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	seed := rand.Uint64()
	if v := os.Getenv("INCIDENTD_SEED"); v != "" {
		seed, _ = strconv.ParseUint(v, 10, 64)
	}
	t.Logf("INCIDENTD_SEED=%d", seed)
	suspended := uint64(0)
	for i := range rounds {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, r)
			w.run()
			suspended += w.bench.Publisher.Stats().Suspensions
		})
	}
	if suspended == 0 {
		t.Error("no subscription was ever suspended")
	}
}

// The filters of the subscriptions.
var filters = []string{
	``,
	subtree(`<system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"/>`),
	subtree(`<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network"><network><network-id>b</network-id></network></networks>`),
	subtree(`<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network"><network><node><node-id/></node></network></networks><system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"><hostname/></system>`),
	xpath(`/ietf-network:networks/ietf-network:network[count(ietf-network:node) > 1]`),
	xpath(`/ietf-system:system/ietf-system:authentication/ietf-system:user[position() &lt; 3] | /ietf-system:system/ietf-system:contact`),
	xpath(`/ietf-netconf-acm:nacm/ietf-netconf-acm:rule-list`),
}

func subtree(s string) string {
	return `<yp:datastore-subtree-filter>` + s + `</yp:datastore-subtree-filter>`
}

func xpath(s string) string {
	return `<yp:datastore-xpath-filter>` + s + `</yp:datastore-xpath-filter>`
}

type world struct {
	t       *testing.T
	r       *rand.Rand
	bench   *netconftest.Bench
	peer    *netconftest.Peer // that has the subscriptions
	other   *netconftest.Peer // the same user
	permits chan struct{}     // to read a message
	replies chan *xmltext.Element
	by      map[string]*receiver // by the subscription's id
	filter  map[string]string
	ids     []string
	failed  chan error
}

const hello = `xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="1"`

func newWorld(t *testing.T, r *rand.Rand) *world {
	w := &world{t: t, r: r, bench: netconftest.New(t, netconftest.Config{NACM: true}), permits: make(chan struct{}, 1<<16), replies: make(chan *xmltext.Element, 16),
		by: map[string]*receiver{}, filter: map[string]string{}, failed: make(chan error, 1)}
	w.change()
	w.peer = netconftest.NewPeer(w.bench.Dial(t.Context(), "eve", 8<<10, "g"))
	w.other = netconftest.NewPeer(w.bench.Dial(t.Context(), "eve", 0, "g"))
	for _, p := range []*netconftest.Peer{w.peer, w.other} {
		if _, err := p.Open("1.1"); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *world) run() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.read()
	}()
	for _, f := range filters {
		out := w.ask(fmt.Sprintf(`<establish-subscription xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications" xmlns:yp="urn:ietf:params:xml:ns:yang:ietf-yang-push" `+
			`xmlns:ds="urn:ietf:params:xml:ns:yang:ietf-datastores"><yp:datastore>ds:running</yp:datastore>%s<yp:on-change><yp:dampening-period>%d</yp:dampening-period></yp:on-change></establish-subscription>`,
			f, w.r.IntN(3)*100))
		id := text(out, "id")
		if id == "" {
			w.t.Fatalf("%s: no subscription: %v", f, out)
		}
		w.filter[id] = f
		w.ids = append(w.ids, id)
	}
	for range 25 {
		for range w.r.IntN(12) {
			w.change()
			time.Sleep(time.Duration(w.r.IntN(700)) * time.Millisecond)
		}
		if w.r.IntN(3) == 0 {
			time.Sleep(20 * time.Second) // longer than it takes to be suspended
		}
		id := w.ids[w.r.IntN(len(w.ids))]
		switch w.r.IntN(4) {
		case 0:
			w.ask(`<resync-subscription xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-push"><id>` + id + `</id></resync-subscription>`)
		case 1:
			w.ask(fmt.Sprintf(`<modify-subscription xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications" xmlns:yp="urn:ietf:params:xml:ns:yang:ietf-yang-push" `+
				`xmlns:ds="urn:ietf:params:xml:ns:yang:ietf-datastores"><id>%s</id><yp:datastore>ds:running</yp:datastore><yp:on-change><yp:dampening-period>%d</yp:dampening-period></yp:on-change></modify-subscription>`,
				id, w.r.IntN(4)*100))
		}
		w.listen()
		w.compare()
	}
	w.peer.Conn.Close()
	w.other.Conn.Close()
	for range cap(w.permits) - len(w.permits) {
		w.permits <- struct{}{}
	}
	<-done
}

// listen lets all that is on its way come.
func (w *world) listen() {
	for range 4096 {
		w.permits <- struct{}{}
	}
	time.Sleep(30 * time.Second)
	synctest.Wait()
	select {
	case err := <-w.failed:
		w.t.Fatal(err)
	default:
	}
	for len(w.permits) > 0 {
		<-w.permits
	}
}

// read takes messages, one for each permit.
func (w *world) read() {
	for range w.permits {
		m, err := w.peer.R.ReadMessage()
		if err != nil {
			return
		}
		e, err := element(m)
		if err != nil {
			w.fail(err)
			return
		}
		if e.Local == "rpc-reply" {
			w.replies <- e
			continue
		}
		n := e.Children[len(e.Children)-1]
		id := text(n, "id")
		if w.by[id] == nil {
			w.by[id] = &receiver{schema: w.bench.Schema}
		}
		if err := w.by[id].take(n); err != nil {
			w.fail(fmt.Errorf("%w\nby %s", err, m))
			return
		}
	}
}

func (w *world) fail(err error) {
	select {
	case w.failed <- err:
	default:
	}
}

// ask sends an rpc on the session of the subscriptions, and listens up to its reply.
func (w *world) ask(rpc string) *xmltext.Element {
	if err := w.peer.W.WriteMessage([]byte("<rpc " + hello + ">" + rpc + "</rpc>")); err != nil {
		w.t.Fatal(err)
	}
	for {
		select {
		case e := <-w.replies:
			if child(e, "rpc-error") != nil {
				w.t.Fatalf("%s\nis refused: %s", rpc, text(child(e, "rpc-error"), "error-message"))
			}
			return e
		case err := <-w.failed:
			w.t.Fatal(err)
		case w.permits <- struct{}{}:
			synctest.Wait()
		}
	}
}

// compare holds each copy against a retrieval.
func (w *world) compare() {
	for _, id := range w.ids {
		f := strings.NewReplacer("yp:datastore-subtree-filter", "subtree-filter", "yp:datastore-xpath-filter", "xpath-filter").Replace(w.filter[id])
		f = strings.Replace(f, "<xpath-filter>", `<xpath-filter xmlns:ietf-network="urn:ietf:params:xml:ns:yang:ietf-network" xmlns:ietf-system="urn:ietf:params:xml:ns:yang:ietf-system" xmlns:ietf-netconf-acm="urn:ietf:params:xml:ns:yang:ietf-netconf-acm">`, 1)
		m, err := w.other.Ask("<rpc " + hello + `><get-data xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-nmda" xmlns:ds="urn:ietf:params:xml:ns:yang:ietf-datastores"><datastore>ds:running</datastore>` + f + `</get-data></rpc>`)
		if err != nil {
			w.t.Fatal(err)
		}
		e, err := element([]byte(m))
		if err != nil || child(e, "data") == nil {
			w.t.Fatalf("%v: %s", err, m)
		}
		root := w.bench.Schema.Root
		want := canonical(child(e, "data"), root, w.bench.Schema)
		if got := canonical(w.by[id].content, root, w.bench.Schema); got != want {
			w.t.Fatalf("%s: the copy is\n%s, the selection\n%s", w.filter[id], got, want)
		}
	}
}

// element parses a message.
func element(m []byte) (*xmltext.Element, error) {
	e, err := xmltext.ParseRawElement(xmltext.Raw{Content: m}, xmltext.Limits{})
	if err != nil {
		return nil, err
	}
	return e.Children[0], nil
}

// change makes a random configuration, some of which is often that of before.
func (w *world) change() {
	var b strings.Builder
	leaf := func(name string, values ...string) {
		if w.r.IntN(3) > 0 {
			fmt.Fprintf(&b, "<%s>%s</%[1]s>", name, values[w.r.IntN(len(values))])
		}
	}
	b.WriteString(`<config><system xmlns="urn:ietf:params:xml:ns:yang:ietf-system">`)
	leaf("contact", "c", "d", "&lt;e&gt; &amp;")
	leaf("hostname", "h1", "h2")
	b.WriteString("<authentication>")
	for _, u := range w.r.Perm(5)[:w.r.IntN(6)] {
		fmt.Fprintf(&b, "<user><name>u/%d, x</name>", u)
		leaf("password", "$6$a$"+strings.Repeat("b", 86), "$6$a$"+strings.Repeat("c", 86))
		b.WriteString("</user>")
	}
	b.WriteString(`</authentication></system><networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network">`)
	for _, id := range []string{"a", "b", "c d"} {
		if w.r.IntN(3) == 0 {
			continue
		}
		fmt.Fprintf(&b, "<network><network-id>%s</network-id>", id)
		for n := range 4 {
			if w.r.IntN(2) == 0 {
				fmt.Fprintf(&b, "<node><node-id>n%d</node-id></node>", n)
			}
		}
		b.WriteString("</network>")
	}
	b.WriteString(`</networks><nacm xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-acm" xmlns:nw="urn:ietf:params:xml:ns:yang:ietf-network" xmlns:sys="urn:ietf:params:xml:ns:yang:ietf-system">`)
	for _, i := range w.r.Perm(3) {
		fmt.Fprintf(&b, "<rule-list><name>l%d</name><group>g</group>", i)
		for _, path := range []string{"/nw:networks/nw:network[nw:network-id='b']", "/sys:system/sys:contact", "/sys:system/sys:authentication/sys:user[sys:name='u/1, x']", "/nw:networks/nw:network/nw:node"} {
			if w.r.IntN(8) == 0 {
				fmt.Fprintf(&b, "<rule><name>%d</name><path>%s</path><access-operations>read</access-operations><action>deny</action></rule>", w.r.IntN(1e9), path)
			}
		}
		b.WriteString("</rule-list>")
	}
	b.WriteString(`<rule-list><name>all</name><group>g</group><rule><name>all</name><action>permit</action></rule></rule-list></nacm></config>`)
	if err := w.bench.Configure(b.String()); err != nil {
		w.t.Fatalf("%v: %s", err, &b)
	}
}
