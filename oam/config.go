package oam

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"incidentd/schedule"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// definition is a test or a sequence as it is configured. It does not change.
type definition struct {
	id
	plan    *schedule.Plan
	stop    bool   // the wish of the status leaf
	members []part // the one test, or those of the sequence in their order
	hash    string
	needs   []string // what a run needs for itself
	order   []string // in which the members of a sequence were made

	overlap     Overlapping
	catchUp     bool
	spread      time.Duration
	priority    int
	maxRunTime  time.Duration
	historySize uint32
	samples     int          // of each measurement
	supervision *supervision // nil without

	// Of a sequence.
	policy       string // continue, stop-on-error or stop-on-failure
	verdictCount bool
	gap          time.Duration
	certificate  bool   // whether each run yields one
	text         []byte // of which hash is, for a certificate; nil without
}

// id names a test or a sequence.
type id struct {
	kind Kind
	name string
}

// part is a test as a member of a definition.
type part struct {
	name       string
	params     *data.Node // the container of the type
	test       Test
	fault      *Fault // why there is no test
	vantage    string // name of the vantage point
	executions uint32
	demand     Demand
	order      int
	guard      *Guard // of an errand
}

// Overlapping is what happens when a run is due while one is there.
type Overlapping string

// What may happen.
const (
	OverlapSkip  Overlapping = "skip"
	OverlapQueue Overlapping = "queue-one"
	OverlapStop  Overlapping = "stop-previous"
)

// supervision is when verdicts are a matter of concern.
type supervision struct {
	failCount, ofLast, clearCount int
	resources, services           []string
}

// limits are what tests may take.
type limits struct {
	runs, perTarget, queue int
	packetRate             float64
	bitRate                float64
	diagnosisRate          float64 // bits per second of one diagnosis
	load                   bool
	allowed, denied        []netip.Prefix
	paused                 bool
	reject                 bool // conflicts
}

// service is what all tests share.
type service struct {
	limits       limits
	vantages     map[string]Vantage
	certificates struct{ total, each int }
}

// statusLeaf is the leaf in which a wish stands in running, and the truth in operational.
func (k Kind) statusLeaf() string {
	return [...]string{"unitary-test-status", "test-sequence-status"}[k]
}

// container and list are where the kind stands.
func (k Kind) container() string { return [...]string{"oam-unitary-tests", "oam-test-sequence"}[k] }
func (k Kind) list() string      { return [...]string{"oam-unitary-test", "test-sequence"}[k] }
func (k Kind) module() string {
	return [...]string{"ietf-oam-unitary-test", "ietf-oam-test-sequence"}[k]
}

// decoder reads the configuration of tests.
type decoder struct {
	engines map[string]Engine
	tests   *data.Node // oam-unitary-tests, for references
}

// definition reads a test or a sequence. The order is that in which the members of a
// sequence were made. What has no meaning is refused with its place.
func (d *decoder) definition(i id, at *data.Loc, order []string) (*definition, error) {
	p := Params{at.Node}
	x := p.In("execution")
	plan, err := schedule.FromData(at, schedule.ParseRole(x.String("period-role")))
	if err != nil {
		return nil, err
	}
	def := &definition{id: i, plan: plan, order: order,
		overlap:     Overlapping(x.String("overlap")),
		catchUp:     x.String("misfire") == "run-once",
		spread:      schedule.Spread(i.name, x.Duration("spread", time.Millisecond)),
		priority:    x.Int("priority"),
		maxRunTime:  x.Duration("max-run-time", time.Second),
		historySize: uint32(x.Uint("history-size")),
		samples:     x.Int("samples"),
	}
	if s := at.Node.Child("supervision"); s != nil {
		q := Params{s}
		def.supervision = &supervision{q.Int("fail-count"), q.Int("of-last"), q.Int("clear-count"), q.Strings("resource"), q.Strings("service-instance")}
	}
	sum := sha256.New()
	hash := func(text []byte) {
		sum.Write(text)
		if i.kind == TestSequence && p.Bool("birth-certificate") {
			def.text = append(def.text, text...)
		}
	}
	hash(data.AppendXML(nil, at.Node.Without(at.Node.Schema().ChildNamed(i.kind.statusLeaf()), ""), ""))
	def.stop = at.Node.Leaf(i.kind.statusLeaf()) == "stop"
	var errs rpcerr.Errors
	if i.kind == UnitaryTest {
		m, err := d.part(at, hash)
		if err != nil {
			return nil, err
		}
		m.executions = 1
		def.members = []part{m}
	} else {
		def.policy, def.verdictCount, def.gap = p.String("failure-policy"), p.Bool("verdict-counts"), p.Duration("gap", time.Millisecond)
		def.certificate = p.Bool("birth-certificate")
		for e := range at.Node.Entries("test-ref") {
			m, err := d.part(at.Down(e), hash)
			if err != nil {
				list, _ := rpcerr.List(err)
				errs = append(errs, list...)
				continue
			}
			q := Params{e}
			m.executions, m.order = uint32(q.Uint("numexecutions")), q.Int("order")
			def.members = append(def.members, m)
		}
		slices.SortStableFunc(def.members, func(a, b part) int {
			if a.order != b.order {
				return a.order - b.order
			}
			return slices.Index(order, a.name) - slices.Index(order, b.name)
		})
	}
	if n := def.executions(); n > 0 {
		def.samples = min(def.samples, int(MaxRunSamples/n))
	}
	def.needs = def.exclusive(x.Strings("exclusive-resource"))
	def.hash = hex.EncodeToString(sum.Sum(nil))
	return def, errs.Err()
}

