package datastore_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"incidentd/datastore"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// TestSimulation makes random steps (edits of startup, candidate and running, valid
// and not; copies, commits, confirmed commits, cancels, rollbacks, locks, ends of
// sessions, waiting, restarts; and crashes before and after any write) on a store and
// on a plain model of it. SIMULATE_STEPS sets their number and SIMULATE_SEED the seed,
// which is printed.
//
// Invariants, after each step: the step is answered as the model says, by error-tag;
// startup, candidate and running are what the model has; so are the candidate's being
// modified, the confirmed commit that waits, and the holders of locks. What failed
// before its commit has left nothing, and what failed after it is there after the
// restart. After each restart: the file is sound, and every commit that should be
// remembered gives the configuration of its time, and no other does.
func TestSimulation(t *testing.T) {
	steps, runs := 2000, 1
	if testing.Short() {
		steps = 500
	}
	if s := os.Getenv("SIMULATE_STEPS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		runs = runtime.GOMAXPROCS(0)
		steps = n / runs
	}
	seed := rand.Uint64()
	if s := os.Getenv("SIMULATE_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed = n
	}
	t.Logf("SIMULATE_SEED=%d SIMULATE_STEPS=%d", seed, steps*runs)
	for run := range runs {
		t.Run(fmt.Sprint(run), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &simulation{r: rand.New(rand.NewPCG(seed, uint64(run))), model: newModel(), counts: map[string]int{}}
				s.bench = open(t)
				s.options.History = remembered
				s.reopen()
				for s.step < steps {
					if s.once() {
						s.step++
					}
					if t.Failed() {
						t.Fatalf("step %d: %s", s.step, s.what)
					}
				}
				for what, n := range s.counts {
					t.Logf("%s: %d", what, n)
				}
				if s.counts["ok"] < steps/4 {
					t.Errorf("only %d of %d steps succeeded: the test proves little", s.counts["ok"], steps)
				}
			})
		})
	}
}

// remembered is the length of the history in the simulation.
const remembered = 6

// config is a configuration of the model. It never changes; the same pointer is the
// same tree.
type config struct {
	name, a, ref, any string
	sorted            map[string]bool
	ordered           []string
	l                 map[string]entry

	text  string // what String has made
	known bool
}

// entry is an entry of l, whose key is "a b".
type entry struct {
	v string
	o []string
}

func (c *config) clone() *config {
	n := *c
	n.known = false
	n.sorted, n.l, n.ordered = maps.Clone(c.sorted), maps.Clone(c.l), slices.Clone(c.ordered)
	return &n
}

func leaf(name, value string) string {
	if value == "" {
		return ""
	}
	return "<" + name + ">" + value + "</" + name + ">"
}

// String is the configuration in XML. It is made once: nothing changes c afterwards.
func (c *config) String() string {
	if !c.known {
		c.text, c.known = c.xml(), true
	}
	return c.text
}

func (c *config) xml() string {
	plain := leaf("a", c.a)
	for _, s := range slices.Sorted(maps.Keys(c.sorted)) {
		plain += leaf("sorted", s)
	}
	for _, s := range c.ordered {
		plain += leaf("ordered", s)
	}
	out := leaf("name", c.name) + leaf("plain", plain)
	for _, k := range slices.Sorted(maps.Keys(c.l)) {
		e := c.l[k]
		a, b, _ := strings.Cut(k, " ")
		out += "<l>" + leaf("a", a) + leaf("b", b) + leaf("v", e.v)
		for _, o := range e.o {
			out += "<o>" + leaf("k", o) + "</o>"
		}
		out += "</l>"
	}
	out += leaf("ref", c.ref) + leaf("any", c.any)
	if out == "" {
		return ""
	}
	return `<top xmlns="urn:m">` + out + `</top>`
}

func (c *config) valid() bool {
	if c.ref == "" {
		return true
	}
	for k := range c.l {
		if strings.HasPrefix(k, c.ref+" ") {
			return true
		}
	}
	return false
}

type waiting struct {
	persist  string
	session  uint32
	deadline time.Time
	base     int
}

