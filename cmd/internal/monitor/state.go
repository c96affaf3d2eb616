package monitor

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"incidentd/datastore"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/xpath"
)

// families are the containers of operational state that become metrics, and how the
// names of these begin.
var families = []struct{ path, prefix string }{
	{"server/statistics", "incidentd_server"},
	{"netconf-state/statistics", "incidentd_netconf"},
	{"admission/statistics", "incidentd_events"},
	{"incident-management/statistics", "incidentd_incidents"},
	{"alarms/summary/alarm-summary", "incidentd_alarms"},
	{"sources/source/health", "incidentd_source"},
	{"oam-service/state", "incidentd_oam"},
	{"oam-service/reflector/state", "incidentd_reflector"},
}

// state is a prometheus.Collector of operational state.
type state struct {
	store  *datastore.Store
	groups []group
}

// group is one of the families.
type group struct {
	filter *data.Filter
	steps  []*yang.Node // from the top to the container
	leafs  []figure
}

// figure is a leaf that is a metric.
type figure struct {
	leaf  *yang.Node
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	scale float64
	enums []string // of an enumeration: each is a metric, 1 or 0
}

// newState finds the families in the schema of a store.
func newState(store *datastore.Store) (*state, error) {
	s := &state{store: store}
	for _, f := range families {
		steps, filter, err := find(store.Schema(), f.path)
		if err != nil {
			return nil, err
		}
		g := group{filter: filter, steps: steps}
		var labels []string
		for _, step := range steps {
			for _, key := range step.Keys {
				label := key.Name
				if label == "name" { // what an entry is says more
					label = step.Name
				}
				labels = append(labels, identifier(label))
			}
		}
		for _, leaf := range steps[len(steps)-1].Data {
			if x, ok := figureOf(leaf, f.prefix, labels); ok {
				g.leafs = append(g.leafs, x)
			}
		}
		s.groups = append(s.groups, g)
	}
	return s, nil
}

// find is the way to a container of the schema, by names, and what selects it.
func find(schema *yang.Schema, path string) (steps []*yang.Node, _ *data.Filter, _ error) {
	at, expression := schema.Root, ""
	names := xpath.Namespaces{Prefixes: map[string]string{}}
	for name := range strings.SplitSeq(path, "/") {
		if at = at.ChildNamed(name); at == nil {
			return nil, nil, fmt.Errorf("monitor: the schema has no %s", path)
		}
		names.Prefixes[at.Module.Prefix] = at.Module.Namespace
		expression += "/" + at.Module.Prefix + ":" + name
		steps = append(steps, at)
	}
	filter, err := data.NewXPathFilter(schema, expression, names)
	if err != nil {
		return nil, nil, fmt.Errorf("monitor: %s: %w", path, err)
	}
	return steps, filter, nil
}

// figureOf makes a metric of a leaf, if it is one of numbers or an enumeration.
func figureOf(leaf *yang.Node, prefix string, labels []string) (figure, bool) {
	x := figure{leaf: leaf, kind: prometheus.GaugeValue, scale: 1}
	if leaf.Type == nil || leaf.Kind != yang.Leaf || leaf.IsKey() {
		return x, false
	}
	name, help := prefix+"_"+identifier(leaf.Name), sentence(leaf.Description)
	switch leaf.Type.Base {
	case yang.Uint8, yang.Uint16, yang.Uint32, yang.Uint64, yang.Int8, yang.Int16, yang.Int32, yang.Int64, yang.Decimal64:
	case yang.Enumeration:
		for _, e := range leaf.Type.Enums {
			x.enums = append(x.enums, e.Name)
		}
		labels = append(labels[:len(labels):len(labels)], identifier(leaf.Name))
	default:
		return x, false
	}
	switch leaf.Units {
	case "milliseconds":
		name, x.scale = name+"_seconds", 1e-3
	case "bytes":
		name = strings.TrimSuffix(name, "_octets") + "_bytes"
	case "seconds":
		name += "_seconds"
	}
	if strings.Contains(leaf.Type.Name, "counter") {
		name, x.kind = name+"_total", prometheus.CounterValue
	}
	x.desc = prometheus.NewDesc(name, help, labels, nil)
	return x, true
}

// identifier is a name of YANG as one of Prometheus.
func identifier(name string) string { return strings.ReplaceAll(name, "-", "_") }

// sentence is a description on one line.
func sentence(text string) string { return strings.Join(strings.Fields(text), " ") }

// Describe implements prometheus.Collector.
func (s *state) Describe(to chan<- *prometheus.Desc) {
	for _, g := range s.groups {
		for _, x := range g.leafs {
			to <- x.desc
		}
	}
}

// Collect implements prometheus.Collector.
func (s *state) Collect(to chan<- prometheus.Metric) {
	snap := s.store.Snapshot()
	for _, g := range s.groups {
		g.collect(s.store.With(snap, snap.State, g.filter), g.steps, nil, to)
	}
}

// collect walks down to the containers of a group.
func (g *group) collect(at *data.Node, steps []*yang.Node, labels []string, to chan<- prometheus.Metric) {
	if at == nil {
		return
	}
	if len(steps) == 0 {
		for _, x := range g.leafs {
			if n := at.Get(x.leaf); n != nil {
				x.tell(n.Value(), labels, to)
			}
		}
		return
	}
	if step := steps[0]; len(step.Keys) > 0 {
		for entry := range at.EntriesOf(step) {
			g.collect(entry, steps[1:], append(labels[:len(labels):len(labels)], entry.Keys()...), to)
		}
	} else {
		g.collect(at.Get(step), steps[1:], labels, to)
	}
}

// tell sends the metrics of a value.
func (x *figure) tell(value string, labels []string, to chan<- prometheus.Metric) {
	if x.enums == nil {
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			panic(fmt.Sprintf("monitor: %s is %q", x.leaf.Path(), value)) // its type is a number's
		}
		to <- prometheus.MustNewConstMetric(x.desc, x.kind, v*x.scale, labels...)
		return
	}
	for _, e := range x.enums {
		is := 0.0
		if e == value {
			is = 1
		}
		to <- prometheus.MustNewConstMetric(x.desc, x.kind, is, append(labels[:len(labels):len(labels)], e)...)
	}
}
