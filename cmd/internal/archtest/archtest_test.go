package archtest

import (
	"bytes"
	"go/ast"
	"go/build"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "incidentd"

// source is one Go file.
type source struct {
	file    string // path from the root
	dir     string // its directory, the package
	test    bool
	text    []byte
	ast     *ast.File
	imports []string
	set     *token.FileSet
}

// tree reads every Go file that is built.
func tree(t *testing.T) []source {
	t.Helper()
	root, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		up := filepath.Dir(root)
		if up == root {
			t.Fatal("no go.mod above the test")
		}
		root = up
	}
	var list []source
	set := token.NewFileSet()
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if p != root && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || name == "bin" || name == "demo-data") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		if ok, err := build.Default.MatchFile(filepath.Dir(p), name); err != nil || !ok {
			return err
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(set, p, text, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		s := source{
			file: filepath.ToSlash(rel), dir: path.Dir(filepath.ToSlash(rel)),
			test: strings.HasSuffix(name, "_test.go"), text: text, ast: f, set: set,
		}
		for _, i := range f.Imports {
			v, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			s.imports = append(s.imports, v)
		}
		list = append(list, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 20 {
		t.Fatalf("only %d Go files found under %s", len(list), root)
	}
	return list
}

// steps is the staircase: a folder may import those of greater number, and itself.
var steps = map[string]int{"cmd": 0, "incident": 1, "oam": 2, "netconf": 3, "datastore": 4, "schedule": 4, "yang": 5}

func TestStaircase(t *testing.T) {
	for _, s := range tree(t) {
		top, _, _ := strings.Cut(s.dir, "/")
		level, ok := steps[top]
		if !ok {
			t.Errorf("%s: the folder %q is not in the design", s.file, top)
			continue
		}
		for _, i := range s.imports {
			rest, own := strings.CutPrefix(i, module+"/")
			if !own {
				continue
			}
			to, _, _ := strings.Cut(rest, "/")
			if to != top && steps[to] <= level {
				t.Errorf("%s imports %s: that arrow points up", s.file, i)
			}
		}
	}
}

// forbidden are arrows that the staircase alone would allow. They bind the package and,
// where its name ends in "/...", those below it. Tests are free, except where a rule
// says otherwise.
var forbidden = []struct{ from, to, why string }{
	{"yang/rpcerr", module + "/...", "every package above uses it, so it rests on nothing"},
	{"yang/xmltext", module + "/yang/data", "it reads and writes characters and knows no tree"},
	{"yang/xpath", module + "/yang", "it works on any tree that implements its Node"},
	{"yang/xpath", module + "/yang/data", "it works on any tree that implements its Node"},
	{"yang", module + "/yang/data", "the schema does not know its instances"},
	{"datastore/kv", module + "/...", "the store holds bytes, whatever they mean"},
	{"netconf/transport", module + "/...", "framing and SSH carry messages and never look inside"},
	{"netconf/client", module + "/netconf/ops", "a client knows the server by its wire alone"},
	{"netconf/client", module + "/datastore/...", "a client knows the server by its wire alone"},
	{"incident/event", module + "/...", "it is the word that sources, correlator and tools share"},
	{"incident/topology", module + "/datastore/...", "the index is made of what it is given"},
	{"incident/topology", module + "/netconf/...", "the index is made of what it is given"},
	{"incident/ingest/mapping", module + "/datastore/...", "a mapper is made of a tree, and knows no store"},
	{"incident", module + "/incident/ingest/...", "sources bring events to the manager, which does not know them"},
	{"incident", module + "/incident/resolve", "who resolves incidents works on the manager, which does not know him"},
	{"incident/resolve", module + "/incident/correlate", "it knows incidents as their entries tell them"},
	{"incident", module + "/incident/diagnose/...", "diagnoses are written into incidents, which do not know them"},
	{"incident/diagnose", module + "/oam/socket", "tests are run by the manager of tests, which holds them back"},
	{"incident/diagnose", module + "/oam/icmp", "tests are run by the manager, whatever their engines"},
	{"incident/diagnose", module + "/oam/path", "tests are run by the manager, whatever their engines"},
	{"incident/correlate", module + "/datastore/...", "the correlator is a pure function"},
	{"incident/correlate", module + "/netconf/...", "the correlator is a pure function"},
	{"incident/correlate", module + "/yang/...", "the correlator knows native types only; trees are converted at the edge"},
	{"incident/correlate", "math/rand", "the same input gives the same incidents"},
	{"incident/correlate", "math/rand/v2", "the same input gives the same incidents"},
	{"incident/correlate", "net", "the correlator is a pure function"},
	{"incident/correlate", "log/slog", "decisions carry their reasons; nothing is logged"},
	{"incident/correlate", "sync", "one engine, one goroutine, no locks"},
	{"incident/correlate", "sync/atomic", "one engine, one goroutine, no locks"},
	{"schedule", module + "/datastore/...", "schedules are arithmetic; whoever uses them stores what is to be stored"},
	{"schedule", "log/slog", "schedules are arithmetic; their errors are returned"},
	{"oam/app", module + "/datastore/...", "an engine measures, and knows no store"},
	{"oam/bfd", module + "/datastore/...", "an engine measures, and knows no store"},
	{"oam/cfm", module + "/datastore/...", "an engine measures, and knows no store"},
	{"oam/icmp", module + "/datastore/...", "an engine measures, and knows no store"},
	{"oam/path", module + "/datastore/...", "an engine measures, and knows no store"},
	{"oam/stamp", module + "/datastore/...", "an engine measures, and knows no store"},
	{"oam/plot", module + "/...", "the server and its clients share it, so it rests on nothing"},
	{"oam/report", module + "/datastore/...", "a certificate is made of what it is given"},
	{"oam", module + "/oam/...", "engines are handed to the manager, which does not know them"},
	{"cmd/internal/load", module + "/cmd/internal/server", "it knows servers by their wire alone, whose ever they are"},
	{"cmd/internal/load", module + "/datastore/...", "it knows servers by their wire alone, whose ever they are"},
	{"cmd/incctl", module + "/oam", "the operator's client knows the server by its wire alone"},
	{"cmd/incctl", module + "/datastore/...", "the operator's client knows the server by its wire alone"},
	{"cmd/incctl", module + "/incident", "the operator's client knows the server by its wire alone"},
	{"cmd/incctl", module + "/incident/correlate", "the operator's client knows the server by its wire alone"},
	{"cmd/incctl", module + "/cmd/internal/server", "the operator's client knows the server by its wire alone"},
}

// matches reports whether a package is meant by a pattern.
func matches(pattern, pkg string) bool {
	if tree, ok := strings.CutSuffix(pattern, "/..."); ok {
		return pkg == tree || strings.HasPrefix(pkg, tree+"/")
	}
	return pkg == pattern
}

// below are packages that a rule on everything of the module leaves out: those under
// the package itself.
func below(from, pkg string) bool { return strings.HasPrefix(pkg, module+"/"+from+"/") }

func TestArrows(t *testing.T) {
	files := tree(t)
	for _, r := range forbidden {
		for _, s := range files {
			if s.test || !matches(r.from, s.dir) {
				continue
			}
			for _, i := range s.imports {
				if matches(r.to, i) && !below(r.from, i) {
					t.Errorf("%s imports %s: %s", s.file, i, r.why)
				}
			}
		}
	}
}

// dependencies are the modules from outside, each in its place.
var dependencies = []struct {
	module string
	in     []string // packages; none means tests only
	why    string
}{
	{"go.etcd.io/bbolt", []string{"datastore/kv"}, "the store behind kv"},
	{"github.com/openconfig/goyang", []string{"yang"}, "the parser to raw statements; everything above it is ours"},
	{"golang.org/x/crypto", []string{"netconf/...", "cmd/..."}, "SSH: the transport, login, the client and the keys that commands read"},
	{"github.com/gosnmp/gosnmp", []string{"incident/ingest/snmp"}, "the messages of SNMP, with the User-based Security Model"},
	{"github.com/twmb/franz-go", []string{"incident/ingest/kafka"}, "the protocol of Kafka, with groups of consumers"},
	{"github.com/miekg/dns", []string{"oam/app"}, "the messages of DNS, of all types of records"},
	{"golang.org/x/sys", []string{"oam/socket", "oam/stamp", "oam/testnet"}, "what sockets, namespaces and TUN devices of Linux need beyond package syscall"},
	{"golang.org/x/term", []string{"cmd/incctl/...", "cmd/incidentd"}, "the width and the modes of a terminal, and a password without echo"},
	{"github.com/go-crypt/crypt", []string{"netconf/auth"}, "crypt-hash of RFC 7317"},
	{"github.com/prometheus/client_golang", []string{"cmd/internal/monitor"}, "the exposition format of Prometheus, and figures of the runtime"},
	{"github.com/KimMachineGun/automemlimit", []string{"cmd/incidentd"}, "the memory limit of control groups of both versions, for the garbage collector"},
	{"github.com/beevik/etree", []string{"netconf/client", "cmd/incctl/...", "cmd/internal/soak"}, "documents on the client's side, off the hot path"},
	{"github.com/alecthomas/kong", []string{"cmd/incctl"}, "incctl's command line"},
	{"github.com/reeflective/readline", []string{"cmd/incctl/internal/lineedit"}, "the line editor of incctl shell"},
	{"github.com/creack/pty", nil, "a terminal for the test of incctl shell"},
	{"github.com/leodido/go-syslog/v4", nil, "what our parser of syslog has to agree with, in a test"},
	{"github.com/Juniper/go-netconf", nil, "a foreign client, in the interoperation test"},
	{"github.com/google/go-cmp", nil, "differences in tests"},
	{"pgregory.net/rapid", nil, "property tests"},
}

func TestDependencies(t *testing.T) {
	for _, s := range tree(t) {
		for _, i := range s.imports {
			first, _, _ := strings.Cut(i, "/")
			if !strings.Contains(first, ".") {
				continue // the standard library, or ours
			}
			known := false
			for _, d := range dependencies {
				if i != d.module && !strings.HasPrefix(i, d.module+"/") {
					continue
				}
				known = true
				if !s.test && !slices.ContainsFunc(d.in, func(p string) bool { return matches(p, s.dir) }) && !testSupport(s.dir) {
					t.Errorf("%s imports %s, which belongs into %v: %s", s.file, i, d.in, d.why)
				}
			}
			if !known {
				t.Errorf("%s imports %s, which is no dependency of ours", s.file, i)
			}
		}
	}
}

// testSupport reports whether a package exists for tests alone, as testing/iotest does.
func testSupport(dir string) bool { return strings.HasSuffix(path.Base(dir), "test") }

// The correlator has no clock but that of its events, and no goroutine.
func TestCorrelatorIsPure(t *testing.T) {
	for _, s := range tree(t) {
		if s.test || s.dir != "incident/correlate" {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: a goroutine in the correlator", s.set.Position(n.Pos()))
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" &&
					slices.Contains([]string{"Now", "Since", "Until", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick", "Sleep"}, n.Sel.Name) {
					t.Errorf("%s: time.%s in the correlator, whose clock is that of the events", s.set.Position(n.Pos()), n.Sel.Name)
				}
			}
			return true
		})
	}
}

func TestOnePackageDocument(t *testing.T) {
	documents := map[string][]string{}
	for _, s := range tree(t) {
		if s.test {
			continue
		}
		if _, ok := documents[s.dir]; !ok {
			documents[s.dir] = nil
		}
		if s.ast.Doc != nil && strings.TrimSpace(s.ast.Doc.Text()) != "" {
			documents[s.dir] = append(documents[s.dir], s.file)
			first := "Package " + s.ast.Name.Name + " "
			if s.ast.Name.Name == "main" {
				first = "Command " + path.Base(s.dir) + " "
			}
			if !strings.HasPrefix(s.ast.Doc.Text(), first) {
				t.Errorf("%s: the package document does not begin with %q", s.file, first)
			}
		}
	}
	for dir, files := range documents {
		if len(files) != 1 {
			t.Errorf("%s has %d package documents %v, it needs one", dir, len(files), files)
		}
	}
}

func TestFormat(t *testing.T) {
	for _, s := range tree(t) {
		want, err := format.Source(s.text)
		if err != nil {
			t.Errorf("%s: %v", s.file, err)
			continue
		}
		if !bytes.Equal(s.text, want) {
			t.Errorf("%s is not as gofmt would have it", s.file)
		}
	}
}
