// Package archtest holds the shape of the source tree: which way imports may point,
// where each dependency from outside may be used, what the correlator must stay clear
// of, one package document a package, and gofmt. It has tests only. They read the files
// themselves, so that the test cache sees every change.
package archtest
