//go:build race

package netconf_test

// raceEnabled reports whether the race detector watches.
const raceEnabled = true
