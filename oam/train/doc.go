// Package train sends trains of probes and makes figures of what became of them: loss,
// duplicates, reordering, delay, jitter and a verdict. It knows no protocol; the engines
// of those that send probes at an interval are built on it.
package train
