// Command yangc checks YANG modules and draws their trees, with the compiler that
// the server itself uses.
//
//	yangc lint FILE|DIR... [-p DIR]     all faults, each with file, line and reason
//	yangc tree FILE... [-p DIR] [--implemented all]
//	yangc version
//
// Imports are looked for beside the file that has them and then in the folders of
// -p; of several revisions the newest is taken unless the import names one. The
// exit status is 0 for success, 1 for modules with faults and 2 for a command line
// that makes no sense.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"incidentd/cmd/internal/manual"
	"incidentd/cmd/internal/version"
	"incidentd/yang"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

const usage = `yangc checks YANG modules and draws their trees.

  yangc lint FILE|DIR... [-p DIR]...
        tell every fault with file, line and reason
  yangc tree FILE... [-p DIR]... [--implemented all]
        draw the tree of each module [RFC 8340]; --implemented all implements
        the imported modules too, with all their features
  yangc manual
        print this as a page for man
  yangc version
        tell the version

-p names a folder to look for imported modules in, after that of the file itself.
`

// misuse is a command line that makes no sense.
type misuse string

func (m misuse) Error() string { return string(m) }

// run executes a command line and returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	err := dispatch(args, stdout)
	var bad misuse
	switch {
	case err == nil:
		return 0
	case errors.As(err, &bad):
		fmt.Fprintf(stderr, "yangc: %v ('yangc help' shows how it is used)\n", err)
		return 2
	default:
		fmt.Fprintln(stderr, err)
		return 1
	}
}

func dispatch(args []string, stdout io.Writer) error {
	if len(args) == 0 {
		return misuse("a command is missing")
	}
	switch name := args[0]; name {
	case "help", "-h", "--help":
		_, err := io.WriteString(stdout, usage)
		return err
	case "manual":
		return manual.OfHelp("yangc", "checks YANG modules and draws their trees", usage).WriteRoff(stdout, version.Text(), version.Date(time.Now()))
	case "version":
		_, err := fmt.Fprintf(stdout, "yangc %s, %s\n", version.Text(), runtime.Version())
		return err
	case "lint", "tree":
		o, err := parseOptions(name, args[1:])
		if err != nil {
			return err
		}
		if name == "lint" {
			return lint(o)
		}
		return tree(o, stdout)
	default:
		return misuse(fmt.Sprintf("there is no command %q", name))
	}
}

type options struct {
	paths       []string
	search      []string
	implemented string
}

// parseOptions takes flags before, between and after the paths.
func parseOptions(name string, args []string) (options, error) {
	var o options
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Func("p", "folder of imported modules", func(dir string) error {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return fmt.Errorf("%s is no folder", dir)
		}
		o.search = append(o.search, dir)
		return nil
	})
	if name == "tree" {
		set.StringVar(&o.implemented, "implemented", "", "all: imported modules too")
	}
	for len(args) > 0 {
		if err := set.Parse(args); err != nil {
			return o, misuse(err.Error())
		}
		if args = set.Args(); len(args) > 0 {
			o.paths, args = append(o.paths, args[0]), args[1:]
		}
	}
	switch {
	case len(o.paths) == 0:
		return o, misuse(name + " needs a file")
	case o.implemented != "" && o.implemented != "all":
		return o, misuse("--implemented takes nothing but all")
	}
	return o, nil
}

// lint compiles each file on its own with what it imports, and joins the faults.
func lint(o options) error {
	l := newLoader(o.search)
	var files []string
	for _, path := range o.paths {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if !info.IsDir() {
			files = append(files, path)
			continue
		}
		found, err := filepath.Glob(filepath.Join(path, "*.yang"))
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return fmt.Errorf("%s: holds no *.yang file", path)
		}
		files = append(files, found...)
	}
	var faults []string
	for _, file := range files {
		module, texts, err := l.closure(file)
		if err == nil {
			_, err = yang.CompileFiles(texts, yang.Options{Implemented: []string{module}})
		}
		if err == nil {
			continue
		}
		for fault := range strings.SplitSeq(err.Error(), "\n") {
			if !slices.Contains(faults, fault) {
				faults = append(faults, fault)
			}
		}
	}
	if len(faults) > 0 {
		return errors.New(strings.Join(faults, "\n"))
	}
	return nil
}

