//go:build race

package main

// littleMemory is too little for the load of TestMemoryGroup, and enough to begin with. The race
// detector takes several times as much.
const littleMemory = 768 << 20
