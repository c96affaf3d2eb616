package resolve

import (
	"errors"
	"net"
	"slices"
	"strings"
	"time"

	"incidentd/netconf/client"
	"incidentd/oam"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xmltext"
)

// config is the container resolution.
type config struct {
	enabled    bool
	maxRuns    int
	history    int
	devices    map[string]*device
	procedures []*procedure
}

// device is a device that can be configured.
type device struct {
	name, address string // with the port
	login         client.Config
}

// procedure is a cure: a change of a device, or a program.
type procedure struct {
	name    string
	enabled bool
	match   matcher
	within  time.Duration

	// Of a change.
	device    string // "": that of the root cause
	defaultOp string
	edit      template

	// Of a program.
	hook, back *command // back is nil without a way back
}

// command is a program with its arguments.
type command struct {
	program   string
	arguments []template
	timeout   time.Duration
	user      string
}

// configOf reads a configuration. The errors are those that the schema cannot find.
func configOf(running *data.Node) (*config, error) {
	top := running.Schema().ChildNamed("resolution")
	n := running.Get(top)
	if n == nil {
		n = data.New(top)
	}
	at, p := (&data.Loc{Node: running}).Down(n), oam.Params{Node: n}
	c := &config{enabled: p.Bool("enabled"), maxRuns: p.Int("max-runs"), history: p.Int("history-size"), devices: map[string]*device{}}
	var errs rpcerr.Errors
	for e := range n.Entries("device") {
		d, err := deviceOf(at.Down(e))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		c.devices[d.name] = d
	}
	for e := range n.Entries("procedure") {
		p, bad := procedureOf(at.Down(e))
		errs = append(errs, bad...)
		c.procedures = append(c.procedures, p)
	}
	return c, errs.Err()
}

func deviceOf(at *data.Loc) (*device, *rpcerr.Error) {
	n := at.Node
	d := &device{name: n.Leaf("name"), address: net.JoinHostPort(n.Leaf("address"), oam.Params{Node: n}.String("port"))}
	d.login = client.Config{User: n.Leaf("user"), Password: n.Leaf("password"), HostKey: client.Pinned(n.Values("host-key-fingerprint")...)}
	if key := n.Child("private-key"); key != nil {
		signer, err := client.ParseSigner(key.Value())
		if err != nil {
			return nil, rpcerr.InvalidValue("the key cannot be used: %v", err).At(at.Down(key).Path())
		}
		d.login.Signers = append(d.login.Signers, signer)
	}
	return d, nil
}

func procedureOf(at *data.Loc) (*procedure, rpcerr.Errors) {
	q := oam.Params{Node: at.Node}
	p := &procedure{name: q.String("name"), enabled: q.Bool("enabled"), match: matcherOf(q.In("match")), within: q.Duration("clear-within", time.Second)}
	var errs rpcerr.Errors
	if c := at.Node.Child("configuration"); c != nil {
		q := oam.Params{Node: c}
		p.device, p.defaultOp = q.String("device"), q.String("default-operation")
		leaf := c.Child("edit")
		var err error
		if p.edit, err = parseTemplate(leaf.Value()); err == nil {
			err = wellFormed(p.edit)
		}
		if err != nil {
			errs = append(errs, rpcerr.InvalidValue("%v", err).At(at.Down(c).Down(leaf).Path()))
		}
	}
	if c := at.Node.Child("hook"); c != nil {
		hook, bad := commandOf(at.Down(c))
		p.hook, errs = hook, append(errs, bad...)
		if b := c.Child("roll-back"); b != nil {
			back, bad := commandOf(at.Down(c).Down(b))
			p.back, errs = back, append(errs, bad...)
		}
	}
	return p, errs
}

func commandOf(at *data.Loc) (*command, rpcerr.Errors) {
	q := oam.Params{Node: at.Node}
	c := &command{program: q.String("program"), timeout: q.Duration("timeout", time.Second), user: q.String("user")}
	var errs rpcerr.Errors
	for a := range at.Node.Entries("argument") {
		t, err := parseTemplate(a.Value())
		if err == nil && strings.Contains(a.Value(), "\x00") {
			err = errors.New("an argument cannot have a zero byte")
		}
		if err != nil {
			errs = append(errs, rpcerr.InvalidValue("%v", err).At(at.Down(a).Path()))
			continue
		}
		c.arguments = append(c.arguments, t)
	}
	return c, errs
}

// limits are those of the XML of a change.
var limits = xmltext.Limits{Depth: 256}

// wellFormed checks the XML of a change, whatever values are put in.
func wellFormed(t template) error {
	sample := &facts{id: "x", kind: "x", category: "x", priority: "x", node: "x", resource: "x", cause: "x", services: []string{"x"}, run: "x"}
	e, err := xmltext.ParseElement([]byte("<config>"+t.xml(sample)+"</config>"), limits)
	switch {
	case err != nil:
		return err
	case len(e.Children) == 0:
		return errors.New("there is no element in it, so that nothing would be changed")
	}
	for _, c := range e.Children {
		if c.Space == "" {
			return errors.New("the element " + c.Local + " has no namespace")
		}
	}
	return nil
}

// matcher says which incidents a procedure cures.
type matcher struct {
	types, categories, domains, priorities []string
	causes, nodes, resources, services     []string // with wildcards
}

func matcherOf(p oam.Params) matcher {
	identities := func(leaf string) (out []string) {
		for _, v := range p.Strings(leaf) {
			out = append(out, local(v))
		}
		return out
	}
	return matcher{p.Strings("type"), identities("category"), identities("domain"), p.Strings("priority"),
		p.Strings("cause-name"), p.Strings("node"), p.Strings("resource"), p.Strings("service-instance")}
}

func (m *matcher) fits(f *facts) bool {
	is := func(any []string, v string) bool { return len(any) == 0 || slices.Contains(any, v) }
	like := func(any []string, values ...string) bool {
		return len(any) == 0 || slices.ContainsFunc(any, func(pattern string) bool {
			return slices.ContainsFunc(values, func(v string) bool { return v != "" && glob(pattern, v) })
		})
	}
	return is(m.types, f.kind) && is(m.categories, f.category) && is(m.domains, f.domain) && is(m.priorities, f.priority) &&
		like(m.causes, f.cause) && like(m.nodes, f.node) && like(m.resources, f.resource) && like(m.services, f.services...)
}

// glob reports whether a text is as a pattern has it, in which * is any characters.
func glob(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	s, ok := strings.CutPrefix(s, parts[0])
	if !ok || len(parts) == 1 {
		return ok && s == ""
	}
	last := parts[len(parts)-1]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(s, p)
		if i < 0 {
			return false
		}
		s = s[i+len(p):]
	}
	return strings.HasSuffix(s, last)
}