// tree compiles all files together and draws one after the other.
func tree(o options, stdout io.Writer) error {
	l := newLoader(o.search)
	var names []string
	var texts []yang.File
	for _, path := range o.paths {
		module, more, err := l.closure(path)
		if err != nil {
			return err
		}
		names = append(names, module)
		for _, f := range more {
			if !slices.ContainsFunc(texts, func(g yang.File) bool { return g.Name == f.Name }) {
				texts = append(texts, f)
			}
		}
	}
	settings := yang.Options{Implemented: names, NoImportedFeatures: true}
	if o.implemented == "all" {
		settings = yang.Options{}
	}
	schema, err := yang.CompileFiles(texts, settings)
	if err != nil {
		return err
	}
	for i, name := range names {
		if i > 0 {
			fmt.Fprintln(stdout)
		}
		if err := schema.Module(name).WriteTree(stdout); err != nil {
			return err
		}
	}
	return nil
}

// loader finds the texts of modules.
type loader struct {
	search []string
	texts  map[string][]byte            // by path
	listed map[string]map[string]string // folder, then module with or without @revision, to the path
}

func newLoader(search []string) *loader {
	return &loader{search: search, texts: map[string][]byte{}, listed: map[string]map[string]string{}}
}

func (l *loader) read(path string) ([]byte, error) {
	if text, ok := l.texts[path]; ok {
		return text, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	l.texts[path] = text
	return text, nil
}

// list indexes a folder: name@revision.yang under name@revision, the newest
// revision or name.yang under the name.
func (l *loader) list(dir string) (map[string]string, error) {
	if index := l.listed[dir]; index != nil {
		return index, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	index := map[string]string{}
	for _, e := range entries { // sorted, so that the newest revision comes last
		name, ok := strings.CutSuffix(e.Name(), ".yang")
		if !ok || e.IsDir() {
			continue
		}
		path := filepath.Join(dir, e.Name())
		index[name] = path
		if module, _, dated := strings.Cut(name, "@"); dated {
			index[module] = path
		}
	}
	l.listed[dir] = index
	return index, nil
}

// find returns the path of a module's text, of a revision if one is asked for.
func (l *loader) find(from string, want yang.Dependency) (string, error) {
	for _, dir := range append([]string{filepath.Dir(from)}, l.search...) {
		index, err := l.list(dir)
		if err != nil {
			return "", err
		}
		if want.Revision != "" {
			if path := index[want.Name+"@"+want.Revision]; path != "" {
				return path, nil
			}
		}
		if path := index[want.Name]; path != "" {
			return path, nil
		}
	}
	return "", fs.ErrNotExist
}

// closure returns the name of the module that a file holds, or is a part of, with
// the texts of all that it needs. What is not found is left out: the compiler
// tells where it is missing.
func (l *loader) closure(file string) (module string, texts []yang.File, err error) {
	seen := map[string]bool{}
	revisions := map[string]string{} // what an import asks for goes before the newest
	var visit func(path string, first bool) error
	visit = func(path string, first bool) error {
		text, err := l.read(path)
		if err != nil {
			return err
		}
		f := yang.File{Name: path, Text: text}
		h, err := yang.ReadHeader(f)
		if err != nil {
			return err
		}
		if first {
			if module = h.Name; h.BelongsTo != "" {
				module = h.BelongsTo
			}
		}
		if seen[h.Name] {
			return nil
		}
		seen[h.Name] = true
		texts = append(texts, f)
		for _, d := range h.Needs {
			if d.Revision == "" {
				d.Revision = revisions[d.Name]
			} else {
				revisions[d.Name] = d.Revision
			}
			if found, err := l.find(path, d); err == nil && !seen[d.Name] {
				if err := visit(found, false); err != nil {
					return err
				}
			} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return nil
	}
	err = visit(file, true)
	return module, texts, err
}