// part reads the test of an entry, by reference or as it stands there.
func (d *decoder) part(at *data.Loc, hash func([]byte)) (part, error) {
	m := part{name: at.Node.Leaf("name")}
	from := at
	if ref := at.Node.Leaf("unitary-test"); ref != "" {
		entry := d.tests.EntryNamed("oam-unitary-test", ref)
		if entry == nil { // the leafref has been checked; only a test's own removal gets here
			m.fault = Faultf(BadTarget, "there is no test %q", ref)
			return m, nil
		}
		from = (&data.Loc{Node: d.tests}).Down(entry)
		hash(data.AppendXML(nil, typeOf(entry), ""))
	}
	c := typeOf(from.Node)
	if c == nil {
		m.fault = Faultf(NotSupported, "the test has no type")
		return m, nil
	}
	m.params = c
	if err := d.read(&m, c); err != nil {
		if list, known := rpcerr.List(err); known {
			return m, list[0].At(from.Down(c).Path())
		}
		return m, rpcerr.InvalidValue("%s", err).At(from.Down(c).Path())
	}
	return m, nil
}

// read has the engine of a type make the test of its parameters. An error is of their
// meaning; without an engine the part has a fault.
func (d *decoder) read(m *part, c *data.Node) error {
	m.vantage = c.Leaf("vantage-point")
	engine := d.engines[c.Name()]
	if engine == nil {
		m.fault = Faultf(NotSupported, "this server cannot run tests of the type %s", c.Name())
		return nil
	}
	test, err := engine(Params{c})
	if err != nil {
		return err
	}
	m.test, m.demand = test, test.Demand()
	return nil
}

// typeOf is the container of a test's type, nil without one.
func typeOf(entry *data.Node) *data.Node {
	choice := entry.Schema().ChildNamed("icmp-echo").Parent.Parent
	for c := range entry.Children() {
		if n := c.Schema(); n.Parent != nil && n.Parent.Parent == choice && c.Name() != "unitary-test" {
			return c
		}
	}
	return nil
}

// exclusive are the things that a definition needs for itself, with the vantage point that
// they are of.
func (d *definition) exclusive(configured []string) []string {
	out := slices.Clone(configured)
	for _, m := range d.members {
		for _, r := range m.demand.Exclusive {
			if m.vantage != "" {
				r += " of " + m.vantage
			}
			if !slices.Contains(out, r) {
				out = append(out, r)
			}
		}
	}
	return out
}

// length is how long a run takes, as far as that can be told before.
func (d *definition) length() time.Duration {
	total := time.Duration(0)
	for _, m := range d.members {
		if m.demand.Duration == 0 || m.executions > maxMembers {
			return d.maxRunTime
		}
		total += time.Duration(m.executions) * (m.demand.Duration + d.gap)
		if total > d.maxRunTime {
			return d.maxRunTime
		}
	}
	return total
}

// span is when an occurrence begins and ends, its delay and length counted in.
func (d *definition) span(s schedule.Span) (start, end time.Time) {
	start = s.Start.Add(d.spread)
	end = start.Add(d.length())
	if !s.End.IsZero() && s.End.Before(end) {
		end = s.End
	}
	return start, end
}

