// Package modules holds the YANG modules of the server as embedded files: the
// standard ones, whose schema is exactly the published one while their
// descriptions are short and our own, and those of this project, whose names
// begin with incidentd- and whose namespaces with urn:incidentd:yang:.
//
// A file is named MODULE@REVISION.yang, the form of the file names of RFC 7950
// section 5.2. There is one revision of each module, and whatever a module
// imports is here too.
//
// # Concurrency
//
// Everything here is read-only; any number of goroutines may use it.
package modules

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// FS holds the module files, all in its root.
//
//go:embed *.yang
var FS embed.FS

const extension = ".yang"

// Names returns the names of all module files, sorted. The slice is the
// caller's.
func Names() []string {
	// An embedded directory is always readable, and ReadDir sorts it.
	entries, err := FS.ReadDir(".")
	if err != nil {
		panic(fmt.Sprintf("modules: embedded directory: %v", err))
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// Split returns the module and the revision that a file name of the form
// MODULE@REVISION.yang stands for; ok is false for any other name.
func Split(file string) (module, revision string, ok bool) {
	base, isYANG := strings.CutSuffix(file, extension)
	module, revision, hasRevision := strings.Cut(base, "@")
	if !isYANG || !hasRevision || module == "" || revision == "" {
		return "", "", false
	}
	return module, revision, true
}

// Source returns the text of a module, as get-schema sends it [RFC 6022 section
// 3.1]. An empty revision stands for the one that is here. The error for a
// module or a revision that is not here wraps [fs.ErrNotExist]. The slice is the
// caller's.
func Source(module, revision string) ([]byte, error) {
	names := Names()
	i := slices.IndexFunc(names, func(name string) bool {
		m, r, _ := Split(name)
		return m == module && (revision == "" || r == revision)
	})
	if i < 0 {
		return nil, fmt.Errorf("module %q revision %q: %w", module, revision, fs.ErrNotExist)
	}
	return FS.ReadFile(names[i])
}
