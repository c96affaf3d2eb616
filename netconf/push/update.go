package push

import (
	"strconv"
	"sync"
	"time"

	"incidentd/datastore"
	"incidentd/netconf/subscribe"
	"incidentd/yang"
	"incidentd/yang/data"
)

// contents is a tree that is sent as a whole. Its text is made once.
type contents struct {
	tree  *data.Node
	nodes func() int
	xml   func() []byte
}

func newContents(tree *data.Node) *contents {
	return &contents{tree: tree,
		nodes: sync.OnceValue(func() int { return count(tree) - 1 }),
		xml:   sync.OnceValue(func() []byte { return data.AppendChildrenXML(nil, tree, namespace) })}
}

// count is how many nodes there are in a tree.
func count(n *data.Node) int {
	total := 1
	for c := range n.Children() {
		total += count(c)
	}
	return total
}

// patch is edits that are sent together. Their text is made once.
type patch struct {
	edits    edits
	withheld int // edits that were excluded
	nodes    int // in the values
	entries  []*data.Node
	xml      []byte
}

func (p *publisher) newPatch(es edits) *patch {
	out := &patch{edits: es, entries: make([]*data.Node, len(es))}
	for i, e := range es {
		out.entries[i] = e.entry(p.schema.Root, p.nodes.edit, "edit"+strconv.Itoa(i+1))
		out.xml = data.AppendXML(out.xml, out.entries[i], namespace)
		if out.nodes++; e.value != nil {
			out.nodes += count(e.value) - 1
		}
	}
	return out
}

// entry is the edit as an entry of the list. The root is that of datastores.
func (e *edit) entry(root, list *yang.Node, id string) *data.Node {
	b := data.BuildEntry(list, id).Leaf("operation", e.change.String()).Leaf("target", resource(e.way))
	if e.change == insert || e.change == move {
		if e.after == nil {
			b.Leaf("where", "first")
		} else {
			beside := append(e.way[:len(e.way)-1:len(e.way)-1], stepTo(e.after))
			b.Leaf("point", resource(beside)).Leaf("where", "after")
		}
	}
	if e.value != nil {
		content := e.value
		if len(e.way) > 0 {
			content = data.New(root)
			if len(e.way) > 1 {
				content = data.New(e.way[len(e.way)-2].Schema)
			}
			content = content.With(e.value)
		}
		b.Add(data.NewAnyTree(list.ChildNamed("value"), content))
	}
	return b.Node()
}

// pointInTime is what made data be observed when it was
// [draft-ietf-netconf-yp-observation].
type pointInTime string

const (
	currentAccounting pointInTime = "current-accounting"
	initialState      pointInTime = "initial-state"
	stateChanged      pointInTime = "state-changed"
)

// update is an update record about to be written.
type update struct {
	publisher  *publisher
	id         uint32
	time       time.Time
	incomplete bool
	observed   pointInTime
	tells      bool // of its observation
}

func (p *publisher) newUpdate(s *subscribe.Subscription, snap *datastore.Snapshot, observed pointInTime) *update {
	return &update{publisher: p, id: s.ID(), time: time.Now(), observed: observed,
		tells: snap.Running.Get(p.nodes.notifications).Leaf("observation-time") == "true"}
}

// push is the event record of a whole tree: push-update.
func (u *update) push(c *contents) *subscribe.Event {
	xml := u.begin("push-update")
	xml = append(xml, "<datastore-contents>"...)
	xml = append(append(xml, c.xml()...), "</datastore-contents>"...)
	return u.publisher.subs.EventXML(u.time, u.end(xml, "push-update"), func() *data.Node {
		n := u.publisher.nodes.update
		return u.tree(data.Build(n).Uint("id", uint64(u.id)).Add(data.NewAnyTree(n.ChildNamed("datastore-contents"), c.tree)))
	})
}

// change is the event record of a patch: push-change-update.
func (u *update) change(number uint32, p *patch) *subscribe.Event {
	xml := u.begin("push-change-update")
	xml = append(xml, "<datastore-changes><yang-patch><patch-id>"...)
	xml = append(strconv.AppendUint(xml, uint64(number), 10), "</patch-id>"...)
	xml = append(append(xml, p.xml...), "</yang-patch></datastore-changes>"...)
	return u.publisher.subs.EventXML(u.time, u.end(xml, "push-change-update"), func() *data.Node {
		b := data.Build(u.publisher.nodes.change).Uint("id", uint64(u.id))
		b.Container("datastore-changes").Container("yang-patch").Uint("patch-id", uint64(number)).Add(p.entries...)
		return u.tree(b)
	})
}

func (u *update) begin(name string) []byte {
	xml := append([]byte{'<'}, name...)
	xml = append(xml, ` xmlns="`+namespace+`"><id>`...)
	return append(strconv.AppendUint(xml, uint64(u.id), 10), "</id>"...)
}

func (u *update) end(xml []byte, name string) []byte {
	if u.incomplete {
		xml = append(xml, "<incomplete-update/>"...)
	}
	if u.tells {
		xml = append(xml, `<timestamp xmlns="`+observationNamespace+`">`+data.FormatTime(u.time)+"</timestamp>"...)
		xml = append(xml, `<point-in-time xmlns="`+observationNamespace+`">`+string(u.observed)+"</point-in-time>"...)
	}
	return append(append(append(xml, "</"...), name...), '>')
}

// tree adds to a notification what end writes.
func (u *update) tree(b *data.Builder) *data.Node {
	if u.incomplete {
		b.Leaf("incomplete-update", "")
	}
	if u.tells {
		b.Time("timestamp", u.time).Leaf("point-in-time", string(u.observed))
	}
	return b.Node()
}