// model is what the store should be. Its methods answer as the store should, and a
// model that has refused is thrown away.
type model struct {
	startup, running *config
	candidate        *config // nil: as running
	trees            []*config
	first            int // the oldest commit that is remembered
	pending          *waiting
	locks            map[datastore.Name]uint32
}

func newModel() *model {
	c := &config{sorted: map[string]bool{}, l: map[string]entry{}}
	return &model{startup: c, running: c, trees: []*config{c}, first: 1, locks: map[datastore.Name]uint32{}}
}

func (m *model) clone() *model {
	c := *m
	c.locks = maps.Clone(m.locks)
	return &c
}

func (m *model) get(name datastore.Name) *config {
	switch {
	case name == datastore.Startup:
		return m.startup
	case name == datastore.Candidate && m.candidate != nil:
		return m.candidate
	}
	return m.running
}

func (m *model) set(name datastore.Name, c *config) {
	switch name {
	case datastore.Startup:
		m.startup = c
	case datastore.Candidate:
		m.candidate = c
	default:
		m.running = c
	}
}

func (m *model) lockedBy(name datastore.Name, session uint32) bool {
	return m.locks[name] != 0 && m.locks[name] != session
}

// finish is what the store does with the result of a step.
func (m *model) finish(before *model, session uint32, force bool) rpcerr.Tag {
	if m.candidate == m.running {
		m.candidate = nil
	}
	for name, changed := range map[datastore.Name]bool{datastore.Startup: m.startup != before.startup,
		datastore.Candidate: m.candidate != before.candidate, datastore.Running: m.running != before.running} {
		if changed && !force && m.lockedBy(name, session) {
			return rpcerr.TagInUse
		}
	}
	if !m.running.valid() || !m.startup.valid() {
		return rpcerr.TagDataMissing
	}
	if m.running.String() != before.running.String() {
		m.trees = append(m.trees, m.running) // of two models that share memory, one goes on
		old := len(m.trees) - 1 - remembered
		if m.pending != nil {
			old = min(old, m.pending.base)
		}
		m.first = max(m.first, old+1)
	}
	return ""
}

func (m *model) mayConfirm(session uint32, id string) rpcerr.Tag {
	switch p := m.pending; {
	case p == nil && id != "", p != nil && p.persist != id:
		return rpcerr.TagInvalidValue
	case p != nil && p.persist == "" && p.session != session:
		return rpcerr.TagInUse
	}
	return ""
}

func (m *model) commit(session uint32, o datastore.CommitOptions, now time.Time) rpcerr.Tag {
	if m.lockedBy(datastore.Running, session) || m.lockedBy(datastore.Candidate, session) {
		return rpcerr.TagInUse
	}
	if tag := m.mayConfirm(session, o.PersistID); tag != "" {
		return tag
	}
	m.running, m.candidate = m.get(datastore.Candidate), nil
	if !o.Confirmed {
		m.pending = nil
		return ""
	}
	p := waiting{base: len(m.trees) - 1}
	if m.pending != nil {
		p = *m.pending
	}
	if o.Persist != "" {
		p.persist = o.Persist
	}
	p.session, p.deadline = session, now.Add(o.Timeout)
	m.pending = &p
	return ""
}

func (m *model) rollback(n int) rpcerr.Tag {
	switch last := len(m.trees) - 1; {
	case n > last || n < m.first-1:
		return rpcerr.TagInvalidValue
	case n < last:
		m.running = m.trees[n].clone() // another tree, though it may say the same
	}
	return ""
}

func (m *model) cancel(session uint32, id string) rpcerr.Tag {
	if m.pending == nil {
		return rpcerr.TagOperationFailed
	}
	if tag := m.mayConfirm(session, id); tag != "" {
		return tag
	}
	if m.lockedBy(datastore.Running, session) {
		return rpcerr.TagInUse
	}
	return m.revert()
}

func (m *model) revert() rpcerr.Tag {
	tag := m.rollback(m.pending.base)
	m.pending = nil
	return tag
}

