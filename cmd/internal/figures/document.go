package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// document is the file, cut into lines.
type document struct {
	lines []string
	rows  []*row
}

// row is a line of a table that a benchmark fills.
type row struct {
	line     int
	measured int // the column that is written
	names    []string
	source   string // package and flags
	units    []string
	planned  bool // its benchmarks run
}

// sourceForm is a cell that says where a figure comes from.
var sourceForm = regexp.MustCompile("^([A-Z][^`]*?) `(\\./[^`]+)`(?:: (.+))?$")

func parse(text string) *document {
	d := &document{lines: strings.Split(text, "\n")}
	measured, benchmark := -1, -1
	for i, line := range d.lines {
		cells, ok := cellsOf(line)
		if !ok {
			measured, benchmark = -1, -1
			continue
		}
		if slices.Contains(cells, "measured") && slices.Contains(cells, "benchmark") {
			measured, benchmark = slices.Index(cells, "measured"), slices.Index(cells, "benchmark")
			continue
		}
		if measured < 0 || len(cells) <= max(measured, benchmark) {
			continue
		}
		m := sourceForm.FindStringSubmatch(cells[benchmark])
		if m == nil {
			continue
		}
		r := &row{line: i, measured: measured, names: split(m[1]), source: m[2], units: []string{"ns/op"}}
		if m[3] != "" {
			r.units = split(m[3])
		}
		d.rows = append(d.rows, r)
	}
	return d
}

func split(list string) []string {
	parts := strings.Split(list, ";")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// cellsOf are the cells of a line of a table.
func cellsOf(line string) ([]string, bool) {
	inner, ok := strings.CutPrefix(strings.TrimSpace(line), "|")
	if !ok {
		return nil, false
	}
	cells := strings.Split(strings.TrimSuffix(inner, "|"), "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells, true
}

// fill writes what was measured into the rows of the benchmarks that ran. A figure that is
// missing is an error, and its row stays as it is.
func (d *document) fill(measured map[string]results) (missing []error) {
	for _, r := range d.rows {
		if !r.planned {
			continue
		}
		got := measured[r.source]
		var texts []string
		absent := false
		for _, name := range r.names {
			values, ok := got[name]
			if !ok {
				absent = true
				missing = append(missing, fmt.Errorf("line %d: %s has no benchmark %s", r.line+1, r.source, name))
				continue
			}
			for _, unit := range r.units {
				v, ok := values[unit]
				if !ok {
					absent = true
					missing = append(missing, fmt.Errorf("line %d: %s measures no %s", r.line+1, name, unit))
					continue
				}
				texts = append(texts, show(v, unit))
			}
		}
		if absent {
			continue
		}
		cells, _ := cellsOf(d.lines[r.line])
		cells[r.measured] = strings.Join(texts, "; ")
		d.lines[r.line] = "| " + strings.Join(cells, " | ") + " |"
	}
	return missing
}

// Markers of the line that tells where it was measured.
const (
	begin = "<!-- figures: begin; written by make bench -->"
	end   = "<!-- figures: end -->"
)

// note writes the text between the markers, if they are there.
func (d *document) note(text string) {
	from, to := slices.Index(d.lines, begin), slices.Index(d.lines, end)
	if from < 0 || to < from {
		return
	}
	shift := 1 - (to - from - 1)
	d.lines = slices.Replace(d.lines, from+1, to, text)
	for _, r := range d.rows {
		if r.line >= to {
			r.line += shift
		}
	}
}

func (d *document) String() string { return strings.Join(d.lines, "\n") }
