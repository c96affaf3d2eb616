package datastore_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"incidentd/datastore"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// places are the nodes of a tree by their paths, but for entries that the user orders,
// whose place among the others is a change too.
func places(tree *data.Node) map[string]*data.Loc {
	all := map[string]*data.Loc{}
	var walk func(*data.Loc)
	walk = func(l *data.Loc) {
		for c := range l.Node.Children() {
			if at := l.Down(c); !c.Schema().UserOrdered && !c.Schema().IsKey() {
				all[at.InstanceID()] = at
				walk(at)
			}
		}
	}
	walk(&data.Loc{Node: tree})
	return all
}

// Random locks, edits and ends of two sessions, against a plain model: an edit is
// refused when, and only when, what is at and below a node that the other session has
// locked would not be the same; and a lock when it overlaps with one of the other's.
func TestPartialLocks(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	b := open(t)
	fragments := []string{
		`<name%s>%d</name>`, `<there%s/>`, `<there><a%s>%d</a></there>`, `<plain%s><a>%d</a></plain>`, `<plain><ordered%s>%d</ordered></plain>`,
		`<l%s><a>%d</a><b>1</b><v>x</v></l>`, `<l><a>1</a><b>1</b><o%s><k>%d</k><v>y</v></o></l>`, `<l><a>2</a><b>1</b><v%s>%d</v></l>`,
	}
	locks := map[uint32]map[string]bool{} // by number: the paths
	of := map[uint32]uint32{}             // by number: the session
	text := func(l *data.Loc) string { return string(data.AppendXML(nil, l.Node, "")) }
	for range 1000 {
		session := uint32(1 + r.IntN(2))
		before := places(b.store.Snapshot().Running)
		switch k := r.IntN(20); {
		case k == 0:
			b.store.Release(session)
			for id, s := range of {
				if s == session {
					delete(of, id)
					delete(locks, id)
				}
			}
		case k == 1 && len(of) > 0:
			id := uint32(1 + r.IntN(30))
			err := b.store.UnlockParts(context.Background(), session, id)
			if (err == nil) != (of[id] == session) {
				t.Fatalf("unlock of %d by %d: %v, it is of %d", id, session, err, of[id])
			}
			if err == nil {
				delete(of, id)
				delete(locks, id)
			}
		case k < 5 && len(before) > 0:
			paths := slices.Sorted(func(yield func(string) bool) {
				for p := range before {
					if !yield(p) {
						return
					}
				}
			})
			path := paths[r.IntN(len(paths))]
			denied := false
			for id, held := range locks {
				for p := range held {
					overlap := p == path || strings.HasPrefix(p+"/", path+"/") || strings.HasPrefix(path+"/", p+"/")
					denied = denied || of[id] != session && overlap
				}
			}
			l, err := b.store.LockParts(context.Background(), session, nil, func(*data.Node) ([]*data.Loc, error) {
				return []*data.Loc{before[path]}, nil
			})
			if denied != (tag(err) == rpcerr.TagLockDenied) || !denied && err != nil {
				t.Fatalf("lock of %s by %d: %v, locks %v of %v", path, session, err, locks, of)
			}
			if err == nil {
				of[l.ID], locks[l.ID] = session, map[string]bool{path: true}
			}
		default:
			op := []string{"", ` nc:operation="remove"`, ` nc:operation="replace"`}[r.IntN(3)]
			body := fragments[r.IntN(len(fragments))]
			if strings.Contains(body, "%d") {
				body = fmt.Sprintf(body, op, r.IntN(3))
			} else {
				body = fmt.Sprintf(body, op)
			}
			var would map[string]*data.Loc
			err := b.by(session, func(tx *datastore.Tx) error {
				next := b.edited(tx.Running(), body)
				would = places(next)
				tx.SetRunning(next)
				return nil
			})
			refused := false
			for id, held := range locks {
				for p := range held {
					is := would[p]
					refused = refused || of[id] != session && (is == nil || text(is) != text(before[p]))
				}
			}
			if refused != (tag(err) == rpcerr.TagInUse) || !refused && err != nil {
				t.Fatalf("%s by %d: %v, locks %v of %v", body, session, err, locks, of)
			}
			for id, held := range locks {
				for p := range held {
					if err == nil && of[id] == session && would[p] == nil {
						delete(held, p)
					}
				}
			}
		}
		for _, l := range b.store.PartialLocks() {
			if len(l.Nodes) != len(locks[l.ID]) {
				t.Fatalf("the lock %d has %d nodes, want %v", l.ID, len(l.Nodes), locks[l.ID])
			}
		}
	}
}

// edited is a tree of /m:top with an edit applied.
func (b *bench) edited(tree *data.Node, body string) *data.Node {
	edit, err := b.parse(body)
	if err != nil {
		b.t.Fatal(err)
	}
	next, err := data.Apply(tree, edit, data.MergeOp)
	if err != nil {
		b.t.Fatal(err)
	}
	return next
}