func (m *model) lock(name datastore.Name, session uint32) rpcerr.Tag {
	if m.locks[name] != 0 || name == datastore.Candidate && m.candidate != nil ||
		name == datastore.Running && m.pending != nil && m.pending.session != session {
		return rpcerr.TagLockDenied
	}
	m.locks[name] = session
	return ""
}

func (m *model) unlock(name datastore.Name, session uint32) rpcerr.Tag {
	switch m.locks[name] {
	case 0:
		return rpcerr.TagOperationFailed
	case session:
		delete(m.locks, name)
		if name == datastore.Candidate {
			m.candidate = nil
		}
		return ""
	}
	return rpcerr.TagLockDenied
}

func (m *model) release(session uint32) rpcerr.Tag {
	for name, s := range maps.Clone(m.locks) {
		if s == session {
			m.unlock(name, session)
		}
	}
	if p := m.pending; p != nil && p.session == session {
		if p.persist == "" {
			return m.revert()
		}
		orphan := *p
		orphan.session = 0
		m.pending = &orphan
	}
	return ""
}

// restart is what is left of a model when the store is opened again.
func (m *model) restart() {
	m.candidate, m.locks = nil, map[datastore.Name]uint32{}
	if m.startup.String() == m.running.String() {
		m.startup = m.running
	}
	if m.pending != nil {
		before := m.clone()
		m.revert()
		m.finish(before, 0, true)
	}
}

type simulation struct {
	*bench
	r      *rand.Rand
	model  *model
	step   int
	what   string
	counts map[string]int
	// forgotten is how many of the model's trees were let go: a long simulation
	// would spend its time on collecting garbage.
	forgotten int
}

func pick[T any](s *simulation, from ...T) T { return from[s.r.IntN(len(from))] }

// edit is a random edit and what it makes of a configuration.
func (s *simulation) edit(c *config) (body string, next *config) {
	n := c.clone()
	word := func() string { return strconv.Itoa(1 + s.r.IntN(4)) }
	text, remove := word(), s.r.IntN(5) < 2
	tag := func(name string) string {
		if remove {
			return "<" + name + ` nc:operation="remove"`
		}
		return "<" + name
	}
	set := func(to *string, name string) string {
		if *to = text; remove {
			*to = ""
		}
		return tag(name) + ">" + text + "</" + name + ">"
	}
	with := func(list []string) []string {
		i := slices.Index(list, text)
		switch {
		case remove && i >= 0:
			return slices.Delete(slices.Clone(list), i, i+1)
		case !remove && i < 0:
			return append(slices.Clone(list), text)
		}
		return list
	}
	a, b := word(), pick(s, "1", "2")
	key, keys := a+" "+b, leaf("a", a)+leaf("b", b)
	e := n.l[key]
	switch s.r.IntN(11) {
	case 0:
		body = set(&n.name, "name")
	case 1:
		body = "<plain>" + set(&n.a, "a") + "</plain>"
	case 2:
		if n.sorted[text] = true; remove {
			delete(n.sorted, text)
		}
		body = "<plain>" + tag("sorted") + ">" + text + "</sorted></plain>"
	case 3:
		n.ordered = with(n.ordered)
		body = "<plain>" + tag("ordered") + ">" + text + "</ordered></plain>"
	case 4: // a container replaced, with an order of its own
		n.a, n.sorted, n.ordered = "", map[string]bool{}, nil
		for _, i := range s.r.Perm(4)[:s.r.IntN(4)] {
			n.ordered = append(n.ordered, strconv.Itoa(i+1))
			body += leaf("ordered", strconv.Itoa(i+1))
		}
		body = `<plain nc:operation="replace">` + body + `</plain>`
	case 5:
		if e.v = text; remove {
			delete(n.l, key)
		} else {
			n.l[key] = e
		}
		body = tag("l") + ">" + keys + leaf("v", text) + "</l>"
	case 6:
		e.o = with(e.o)
		n.l[key] = e
		body = "<l>" + keys + tag("o") + ">" + leaf("k", text) + "</o></l>"
	case 7: // an entry replaced
		e = entry{v: text}
		body = leaf("v", text)
		for _, i := range s.r.Perm(4)[:s.r.IntN(4)] {
			e.o = append(e.o, strconv.Itoa(i+1))
			body += "<o>" + leaf("k", strconv.Itoa(i+1)) + "</o>"
		}
		n.l[key] = e
		body = `<l nc:operation="replace">` + keys + body + "</l>"
	case 8, 9:
		text = strconv.Itoa(1 + s.r.IntN(6)) // there is never an l of 5 or 6
		body = set(&n.ref, "ref")
	default:
		n.any = `<x xmlns="urn:x">` + text + `</x>`
		if body = `<any>` + n.any + `</any>`; remove {
			n.any, body = "", `<any nc:operation="remove"/>`
		}
	}
	return body, n
}

