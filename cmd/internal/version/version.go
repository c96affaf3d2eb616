// Package version tells which version of the program runs.
package version

import (
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"time"
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

// Date is that of the commit that the program was built from, where the Go toolchain has
// recorded it, else the given time. SOURCE_DATE_EPOCH of the environment comes first, so
// that what is made with a release can be made again.
func Date(otherwise time.Time) time.Time {
	if s, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
		return time.Unix(s, 0).UTC()
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if at, err := time.Parse(time.RFC3339, s.Value); err == nil && s.Key == "vcs.time" {
				return at.UTC()
			}
		}
	}
	return otherwise
}
