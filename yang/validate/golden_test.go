package validate_test

import (
	"flag"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/modules"
	"incidentd/yang/rpcerr"
	"incidentd/yang/validate"
	"incidentd/yang/xmltext"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// A golden file has parts that begin with a line of two minus signs and a name:
// the modules ("module", and others as "module other"; or "embedded", those of
// incidentd itself; "features" names those of a module that are on), then edits of what is there ("edit: why"), each followed by its
// outcome: the rpc-errors, or the new configuration. "data" is a whole datastore with
// state, "rpc", "action" and "notification" are what RFC 7950 calls so, and their
// outcome is what was understood of them; what they refer to is the configuration of
// the edits before.
func parts(t *testing.T, file string) (names []string, text map[string]string) {
	t.Helper()
	in, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text = map[string]string{}
	name := ""
	for line := range strings.Lines(string(in)) {
		if n, ok := strings.CutPrefix(line, "-- "); ok {
			name = strings.TrimSuffix(strings.TrimSpace(n), " --")
			names = append(names, name)
			continue
		}
		text[name] += line
	}
	return names, text
}

// TestGolden has one file for each error of RFC 7950 section 15 (section15), and
// files in the spirit of its sections 7 and 9 (instances): edits of small modules
// and their outcome as a peer sees it.
func TestGolden(t *testing.T) {
	for _, dir := range []string{"section15", "instances"} {
		files, err := filepath.Glob("testdata/" + dir + "/*.txt")
		if err != nil || len(files) == 0 {
			t.Fatalf("no golden files in %s (%v)", dir, err)
		}
		for _, file := range files {
			t.Run(dir+"/"+strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { golden(t, file) })
		}
	}
}

func golden(t *testing.T, file string) {
	names, text := parts(t, file)
	s := schemaOf(t, names, text)
	v := validate.New(s)
	old := data.New(s.Root)
	var out strings.Builder
	out.WriteString(text[""])
	for i, name := range names {
		switch {
		case isSchema(name):
			out.WriteString("-- " + name + " --\n" + text[name])
		case strings.HasPrefix(name, "outcome") && i > 0:
		default:
			kind, why, _ := strings.Cut(name, ":")
			play := plays[kind]
			if play == nil {
				t.Fatalf("a part named %q", name)
			}
			next, err := play(s, v, old, text[name])
			out.WriteString("-- " + name + " --\n" + text[name] + "-- outcome:" + why + " --\n")
			if err != nil {
				out.WriteString(faults(t, err))
				continue
			}
			out.WriteString(lines(string(data.AppendChildrenXML(nil, next, ""))))
			if kind == "edit" {
				old = next
			}
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func isSchema(part string) bool {
	return part == "embedded" || part == "features" || part == "module" || strings.HasPrefix(part, "module ")
}

func schemaOf(t *testing.T, names []string, text map[string]string) *yang.Schema {
	t.Helper()
	files := fstest.MapFS{}
	for _, name := range names {
		if strings.HasPrefix(name, "module") {
			files[strings.ReplaceAll(name, " ", "-")+".yang"] = &fstest.MapFile{Data: []byte(text[name])}
		}
	}
	var from fs.FS = files
	if slices.Contains(names, "embedded") {
		from = modules.FS
	}
	features := map[string][]string{}
	for line := range strings.Lines(text["features"]) {
		words := strings.Fields(line)
		features[words[0]] = words[1:]
	}
	s, err := yang.Compile(from, yang.Options{Features: features})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// plays are what the parts of a golden file do to a valid configuration.
var plays = map[string]func(s *yang.Schema, v *validate.Validator, old *data.Node, text string) (*data.Node, error){
	"edit":         edit,
	"data":         whole,
	"rpc":          message(yang.RPC),
	"action":       message(yang.Action),
	"notification": message(yang.Notification),
}

// edit is the configuration after an edit; what is valid by the change is valid as a
// whole, and the other way round.
func edit(s *yang.Schema, v *validate.Validator, old *data.Node, text string) (*data.Node, error) {
	e, err := (&data.Parser{Schema: s, Edit: true}).Parse(within(text), s.Root)
	if err != nil {
		return nil, err
	}
	next, err := data.Apply(old, e, data.MergeOp)
	if err != nil {
		return nil, err
	}
	if next, err = v.Settle(old, next); err != nil {
		return nil, err
	}
	err = v.Change(old, next, true)
	if all := v.Tree(next, true); brief(all) != brief(err) {
		return nil, fmt.Errorf("the change has the faults %v, the whole tree has %v", err, all)
	}
	return next, err
}

func whole(s *yang.Schema, v *validate.Validator, _ *data.Node, text string) (*data.Node, error) {
	n, err := (&data.Parser{Schema: s, State: true}).Parse(within(text), s.Root)
	if err != nil {
		return nil, err
	}
	return n, v.Tree(n, false)
}

// within is a decoder at the content of an element with the usual prefixes.
func within(text string) *xmltext.Decoder {
	return xmltext.Raw{Content: []byte(text), Bindings: []xmltext.Binding{
		{Prefix: "nc", Space: rpcerr.BaseNamespace}, {Prefix: "yang", Space: rpcerr.YANGNamespace}}}.Decoder(xmltext.Limits{})
}

// message reads what is no datastore's data: the only element of a text names an
// operation or notification of a kind, wherever in the schema it stands.
func message(kind yang.Kind) func(s *yang.Schema, v *validate.Validator, old *data.Node, text string) (*data.Node, error) {
	return func(s *yang.Schema, v *validate.Validator, old *data.Node, text string) (*data.Node, error) {
		d := within(strings.TrimSpace(text))
		t, err := d.Next()
		if err != nil {
			return nil, err
		}
		n := operation(s, kind, t.Space, t.Local)
		if n == nil {
			return nil, rpcerr.UnknownElement(t.Local, "there is no %s %q", kind, t.Local)
		}
		if kind != yang.Notification {
			n = n.Children[slices.IndexFunc(n.Children, func(c *yang.Node) bool { return c.Kind == yang.Input })]
		}
		in, err := (&data.Parser{Schema: s, State: true}).Parse(d, n)
		if err != nil {
			return nil, err
		}
		return in, v.Input(in, old)
	}
}

// operation finds an rpc, action or notification by name, nil without one.
func operation(s *yang.Schema, kind yang.Kind, space, local string) (found *yang.Node) {
	look := func(list iter.Seq[*yang.Node]) {
		for n := range list {
			if n.Kind == kind && n.Module.Namespace == space && n.Name == local {
				found = n
			}
		}
	}
	look(s.RPCs())
	look(s.Notifications())
	var down func(n *yang.Node)
	down = func(n *yang.Node) {
		look(slices.Values(n.Operations))
		for _, c := range n.Children {
			down(c)
		}
	}
	down(s.Root)
	return found
}

// faults are the rpc-errors of an error.
func faults(t *testing.T, err error) string {
	t.Helper()
	list, known := rpcerr.List(err)
	if !known {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range list {
		b.WriteString(lines(string(e.AppendXML(nil))))
	}
	return b.String()
}

// lines breaks XML between elements, those without elements kept whole; mixed content
// stays as it is.
func lines(xml string) string {
	var b strings.Builder
	depth := 0
	for rest := xml; rest != ""; {
		end := strings.IndexByte(rest, '>') + 1
		tag := rest[:end]
		switch {
		case strings.HasPrefix(tag, "</"):
			depth--
			b.WriteString(strings.Repeat("  ", depth) + tag + "\n")
			rest = rest[end:]
		case strings.HasSuffix(tag, "/>"):
			b.WriteString(strings.Repeat("  ", depth) + tag + "\n")
			rest = rest[end:]
		default:
			next := end + strings.IndexByte(rest[end:], '<')
			if strings.HasPrefix(rest[next:], "</") { // a value
				stop := next + strings.IndexByte(rest[next:], '>') + 1
				b.WriteString(strings.Repeat("  ", depth) + rest[:stop] + "\n")
				rest = rest[stop:]
				continue
			}
			b.WriteString(strings.Repeat("  ", depth) + tag)
			if next > end {
				b.WriteString(rest[end:] + "\n")
				return b.String()
			}
			b.WriteString("\n")
			depth++
			rest = rest[end:]
		}
	}
	return b.String()
}
