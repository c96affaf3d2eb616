package subscribe

import (
	"fmt"
	"sync"

	"incidentd/datastore/journal"
	"incidentd/netconf"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/xmltext"
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
	schema *yang.Schema

	mu    sync.Mutex
	slots [keptRecords]*event // mu; by sequence number
	bytes int                 // mu; of the bodies of those
}

// event is a record with what was made of it.
type event struct {
	record  *journal.Record
	message func() []byte
	tree    func() (*data.Node, error)
}

func newEvents(schema *yang.Schema) *events { return &events{schema: schema} }

func (es *events) get(r *journal.Record) *event {
	es.mu.Lock()
	defer es.mu.Unlock()
	slot := &es.slots[r.Seq%uint64(len(es.slots))]
	if e := *slot; e != nil && e.record.Seq == r.Seq {
		return e
	}
	e := &event{record: r}
	e.message = sync.OnceValue(func() []byte {
		return netconf.AppendNotification(make([]byte, 0, len(r.Body)+192), r.Time, r.Body)
	})
	e.tree = sync.OnceValues(func() (*data.Node, error) { return es.parse(r.Body) })
	if *slot != nil {
		es.bytes -= len((*slot).record.Body)
	}
	*slot = e
	if es.bytes += len(r.Body); es.bytes > keptBytes {
		clear(es.slots[:])
		es.bytes = 0
	}
	return e
}

// parse reads the body of a record into a tree whose top is the notification.
func (es *events) parse(body []byte) (*data.Node, error) {
	d := xmltext.NewDecoder(body, xmltext.Limits{})
	t, err := d.Next()
	if err != nil {
		return nil, err
	}
	m := es.schema.ByNamespace(t.Space)
	if m == nil {
		return nil, fmt.Errorf("no module has the namespace %q", t.Space)
	}
	n := es.schema.Notification(m.Name, t.Local)
	if n == nil {
		return nil, fmt.Errorf("the module %s has no notification %q", m.Name, t.Local)
	}
	p := data.Parser{Schema: es.schema, State: true}
	return p.Parse(d, n)
}
