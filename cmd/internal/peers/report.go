package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"time"

	"incidentd/cmd/internal/load"
)

// report is the table in Markdown.
func report(table []row, machine string, now time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured on %s on %s; servers and clients shared the cores. What is quoted of Netopeer2 2.7.0 and netconfd was measured\n", now.Format(time.DateOnly), machine)
	b.WriteString("with another generator on another machine of two cores; the targets stand beside it.\n\n")
	b.WriteString("| workload | Netopeer2, quoted | netconfd, quoted | netconfd 2.13 here | incidentd here | rate / CPU time against netconfd | target |\n")
	b.WriteString("| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, r := range table {
		if r.ours == nil {
			continue
		}
		target := r.target
		if r.ratio > 0 {
			target = fmt.Sprintf("%s x: %s", load.Number(r.ratio), r.target)
			target = strings.Replace(target, ".0 x", " x", 1)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", r.what, r.netopeer2, r.netconfd, cell(r.theirs), cell(r.ours), r.against(), target)
	}
	return b.String()
}

// cell is what was measured, in few words.
func cell(r *load.Result) string {
	switch {
	case r == nil:
		return "–"
	case r.Failed != "":
		return "fails: " + oneLine(r.Failed)
	case r.Skipped != "":
		return oneLine(r.Skipped)
	case r.Workload == "notify":
		return fmt.Sprintf("%s/s, median %s%s", load.Number(r.Rate), load.Milliseconds(r.P50), beside(r))
	case r.Workload == "connect":
		return fmt.Sprintf("%s/s, %s CPU%s", load.Number(r.Rate), load.Milliseconds(r.CPU), beside(r))
	case r.Finding != "":
		return oneLine(r.Finding)
	case r.Workload == "get-all":
		return fmt.Sprintf("%s MB/s", load.Number(r.BytesPerSecond/1e6))
	case r.Workload == "load":
		return fmt.Sprintf("%s/s", load.Number(r.Rate))
	}
	return fmt.Sprintf("%s/s, %s CPU", load.Number(r.Rate), load.Milliseconds(r.CPU))
}

// beside is what a workload says in words beside its figures.
func beside(r *load.Result) string {
	if r.Finding == "" {
		return ""
	}
	return "; " + oneLine(r.Finding)
}

func oneLine(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", "/")
}

// against is how our figures are to netconfd's.
func (r *row) against() string {
	if r.theirs == nil || len(r.ours.Runs) == 0 || len(r.theirs.Runs) == 0 || r.ours.Workload == "slow-reader" {
		return ""
	}
	rate, was := r.ours.Rate, r.theirs.Rate
	if r.ours.Workload == "get-all" { // the servers indent differently
		rate, was = r.ours.BytesPerSecond, r.theirs.BytesPerSecond
	}
	text := load.Number(rate/was) + " x"
	if r.ours.CPU > 0 {
		text += " / 1:" + load.Number(r.theirs.CPU/r.ours.CPU)
	}
	return text
}

// jsonRow is a row for programs.
type jsonRow struct {
	What     string       `json:"what"`
	Ours     *load.Result `json:"incidentd,omitempty"`
	Netconfd *load.Result `json:"netconfd,omitempty"`
}

func jsonRows(table []row) (list []jsonRow) {
	for _, r := range table {
		if r.ours != nil {
			list = append(list, jsonRow{r.what, r.ours, r.theirs})
		}
	}
	return list
}

// Markers of the part of a document that is written anew.
const (
	begin = "<!-- peers: begin; written by make bench-peers -->\n"
	stop  = "<!-- peers: end -->\n"
)

// replaceBetween writes the text between the markers of a file.
func replaceBetween(file, text string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, ok := bytes.Cut(old, []byte(begin))
	if !ok {
		return fmt.Errorf("%s has no line %q", file, strings.TrimSpace(begin))
	}
	_, after, ok := bytes.Cut(rest, []byte(stop))
	if !ok {
		return fmt.Errorf("%s has no line %q", file, strings.TrimSpace(stop))
	}
	all := append([]byte{}, before...)
	all = append(all, begin+text+stop...)
	return os.WriteFile(file, append(all, after...), 0o644)
}