// once makes a step, or reports that what came up would not be one.
func (s *simulation) once() bool {
	session := uint32(1 + s.r.IntN(3))
	name := pick(s, datastore.Startup, datastore.Candidate, datastore.Candidate, datastore.Running, datastore.Running)
	before := s.model
	next := before.clone()
	var want rpcerr.Tag
	var act func() error
	force, release := false, false
	switch k := s.r.IntN(100); {
	case k < 50:
		body, c := s.edit(next.get(name))
		if c.String() == next.get(name).String() {
			return false
		}
		s.what = fmt.Sprintf("session %d edits %s: %s", session, name, body)
		next.set(name, c)
		act = func() error { return s.change(session, name, body) }
	case k < 64:
		o := datastore.CommitOptions{PersistID: pick(s, "", "", "", "p")}
		if s.r.IntN(3) == 0 {
			o.Confirmed, o.Timeout, o.Persist = true, time.Duration(s.r.IntN(20))*time.Second+time.Second/2, pick(s, "", "", "p")
		}
		s.what = fmt.Sprintf("session %d commits %+v", session, o)
		want = next.commit(session, o, time.Now())
		act = func() error { return s.commit(session, o) }
	case k < 67:
		id := pick(s, "", "p")
		s.what = fmt.Sprintf("session %d cancels %q", session, id)
		want = next.cancel(session, id)
		act = func() error { return s.by(session, func(tx *datastore.Tx) error { return tx.CancelCommit(id) }) }
	case k < 70:
		s.what = fmt.Sprintf("session %d discards", session)
		next.candidate = nil
		act = func() error { return s.by(session, func(tx *datastore.Tx) error { tx.Discard(); return nil }) }
	case k < 76:
		from := pick(s, datastore.Startup, datastore.Candidate, datastore.Running)
		s.what = fmt.Sprintf("session %d copies %s to %s", session, from, name)
		next.set(name, next.get(from))
		act = func() error { return s.by(session, func(tx *datastore.Tx) error { tx.Copy(from, name); return nil }) }
	case k < 82:
		n := len(next.trees) - s.r.IntN(remembered+4)
		if n < 0 {
			return false
		}
		s.what = fmt.Sprintf("session %d rolls back to %d", session, n)
		want = next.rollback(n)
		act = func() error { return s.by(session, func(tx *datastore.Tx) error { return tx.Rollback(uint64(n)) }) }
	case k < 86:
		s.what = fmt.Sprintf("session %d locks %s", session, name)
		want = next.lock(name, session)
		act = func() error { return s.store.Lock(context.Background(), name, session) }
	case k < 90:
		s.what = fmt.Sprintf("session %d unlocks %s", session, name)
		want, force = next.unlock(name, session), true
		act = func() error { return s.store.Unlock(context.Background(), name, session) }
	case k < 95:
		s.what = fmt.Sprintf("session %d ends", session)
		want, force, release = next.release(session), true, true
		act = func() error { s.store.Release(session); return nil }
	case k < 99:
		wait := time.Duration(s.r.IntN(8)) * time.Second
		s.what = fmt.Sprintf("%v pass", wait)
		time.Sleep(wait) // in the bubble
		synctest.Wait()
		if p := next.pending; p != nil && time.Now().After(p.deadline) {
			next.revert()
			force = true
		}
		act = func() error { return nil }
	default:
		if s.r.IntN(4) > 0 {
			return false
		}
		s.what = "a restart"
		s.restart(next)
		return true
	}
	if want == "" {
		want = next.finish(before, session, force)
	}
	s.act(act, before, next, want, release)
	return true
}

