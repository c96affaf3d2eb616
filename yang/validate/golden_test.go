package validate_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
	"incidentd/yang/validate"
	"incidentd/yang/xmltext"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// A golden file has parts that begin with a line of two minus signs and a name:
// the module, the configuration that is there ("old"), the edit, and then what
// comes of it: the rpc-errors one a line, or the new configuration.
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
	s := schema(t, text["module"])
	v := validate.New(s)
	old := data.New(s.Root)
	var out strings.Builder
	out.WriteString(text[""])
	for i, name := range names {
		switch {
		case name == "module":
			out.WriteString("-- module --\n" + text[name])
		case strings.HasPrefix(name, "edit"):
			got := outcome(t, s, v, &old, text[name])
			out.WriteString("-- " + name + " --\n" + text[name] + "-- " + strings.Replace(name, "edit", "outcome", 1) + " --\n" + got)
		case !strings.HasPrefix(name, "outcome") || i == 0:
			t.Fatalf("a part named %q", name)
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

// outcome edits *old and returns what comes of it; a valid result is the new
// *old.
func outcome(t *testing.T, s *yang.Schema, v *validate.Validator, old **data.Node, edit string) string {
	t.Helper()
	d := xmltext.NewDecoder([]byte(`<config xmlns:nc="`+rpcerr.BaseNamespace+`" xmlns:yang="`+rpcerr.YANGNamespace+`">`+edit+`</config>`), xmltext.Limits{})
	if _, err := d.Next(); err != nil {
		t.Fatal(err)
	}
	next, err := func() (*data.Node, error) {
		e, err := (&data.Parser{Schema: s, Edit: true}).Parse(d, s.Root)
		if err != nil {
			return nil, err
		}
		next, err := data.Apply(*old, e, data.MergeOp)
		if err != nil {
			return nil, err
		}
		if next, err = v.Settle(*old, next); err != nil {
			return nil, err
		}
		return next, v.Change(*old, next, true)
	}()
	if err == nil {
		*old = next
		return lines(string(data.AppendChildrenXML(nil, next, "")))
	}
	if whole := next != nil && brief(v.Tree(next, true)) != brief(err); whole {
		t.Errorf("the whole tree has other faults: %v", v.Tree(next, true))
	}
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

// lines breaks XML between elements, those without elements kept whole.
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
			b.WriteString(strings.Repeat("  ", depth) + tag + "\n")
			depth++
			rest = rest[end:]
		}
	}
	return b.String()
}
