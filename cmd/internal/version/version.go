// Package version tells which version of the program runs.
package version

import (
	"runtime/debug"
	"sync"
)

// release is the version of a release; the Makefile sets it by the linker when it builds
// one.
var release string

// Text is the version: that of a release, else what the Go toolchain has recorded, with the
// revision where it knows it.
var Text = sync.OnceValue(func() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v += " (" + s.Value + ")"
		}
	}
	return v
})
