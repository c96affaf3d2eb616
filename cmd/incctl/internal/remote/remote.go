// Package remote is the schema of a server, as the server itself tells it: its YANG
// library [RFC 8525] says which modules and features it has, and get-schema [RFC 6022
// section 3.1] gives their texts.
//
// The texts are kept in a folder of the user's cache, one folder below it for each
// server and content-id, so that they are fetched once as long as the server has the
// same modules. A folder that does not compile is fetched again.
package remote

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/beevik/etree"

	"incidentd/netconf/client"
	"incidentd/yang"
)

const (
	libraryNamespace = "urn:ietf:params:xml:ns:yang:ietf-yang-library"
	library10        = "urn:ietf:params:netconf:capability:yang-library:1.0"
	library11        = "urn:ietf:params:netconf:capability:yang-library:1.1"

	// indexFile names what a folder holds.
	indexFile = "index.json"
	// keep is how long a folder is kept after it was fetched.
	keep = 90 * 24 * time.Hour
	// atOnce is how many texts are asked for before the first has come.
	atOnce = 8
)

// ErrNoLibrary is a server that does not tell its modules.
var ErrNoLibrary = errors.New("the server has no YANG library")

// Cache is a folder of schemas. Its zero value keeps nothing.
type Cache struct{ Dir string }

// index is what a YANG library says of the modules to compile.
type index struct {
	Server      string              `json:"server"`
	ContentID   string              `json:"content-id"`
	Implemented []string            `json:"implemented"`
	Features    map[string][]string `json:"features"`
	Files       []module            `json:"files"`
}

// module is a module or submodule to fetch.
type module struct {
	Name     string `json:"name"`
	Revision string `json:"revision,omitempty"`
}

func (m module) file() string {
	if m.Revision == "" {
		return m.Name + ".yang"
	}
	return m.Name + "@" + m.Revision + ".yang"
}

// Schema returns the schema of the server that a session is with. server is its address.
func (c Cache) Schema(ctx context.Context, cl *client.Client, server string) (*yang.Schema, error) {
	id := contentID(cl.Capabilities())
	dir := ""
	if c.Dir != "" && id != "" {
		sum := sha256.Sum256([]byte(server + "\x00" + id))
		dir = filepath.Join(c.Dir, hex.EncodeToString(sum[:12]))
		if s, err := load(dir); err == nil {
			return s, nil
		}
	}
	x, err := library(ctx, cl)
	if err != nil {
		return nil, err
	}
	x.Server, x.ContentID = server, id
	files, err := texts(ctx, cl, x.Files)
	if err != nil {
		return nil, err
	}
	s, err := compile(x, files)
	if err != nil {
		return nil, fmt.Errorf("the server's modules do not compile: %w", err)
	}
	if dir != "" {
		// A cache that cannot be written costs time, nothing else.
		_ = save(dir, x, files)
		prune(c.Dir)
	}
	return s, nil
}

func compile(x *index, files []yang.File) (*yang.Schema, error) {
	return yang.CompileFiles(files, yang.Options{Implemented: x.Implemented, Features: x.Features})
}

// contentID is what changes when the modules do: the parameter of the capability
// yang-library, in its newer or older form.
func contentID(capabilities []string) string {
	for _, c := range capabilities {
		name, parameters, _ := strings.Cut(c, "?")
		if name != library10 && name != library11 {
			continue
		}
		values, err := url.ParseQuery(parameters)
		if err != nil {
			continue
		}
		for _, key := range []string{"content-id", "module-set-id"} {
			if id := values.Get(key); id != "" {
				return id
			}
		}
	}
	return ""
}

// load compiles a folder.
func load(dir string) (*yang.Schema, error) {
	text, err := os.ReadFile(filepath.Join(dir, indexFile))
	if err != nil {
		return nil, err
	}
	var x index
	if err := json.Unmarshal(text, &x); err != nil {
		return nil, err
	}
	files := make([]yang.File, len(x.Files))
	for i, m := range x.Files {
		if err := m.check(); err != nil {
			return nil, err
		}
		files[i].Name = m.file()
		if files[i].Text, err = os.ReadFile(filepath.Join(dir, m.file())); err != nil {
			return nil, err
		}
	}
	return compile(&x, files)
}