// maxMembers is how many runs of tests a run of a sequence may have: all of them are in its
// record.
const maxMembers = 10_000

// executions is how many runs of tests a run has.
func (d *definition) executions() (total uint64) {
	for _, m := range d.members {
		total += uint64(m.executions)
	}
	return total
}

// faultUnder is why a definition cannot be run under limits, nil if it can.
func (d *definition) faultUnder(l *limits) *Fault {
	if total := d.executions(); total > maxMembers {
		return Faultf(LimitExceeded, "the sequence has %d runs of tests, and may have %d", total, maxMembers)
	}
	for _, m := range d.members {
		switch {
		case m.executions == 0:
		case m.fault != nil:
			return d.of(m, m.fault)
		case m.demand.Load && !l.load:
			return d.of(m, Faultf(LimitExceeded, "tests that load the path are not allowed: allow-load-tests is false"))
		case !m.demand.Load && m.demand.PacketRate > l.packetRate:
			return d.of(m, Faultf(LimitExceeded, "the test sends %.0f packets per second, and all tests together may send %.0f: max-packet-rate", m.demand.PacketRate, l.packetRate))
		case !m.demand.Load && m.demand.BitRate > l.bitRate:
			return d.of(m, Faultf(LimitExceeded, "the test sends %.0f kilobits per second, and all tests together may send %.0f: max-bit-rate", m.demand.BitRate/1000, l.bitRate/1000))
		}
		if a, err := netip.ParseAddr(m.demand.Target); err == nil {
			if f := l.permit(a); f != nil {
				return d.of(m, f)
			}
		}
	}
	return nil
}

// of says which member a fault is of, in a sequence.
func (d *definition) of(m part, f *Fault) *Fault {
	if d.kind == UnitaryTest {
		return f
	}
	return Faultf(f.Reason, "%s: %w", m.name, f.Err)
}

// permit says whether an address may be sent to.
func (l *limits) permit(a netip.Addr) *Fault {
	a = a.Unmap().WithZone("")
	for _, p := range l.denied {
		if p.Contains(a) {
			return Faultf(TargetDenied, "%s is in %s, which denied-prefix excludes", a, p)
		}
	}
	for _, p := range l.allowed {
		if p.Contains(a) {
			return nil
		}
	}
	if len(l.allowed) > 0 {
		return Faultf(TargetDenied, "%s is in none of the networks of allowed-prefix", a)
	}
	return nil
}

// serviceOf reads what all tests share; top is oam-service, empty when nothing is
// configured.
func serviceOf(top *data.Node) *service {
	p := Params{top}.In("limits")
	s := &service{vantages: map[string]Vantage{}, limits: limits{
		runs: p.Int("max-concurrent-runs"), perTarget: p.Int("max-concurrent-runs-per-target"), queue: p.Int("max-queue"),
		packetRate: p.Float("max-packet-rate"), bitRate: 1000 * p.Float("max-bit-rate"), diagnosisRate: 1000 * p.Float("max-diagnosis-bit-rate"), load: p.Bool("allow-load-tests"),
		allowed: prefixes(p.Strings("allowed-prefix")), denied: prefixes(p.Strings("denied-prefix")),
		paused: p.Bool("paused"), reject: p.String("conflict-policy") == "reject",
	}}
	kept := Params{top}.In("certificate-retention")
	s.certificates.total, s.certificates.each = kept.Int("max-certificates"), kept.Int("max-certificates-per-sequence")
	for v := range top.Entries("vantage-point") {
		s.vantages[v.Leaf("name")] = VantageOf(Params{v})
	}
	return s
}

// VantageOf reads an entry of /oam-service/vantage-point.
func VantageOf(p Params) Vantage {
	return Vantage{p.String("name"), p.String("network-instance"), p.Addr("source-address"), p.String("interface")}
}

func prefixes(list []string) (out []netip.Prefix) {
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			panic(fmt.Sprintf("oam: the schema took %q for a prefix", s))
		}
		out = append(out, p.Masked())
	}
	return out
}

// newID is the id of a run: ids are in the order of their times, and the number tells
// those of one millisecond apart.
func newID(at time.Time, n uint64) string {
	return strings.Replace(at.UTC().Format("20060102T150405.000"), ".", "", 1) + fmt.Sprintf("-%04d", n%10000)
}
