package main

import (
	"bufio"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// run is one go test: the benchmarks of a package with the same flags.
type run struct {
	source string
	names  []string
}

// plan collects the runs of the rows that are wanted, each source once, in the order of the document.
func plan(rows []*row, wanted func(name, source string) bool) []*run {
	var list []*run
	for _, r := range rows {
		if !slices.ContainsFunc(r.names, func(name string) bool { return wanted(name, r.source) }) {
			continue
		}
		r.planned = true
		i := slices.IndexFunc(list, func(o *run) bool { return o.source == r.source })
		if i < 0 {
			i, list = len(list), append(list, &run{source: r.source})
		}
		for _, name := range r.names { // all of a row, or its cell would be half old
			if !slices.Contains(list[i].names, name) {
				list[i].names = append(list[i].names, name)
			}
		}
	}
	return list
}

// args are those of go.
func (r *run) args() []string {
	words := strings.Fields(r.source)
	var patterns []string
	for _, name := range r.names {
		levels := strings.Split(name, "/")
		for i, level := range levels {
			levels[i] = "^" + regexp.QuoteMeta(level) + "$"
		}
		levels[0] = "^Benchmark" + levels[0][1:]
		patterns = append(patterns, strings.Join(levels, "/"))
	}
	args := []string{"test", "-run", "^$", "-bench", strings.Join(patterns, "|"), "-timeout", "60m"}
	return append(append(args, words[1:]...), words[0])
}

// results are the figures of benchmarks, by name and unit.
type results map[string]map[string]float64

// parseResults reads what go test prints. The number of processors behind a name is left
// out; where a benchmark ran several times the last counts.
func parseResults(text string) results {
	out := results{}
	for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
		fields := strings.Fields(s.Text())
		if len(fields) < 4 {
			continue
		}
		name, ok := strings.CutPrefix(fields[0], "Benchmark")
		if _, err := strconv.Atoi(fields[1]); !ok || err != nil {
			continue
		}
		values := map[string]float64{}
		for i := 2; i+1 < len(fields); i += 2 {
			v, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				break
			}
			values[fields[i+1]] = v
		}
		out[name] = values
		if at := strings.LastIndexByte(name, '-'); at > 0 {
			if _, err := strconv.Atoi(name[at+1:]); err == nil {
				out[name[:at]] = values
			}
		}
	}
	return out
}