// act makes a step of the store, mostly with luck.
func (s *simulation) act(act func() error, before, next *model, want rpcerr.Tag, release bool) {
	point, hit := pick(s, "before-commit", "after-commit"), false
	if s.r.IntN(20) == 0 {
		s.failing(func(name string) error {
			if name != point {
				return nil
			}
			hit = true
			return errCrash
		})
	}
	err := act()
	s.works()
	switch {
	case hit && !release && !errors.Is(err, errCrash):
		s.t.Fatalf("a crash %s was told as %v", point, err)
	case hit && want != "":
		s.t.Fatalf("what is to be refused as %s was written", want)
	case hit && point == "after-commit":
		s.what += ", and a crash after the commit"
		s.counts["crash "+point]++
		s.restart(next)
		return
	case hit:
		s.what += ", and a failure before the commit"
		s.counts["crash "+point]++
		if release { // locks go in any case
			before = before.clone()
			before.locks = next.locks
		}
		s.model = before
	case tag(err) != want:
		s.t.Errorf("error = %v, want %q", err, want)
		return
	case want == "":
		s.counts["ok"]++
		s.model = next
	default:
		s.counts[string(want)]++
	}
	s.compare()
}

var errCrash = errors.New("crash")

// restart closes and opens the store, and looks at everything.
func (s *simulation) restart(next *model) {
	next.restart()
	s.model = next
	s.counts["restart"]++
	s.reopen()
	if err := s.store.Check(); err != nil {
		s.t.Error(err)
	}
	s.compare()
	last := len(next.trees) - 1
	if got := s.store.Snapshot().Commit; got != uint64(last) {
		s.t.Errorf("the last commit is %d, want %d", got, last)
	}
	h, err := s.store.History()
	if err != nil || len(h) != last-next.first+1 {
		s.t.Errorf("the history has %d commits, want %d to %d (%v)", len(h), next.first, last, err)
	}
	for n := max(0, next.first-2); n <= last; n++ {
		tree, err := s.store.At(uint64(n))
		if n < next.first-1 {
			if tag(err) != rpcerr.TagInvalidValue {
				s.t.Errorf("At(%d): %v, want invalid-value", n, err)
			}
			continue
		}
		if err != nil {
			s.t.Errorf("At(%d): %v", n, err)
			continue
		}
		if got, want := text(tree), next.trees[n].String(); got != want {
			s.t.Errorf("At(%d):\n got %s\nwant %s", n, got, want)
		}
	}
}

// text is a tree in XML.
func text(n *data.Node) string { return string(data.AppendChildrenXML(nil, n, "")) }

// forget lets go of what the history no longer has.
func (s *simulation) forget() {
	for ; s.forgotten < s.model.first-1; s.forgotten++ {
		s.model.trees[s.forgotten] = nil
	}
}

// compare compares the store with the model.
func (s *simulation) compare() {
	s.forget()
	snap := s.store.Snapshot()
	for _, name := range []datastore.Name{datastore.Startup, datastore.Candidate, datastore.Running} {
		if got, want := text(snap.Datastore(name)), s.model.get(name).String(); got != want {
			s.t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
		var holder uint32
		if l := s.store.Holder(name); l != nil {
			holder = l.Session
		}
		if holder != s.model.locks[name] {
			s.t.Errorf("%s is locked by %d, want %d", name, holder, s.model.locks[name])
		}
	}
	if got, want := snap.CandidateModified(), s.model.candidate != nil; got != want {
		s.t.Errorf("the candidate is modified: %v, want %v", got, want)
	}
	p, q := snap.Pending(), s.model.pending
	if (p == nil) != (q == nil) || p != nil && (p.Persist != q.persist || p.Session != q.session || !p.Deadline.Equal(q.deadline) || p.Base != uint64(q.base)) {
		s.t.Errorf("confirmed commit %+v, want %+v", p, q)
	}
}
