package subscribe

import (
	"sync"
	"time"

	"incidentd/datastore/journal"
	"incidentd/netconf"
	"incidentd/yang/data"
)

// What events keeps: records, and bytes of their bodies, to which the messages add
// as much again and the trees a few times as much.
const (
	keptRecords = 2048
	keptBytes   = 8 << 20
)

// events shares what is made of records among the subscriptions: those that follow
// the journal come to a record at about the same time.
type events struct {
	publisher *Publisher

	mu           sync.Mutex
	slots        [keptRecords]*Event // mu; by sequence number
	bytes        int                 // mu; of the bodies of those
	batches      [keptBatches]*batch // mu; by the sequence number of the first record
	batchedBytes int                 // mu; of those
}

// Event is an event record on its way to receivers. Each of its forms is made once, for
// all subscriptions that send it.
type Event struct {
	Time time.Time

	seq     uint64 // in the journal
	size    int    // of the body
	tree    func() (*data.Node, error)
	message [encodings]func() *message
}

// message is a notification message that lacks the header of its subscription.
type message struct {
	text []byte
	head int // the length of what comes before that header
}

func newEvents(p *Publisher) *events { return &events{publisher: p} }

func (es *events) getLocked(r *journal.Record) *Event {
	slot := &es.slots[r.Seq%uint64(len(es.slots))]
	if e := *slot; e != nil && e.seq == r.Seq {
		return e
	}
	e := es.publisher.event(r.Time, func() []byte { return r.Body },
		sync.OnceValues(func() (*data.Node, error) {
			return (&data.Parser{Schema: es.publisher.schema}).ParseNotification(r.Body)
		}))
	e.seq, e.size = r.Seq, len(r.Body)
	if *slot != nil {
		es.bytes -= (*slot).size
	}
	*slot = e
	if es.bytes += e.size; es.bytes > keptBytes {
		clear(es.slots[:])
		es.bytes = 0
	}
	return e
}

// Event makes an event record of a notification that is in no stream.
func (p *Publisher) Event(t time.Time, n *data.Node) *Event {
	return p.event(t, func() []byte { return data.AppendXML(nil, n, "") }, func() (*data.Node, error) { return n, nil })
}

// EventXML is Event of a notification that is written already: its element, and the tree
// for encodings other than XML.
func (p *Publisher) EventXML(t time.Time, xml []byte, tree func() *data.Node) *Event {
	return p.event(t, func() []byte { return xml }, func() (*data.Node, error) { return tree(), nil })
}

func (p *Publisher) event(t time.Time, body func() []byte, tree func() (*data.Node, error)) *Event {
	e := &Event{Time: t, tree: tree}
	e.message[XML] = sync.OnceValue(func() *message { return envelope(t, body()) })
	e.message[JSON] = sync.OnceValue(func() *message {
		n, err := tree()
		if err != nil {
			p.config.Log.Error("a notification cannot be parsed", "err", err)
			return nil
		}
		return envelope(t, encodedEvent(n))
	})
	return e
}

// envelope is the message of an event's element [RFC 5277 section 4].
func envelope(t time.Time, body []byte) *message {
	m := &message{text: make([]byte, 0, len(body)+192)}
	m.text = netconf.AppendNotification(m.text, t, body)
	m.head = len(m.text) - len(body) - len("</notification>")
	return m
}
