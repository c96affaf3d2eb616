package validate_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/modules"
	"incidentd/yang/validate"
	"incidentd/yang/xmltext"
)

// crossFamilies are the sets of modules that instances are made of.
var crossFamilies = []struct {
	name    string
	modules []string
	kind    string // config or data
}{
	{"types", []string{"types"}, "config"},
	{"lists", []string{"lists"}, "config"},
	{"choices", []string{"choices"}, "config"},
	{"conditions", []string{"conditions"}, "config"},
	{"references", []string{"references"}, "config"},
	{"network", []string{"ietf-network", "ietf-network-topology"}, "config"},
	{"network-state", []string{"ietf-network", "ietf-network-topology"}, "data"},
	{"alarms", []string{"ietf-alarms"}, "config"},
	{"alarms-state", []string{"ietf-alarms"}, "data"},
	{"system", []string{"ietf-system"}, "config"},
	{"nacm", []string{"ietf-netconf-acm"}, "config"},
	{"incident", []string{"ietf-incident", "ietf-incident-types"}, "data"},
}

// TestCrossCheck compares what is accepted with libyang, which others wrote, one
// instance by one: instances that grow at random, broken in all ways that the
// schema offers. INCIDENTD_CROSSCHECK is how many of each family are made, then from
// a seed that changes unless INCIDENTD_SEED gives it; the differences that stay are
// those of crossKnown.
func TestCrossCheck(t *testing.T) {
	yanglint, err := exec.LookPath("yanglint")
	if err != nil {
		t.Skip("yanglint is not installed (apt: libyang2-tools)")
	}
	count, seed := 300, uint64(1)
	if n, err := strconv.Atoi(os.Getenv("INCIDENTD_CROSSCHECK")); err == nil {
		count, seed = n, rand.Uint64()
	}
	if n, err := strconv.ParseUint(os.Getenv("INCIDENTD_SEED"), 10, 64); err == nil {
		seed = n
	}
	t.Logf("INCIDENTD_SEED=%d", seed)
	dir := t.TempDir()
	all := fstest.MapFS{}
	for _, from := range []fs.FS{modules.FS, os.DirFS("testdata/crosscheck")} {
		files, err := fs.Glob(from, "*.yang")
		if err != nil || len(files) == 0 {
			t.Fatal("no modules", err)
		}
		for _, f := range files {
			text, err := fs.ReadFile(from, f)
			if err != nil {
				t.Fatal(err)
			}
			all[f] = &fstest.MapFile{Data: text}
			if err := os.WriteFile(filepath.Join(dir, f), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, f := range crossFamilies {
		t.Run(f.name, func(t *testing.T) {
			s, err := yang.Compile(all, yang.Options{Implemented: f.modules})
			if err != nil {
				t.Fatal(err)
			}
			g := &grower{r: rand.New(rand.NewPCG(seed, uint64(len(f.name)))), s: s, v: validate.New(s), state: f.kind == "data"}
			l := &linter{path: yanglint, home: t.TempDir(), kind: f.kind, prelude: "searchpath " + dir + "\n"}
			for _, m := range f.modules {
				l.prelude += "load " + m + "\n"
			}
			ours, texts := make([]error, count), make([]string, count)
			accepted := 0
			for i := range count {
				texts[i], ours[i] = g.next()
				if ours[i] == nil {
					accepted++
				}
			}
			theirs := make([]string, 0, count)
			for chunk := range slices.Chunk(texts, 100) {
				theirs = append(theirs, l.lint(t, chunk)...)
			}
			differences := 0
			for i := range count {
				if (ours[i] == nil) == (theirs[i] == "") || theirs[i] == crashed {
					continue
				}
				if why := crossKnown(texts[i], ours[i], theirs[i]); why != "" {
					continue
				}
				if differences++; differences <= 5 {
					t.Errorf("instance %d\n%s\nours:    %v\nlibyang: %s", i, texts[i], ours[i], theirs[i])
				}
			}
			if differences > 0 {
				t.Errorf("%d differences in all", differences)
			}
			if accepted < count/10 || accepted > count*9/10 {
				t.Errorf("%d of %d instances are valid: the test proves little", accepted, count)
			}
			if l.crashes > count/20 {
				t.Errorf("yanglint died of %d instances", l.crashes)
			}
			t.Logf("%d instances, %d valid; yanglint died of %d", count, accepted, l.crashes)
		})
	}
}

var refusal = regexp.MustCompile(`(?s)^(.*)YANGLINT\[E\]: Failed to parse input data file ".*/(\d+)\.xml"\.$`)

// crashed stands for the verdict of a yanglint that died.
const crashed = "yanglint died"

// linter runs yanglint with the modules of one family.
type linter struct {
	path, home, kind, prelude string
	crashes                   int
}

// lint returns what yanglint says of each instance, "" where it accepts it. When
// it dies, as some instances make it, each is tried on its own.
func (l *linter) lint(t *testing.T, texts []string) []string {
	t.Helper()
	dir := t.TempDir()
	commands := l.prelude
	for i, text := range texts {
		name := filepath.Join(dir, fmt.Sprintf("%d.xml", i))
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		commands += "data -t " + l.kind + " " + name + "\n"
	}
	cmd := exec.Command(l.path)
	cmd.Env = append(os.Environ(), "HOME="+l.home)
	cmd.Stdin = strings.NewReader(commands + "data " + dir + "/end.xml\n")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	err := cmd.Run()
	switch {
	case err != nil && len(texts) == 1:
		l.crashes++
		return []string{crashed}
	case err != nil:
		var out []string
		for i := range texts {
			out = append(out, l.lint(t, texts[i:i+1])...)
		}
		return out
	}
	out := make([]string, len(texts))
	var said []string
	ended := false
	for line := range strings.Lines(errs.String()) {
		line = strings.TrimSpace(line)
		if m := refusal.FindStringSubmatch(line); m != nil {
			i, err := strconv.Atoi(m[2])
			if err != nil || i >= len(texts) {
				t.Fatal(line)
			}
			out[i] = strings.Join(append(said, line), "\n")
			said = nil
			continue
		}
		ended = ended || strings.Contains(line, "end.xml")
		said = append(said, line)
	}
	if !ended {
		t.Fatalf("yanglint ended early:\n%s", strings.Join(said, "\n"))
	}
	return out
}

// crossKnown says why a difference is expected, with the RFC's section.
func crossKnown(text string, ours error, theirs string) string {
	for _, k := range []struct{ said, why string }{
		{"Invalid position of the key", "keys come first where they are written (RFC 7950 section 7.8.5); we read them anywhere"},
		{"Invalid Base64 character ' '", "nothing says that base64 may have no blanks between its characters (RFC 7950 section 9.8.2); libyang has line breaks alone"},
		{"Invalid Base64 character 0x9", "the same of tabs between its characters (RFC 7950 section 9.8.2); libyang has line breaks alone"},
		{"When 'radius' is used, a RADIUS server must be configured.",
			"the must compares an identityref with a text, but its text depends on who writes it (RFC 7950 section 9.10.3); ours has the module's name"},
	} {
		if ours == nil && strings.Contains(theirs, k.said) {
			return k.why
		}
	}
	if ours == nil && accessRule.MatchString(theirs) {
		return "the path of an access rule is any XPath 1.0 text to the schema (RFC 8341 section 3.5.2); libyang wants an instance-identifier"
	}
	if ours != nil && theirs == "" && strings.Contains(ours.Error(), "stands there twice") && emptyContainer.MatchString(text) {
		return "a container has one instance at most (RFC 7950 section 7.5); libyang overlooks an empty one beside a full one"
	}
	if _, use, _ := strings.Cut(text, "<use "); ours != nil && theirs == "" && strings.Contains(text, "<name></name>") && strings.Contains(ours.Error(), "current()/../r:host") {
		if use, _, _ = strings.Cut(use, "</use>"); !strings.Contains(use, "<host>") {
			return "a leaf that is not there equals nothing, an empty key neither (XPath 1.0 section 3.4); libyang takes it for an empty text"
		}
	}
	if ours == nil && (strings.Contains(theirs, "Data for both cases") || strings.Contains(theirs, "When condition")) && emptyContainer.MatchString(text) {
		return "a container without presence that is empty is no data, so it chooses no case and needs no condition (RFC 7950 section 7.5.1)"
	}
	return ""
}

var accessRule = regexp.MustCompile(`Invalid instance-identifier .*/ietf-netconf-acm:nacm/.*/rule(\[.*\])?/path`)

var emptyContainer = regexp.MustCompile(`<([a-z0-9-]+)( xmlns="[^"]*")?></([a-z0-9-]+)>`)

// el is an element of an instance that grows; schema is nil for one that has
// none.
type el struct {
	schema *yang.Node
	name   string
	text   string
	kids   []*el
}

func (e *el) clone() *el {
	c := *e
	c.kids = make([]*el, len(e.kids))
	for i, k := range e.kids {
		c.kids[i] = k.clone()
	}
	return &c
}

func (e *el) write(b *strings.Builder, space string, s *yang.Schema) {
	name, own := e.name, space
	if e.schema != nil {
		name, own = e.schema.Name, e.schema.Module.Namespace
	}
	b.WriteString("<" + name)
	if own != space {
		b.WriteString(` xmlns="` + own + `"`)
	}
	text := e.text
	if strings.Contains(text, ":") && e.schema != nil {
		for _, m := range s.Modules {
			if strings.Contains(text, m.Prefix+":") {
				b.WriteString(" xmlns:" + m.Prefix + `="` + m.Namespace + `"`)
			}
		}
	}
	b.WriteString(">")
	b.Write(xmltext.AppendText(nil, text))
	for _, k := range e.kids {
		k.write(b, own, s)
	}
	b.WriteString("</" + name + ">")
}

// grower makes instances from one another.
type grower struct {
	r     *rand.Rand
	s     *yang.Schema
	v     *validate.Validator
	state bool
	base  *el
}

// next is another instance and what we say of it.
func (g *grower) next() (string, error) {
	if g.base == nil || size(g.base) > 60 || g.r.IntN(60) == 0 {
		g.base = &el{schema: g.s.Root}
	}
	e := g.base.clone()
	for range 1 + g.r.IntN(3) {
		g.mutate(e)
	}
	var b strings.Builder
	for _, k := range e.kids {
		k.write(&b, "", g.s)
	}
	text := b.String()
	if text == "" {
		return g.next() // yanglint takes an empty file for a fault
	}
	tree, err := (&data.Parser{Schema: g.s, State: g.state}).ParseRaw(xmltext.Raw{Content: []byte(text)}, g.s.Root)
	if err == nil {
		err = g.v.Tree(tree, !g.state)
	}
	if err == nil {
		g.base = e
	}
	return text, err
}

func size(e *el) int {
	n := 1
	for _, k := range e.kids {
		n += size(k)
	}
	return n
}

func (g *grower) mutate(root *el) {
	// Somewhere: the deeper, the rarer.
	e, parent := root, (*el)(nil)
	for len(e.kids) > 0 && g.r.IntN(4) > 0 {
		next := e.kids[g.r.IntN(len(e.kids))]
		if len(next.kids) == 0 && (next.schema == nil || next.schema.HasValue()) && g.r.IntN(2) == 0 {
			break
		}
		e, parent = next, e
	}
	switch n := g.r.IntN(40); {
	case e.schema == nil || e.schema.HasValue() || e.schema.Kind == yang.AnyData || e.schema.Kind == yang.AnyXML:
		switch {
		case parent == nil:
		case n < 10:
			parent.kids = slices.DeleteFunc(parent.kids, func(k *el) bool { return k == e })
		case n == 10:
			parent.kids = append(parent.kids, e.clone())
		case e.schema != nil && e.schema.Type != nil:
			e.text = g.value(root, e.schema.Type, g.r.IntN(3) == 0)
		}
	case n == 0:
		e.kids = append(e.kids, &el{name: "no-such-thing"})
	case n == 1:
		e.text = "text"
	case n < 6 && parent != nil:
		parent.kids = slices.DeleteFunc(parent.kids, func(k *el) bool { return k == e })
	case n < 8 && parent != nil:
		parent.kids = append(parent.kids, e.clone())
	case n == 8 && len(e.kids) > 1:
		g.r.Shuffle(len(e.kids), func(i, j int) { e.kids[i], e.kids[j] = e.kids[j], e.kids[i] })
	default:
		g.grow(root, e)
	}
}

// grow adds a child that the schema has, mostly one that is not there.
func (g *grower) grow(root, e *el) {
	var may []*yang.Node
	for _, c := range e.schema.Data {
		if !c.Config && !g.state && g.r.IntN(20) > 0 {
			continue
		}
		there := slices.ContainsFunc(e.kids, func(k *el) bool { return k.schema == c })
		if there && !c.Multiple() && g.r.IntN(20) > 0 {
			continue
		}
		may = append(may, c)
	}
	if len(may) > 0 {
		e.kids = append(e.kids, g.make(root, may[g.r.IntN(len(may))]))
	}
}

// make is a new node, with most of what must be below it.
func (g *grower) make(root *el, s *yang.Node) *el {
	e := &el{schema: s}
	if s.HasValue() {
		e.text = g.value(root, s.Type, g.r.IntN(8) == 0)
		return e
	}
	for _, c := range s.Data {
		if !c.Config && !g.state {
			continue
		}
		if c.IsKey() || c.Mandatory && len(c.Whens) == 0 {
			if g.r.IntN(30) > 0 {
				e.kids = append(e.kids, g.make(root, c))
			}
			continue
		}
		for range c.Min {
			e.kids = append(e.kids, g.make(root, c))
		}
		if c.Kind == yang.Container && g.r.IntN(2) == 0 || g.r.IntN(8) == 0 {
			e.kids = append(e.kids, g.make(root, c))
		}
	}
	return e
}

// words are texts that some pattern of the modules may like.
var words = []string{"a", "b", "c", "ab", "abc", "abcd", "x", "xy", "a-b", "0", "", " ", "1.1.1.1", "192.0.2.1", "192.0.2.256", "2001:db8::1", "example.com",
	"2001:db8::/32", "192.0.2.0/24", "urn:a", "2024-02-30T00:00:00Z", "2024-02-28T01:02:03.5+01:00", "2024-02-28", "+5", "-0", "12", "$0$secret", "$5$salt$x",
	"*", "unconfined", "/a/b", "text with blanks", "\t", "\u00e9", "00:11:22:33:44:55", "Europe/Berlin", "1.3.6.1", "a%b", "exec"}

// value is a text for a type, which may be broken.
func (g *grower) value(root *el, t *yang.Type, broken bool) string {
	r := g.r
	if broken && r.IntN(2) == 0 {
		return words[r.IntN(len(words))]
	}
	pick := func(all ...string) string { return all[r.IntN(len(all))] }
	switch t.Base {
	case yang.String:
		if len(t.Patterns) == 0 {
			return pick("a", "b", "c")
		}
		for range 50 {
			if w := words[r.IntN(len(words))]; broken || fits(t, w, g.s) {
				return w
			}
		}
		return "a"
	case yang.Int8, yang.Int16, yang.Int32, yang.Int64, yang.Uint8, yang.Uint16, yang.Uint32, yang.Uint64:
		all := []string{"0", "1", "2", "3", "4", "5", "7", "10", "+4", "007", " 3 ", "-1"}
		if broken {
			all = append(all, "", "1.0", "1e3", "0x1", "127", "128", "-128", "-129", "255", "256", "32768", "65536", "-2147483649", "4294967296", "9223372036854775808",
				"-9223372036854775809", "18446744073709551615", "18446744073709551616", "--1", "1 2", "08")
		}
		for _, rs := range t.Ranges {
			for _, p := range rs.Parts {
				all = append(all, p.Min.String(), p.Max.String())
			}
		}
		for range 20 {
			if w := pick(all...); broken || fits(t, w, g.s) {
				return w
			}
		}
		return "1"
	case yang.Decimal64:
		return pick("0", "1", "0.3", "-1.0", "5.5", "9.9", "+1.5", "-0.5", "1.", ".5", "1.23", "1.2345", "922337203685477580.7", "922337203685477580.8", "9.3", "1e1", "10")
	case yang.Boolean:
		if broken {
			return pick("1", "True", "")
		}
		return pick("true", "false")
	case yang.Empty:
		if broken {
			return "x"
		}
		return ""
	case yang.Enumeration:
		if broken {
			return t.Enums[0].Name + "x"
		}
		return t.Enums[r.IntN(len(t.Enums))].Name
	case yang.Bits:
		var some []string
		for _, b := range t.BitNames {
			if r.IntN(2) == 0 {
				some = append(some, b.Name)
			}
		}
		r.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
		if broken {
			some = append(some, t.BitNames[0].Name)
		}
		return strings.Join(some, " ")
	case yang.Binary:
		return pick("", "AQ==", "AQID", "AQIDBA==", "AQIDBAU=", "A", "AQ=", "A Q==", "####")
	case yang.IdentityRef:
		var ids []string
		for id := range g.s.Identities() {
			if broken || fits(t, id.Module.Prefix+":"+id.Name, g.s) {
				ids = append(ids, id.Module.Prefix+":"+id.Name)
			}
		}
		if len(ids) == 0 || broken && r.IntN(3) == 0 {
			return "nobody"
		}
		return pick(ids...)
	case yang.Leafref:
		var there []string
		collect(root, t.Path.Target, &there)
		if len(there) > 0 && (!broken || r.IntN(2) == 0) {
			return pick(there...)
		}
		return g.value(root, t.Path.Target.Type, broken)
	case yang.Union:
		return g.value(root, t.Members[r.IntN(len(t.Members))], broken)
	case yang.InstanceIdentifier:
		if m := g.s.Module("references"); m != nil && m.Implemented {
			return pick("/r:host[r:name='a']", "/r:host[r:name='b']/r:peer", "/r:use", "/r:host[r:name='a']/r:ip[.='1.1.1.1']", "/r:host[r:name='a']/r:port[r:slot='1'][r:id='a']",
				"/r:host[1]", "/r:nothing", "/r:host", "r:use", "/use", "/r:host[r:peer='a']")
		}
		if m := g.s.Module("types"); m != nil && m.Implemented {
			return pick("/t:values/t:i8", "/t:values", "/t:values/t:ll[.='5']", "/t:values/t:none", "/q:values", "values", "/t:values/t:ll[1]", "/")
		}
		return pick("/x", "/")
	}
	return "x"
}

func collect(e *el, s *yang.Node, out *[]string) {
	if e.schema == s {
		*out = append(*out, e.text)
	}
	for _, k := range e.kids {
		collect(k, s, out)
	}
}

// fits reports whether a text is a value of a type, prefixes being the modules'
// own.
func fits(t *yang.Type, text string, s *yang.Schema) bool {
	_, err := t.Canonical(text, s, func(prefix string) *yang.Module {
		for _, m := range s.Modules {
			if m.Prefix == prefix {
				return m
			}
		}
		return nil
	})
	return err == nil
}
