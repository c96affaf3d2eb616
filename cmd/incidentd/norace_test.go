//go:build !race

package main

// littleMemory is too little for the load of TestMemoryGroup, and enough to begin with.
const littleMemory = 160 << 20