// save writes a folder in one step, so that another incctl never finds half of one.
func save(dir string, x *index, files []yang.File) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return err
	}
	made, err := os.MkdirTemp(filepath.Dir(dir), "new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(made)
	text, err := json.MarshalIndent(x, "", "  ")
	if err != nil {
		return err
	}
	for _, f := range append([]yang.File{{Name: indexFile, Text: text}}, files...) {
		if err := os.WriteFile(filepath.Join(made, f.Name), f.Text, 0o600); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.Rename(made, dir)
}

// prune removes the folders that are old.
func prune(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // there is nothing to remove
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && e.IsDir() && time.Since(info.ModTime()) > keep {
			_ = os.RemoveAll(filepath.Join(dir, e.Name())) // the next time, then
		}
	}
}

// Names from a server become names of files: nothing else than YANG's identifiers and
// dates is let in.
var (
	identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,127}$`)
	revision   = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})?$`)
)

func (m module) check() error {
	if !identifier.MatchString(m.Name) || !revision.MatchString(m.Revision) {
		return fmt.Errorf("the YANG library names a module %.80q of the revision %.20q", m.Name, m.Revision)
	}
	return nil
}

// library reads the YANG library, of RFC 8525 or else of RFC 7895.
func library(ctx context.Context, cl *client.Client) (*index, error) {
	r, err := cl.Get(ctx, client.Subtree(`<yang-library xmlns="`+libraryNamespace+`"/><modules-state xmlns="`+libraryNamespace+`"/>`))
	if err != nil {
		return nil, fmt.Errorf("reading the YANG library: %w", err)
	}
	data, err := r.Data()
	if err != nil {
		return nil, err
	}
	x := &index{Features: map[string][]string{}}
	seen := map[module]bool{}
	add := func(e *etree.Element, implemented bool) {
		m := module{text(e, "name"), text(e, "revision")}
		if implemented && x.Features[m.Name] == nil {
			x.Implemented = append(x.Implemented, m.Name)
			// None is none: a module without an entry would have all its features.
			x.Features[m.Name] = []string{}
			for _, f := range e.SelectElements("feature") {
				x.Features[m.Name] = append(x.Features[m.Name], strings.TrimSpace(f.Text()))
			}
		}
		for _, m := range append([]module{m}, submodules(e)...) {
			if !seen[m] {
				seen[m] = true
				x.Files = append(x.Files, m)
			}
		}
	}
	if top := data.SelectElement("yang-library"); top != nil {
		for _, set := range top.SelectElements("module-set") {
			for _, e := range set.SelectElements("module") {
				add(e, true)
			}
			for _, e := range set.SelectElements("import-only-module") {
				add(e, false)
			}
		}
	} else if top := data.SelectElement("modules-state"); top != nil {
		for _, e := range top.SelectElements("module") {
			add(e, text(e, "conformance-type") == "implement")
		}
	}
	if len(x.Files) == 0 {
		return nil, ErrNoLibrary
	}
	for _, m := range x.Files {
		if err := m.check(); err != nil {
			return nil, err
		}
	}
	return x, nil
}

func submodules(e *etree.Element) (list []module) {
	for _, s := range e.SelectElements("submodule") {
		list = append(list, module{text(s, "name"), text(s, "revision")})
	}
	return list
}

func text(e *etree.Element, name string) string {
	if c := e.SelectElement(name); c != nil {
		return strings.TrimSpace(c.Text())
	}
	return ""
}

// texts fetches modules, several at once.
func texts(ctx context.Context, cl *client.Client, modules []module) ([]yang.File, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	files := make([]yang.File, len(modules))
	turn := make(chan struct{}, atOnce)
	var fetching sync.WaitGroup
	for i, m := range modules {
		fetching.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			source, err := cl.GetSchema(ctx, m.Name, m.Revision, "yang")
			if err != nil {
				cancel(fmt.Errorf("the module %s: %w", m.Name, err))
			}
			files[i] = yang.File{Name: m.file(), Text: []byte(source)}
		})
	}
	fetching.Wait()
	return files, context.Cause(ctx)
}
