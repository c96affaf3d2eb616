package main

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sample = `# Figures

<!-- figures: begin; written by make bench -->
old
lines
<!-- figures: end -->

Prose with a | in it.

| what | target | measured | benchmark |
| --- | --- | --- | --- |
| one edit | 1 ms | old | EditOne/1000; EditOne/100000 ` + "`./datastore`" + ` |
| by hand | | 7 | counted in the table |
| delays | | old | OnChange ` + "`./netconf/push -benchtime 1x`" + `: p50-us; p99-us |
| gone | | kept | Gone ` + "`./datastore`" + ` |

| score | measured |
| --- | --- |
| kept | 1 |
`

func TestFill(t *testing.T) {
	doc := parse(sample)
	runs := plan(doc.rows, func(string, string) bool { return true })
	var commands []string
	for _, r := range runs {
		commands = append(commands, strings.Join(r.args(), " "))
	}
	want := []string{
		"test -run ^$ -bench ^BenchmarkEditOne$/^1000$|^BenchmarkEditOne$/^100000$|^BenchmarkGone$ -timeout 60m ./datastore",
		"test -run ^$ -bench ^BenchmarkOnChange$ -timeout 60m -benchtime 1x ./netconf/push",
	}
	if diff := cmp.Diff(want, commands); diff != "" {
		t.Error(diff)
	}
	doc.note("new")
	missing := doc.fill(map[string]results{
		"./datastore":                  parseResults("goos: linux\nBenchmarkEditOne/1000-2 \t 3000\t 481234 ns/op\t 12 B/op\nBenchmarkEditOne/100000-2 1 2e+06 ns/op\nPASS\n"),
		"./netconf/push -benchtime 1x": parseResults("BenchmarkOnChange 5 7.2e6 ns/op 1200 p50-us 14000 p99-us\n"),
	})
	if err := errors.Join(missing...); err == nil || err.Error() != "line 14: ./datastore has no benchmark Gone" {
		t.Errorf("missing: %v", err)
	}
	got := doc.String()
	for _, line := range []string{
		"<!-- figures: begin; written by make bench -->\nnew\n<!-- figures: end -->",
		"| one edit | 1 ms | 481 us; 2.0 ms | EditOne/1000; EditOne/100000 `./datastore` |",
		"| by hand | | 7 | counted in the table |",
		"| delays |  | 1.2 ms; 14 ms | OnChange `./netconf/push -benchtime 1x`: p50-us; p99-us |",
		"| gone | | kept | Gone `./datastore` |",
		"| kept | 1 |",
	} {
		if !strings.Contains(got, line) {
			t.Errorf("no %q in\n%s", line, got)
		}
	}
}

// What was not asked for is not missing.
func TestPart(t *testing.T) {
	doc := parse(sample)
	if runs := plan(doc.rows, func(name, _ string) bool { return name == "EditOne/1000" }); len(runs) != 1 || len(runs[0].names) != 2 {
		t.Fatalf("%+v", runs)
	}
	if missing := doc.fill(map[string]results{"./datastore": {"EditOne/1000": {"ns/op": 1}, "EditOne/100000": {"ns/op": 2}}}); missing != nil {
		t.Error(missing)
	}
	if !strings.Contains(doc.String(), "| 1.0 ns; 2.0 ns |") {
		t.Error(doc.String())
	}
}

func TestShow(t *testing.T) {
	for _, c := range []struct {
		v    float64
		unit string
		want string
	}{
		{34.4, "ns/op", "34 ns"}, {3800, "ns/op", "3.8 us"}, {0.49e6, "ns/op", "490 us"}, {2.5e9, "ns/op", "2.5 s"},
		{1.1, "s-first", "1.1 s"}, {2.2, "us-server", "2.2 us"}, {4048, "cpu-ns/event", "4.0 us"}, {642000, "notifications/s", "642,000 a second"},
		{247123, "events/cpu-s", "247,123 a second"}, {85.23, "MB/s", "85.2 MB/s"}, {171, "B/entry", "171 B"}, {170000, "B/session", "170 kB"},
		{1006, "MiB", "1,006 MiB"}, {75, "MB-grown", "75.0 MB"}, {3, "diskreads", "3.0 diskreads"}, {212, "bytes/entry", "212 B"},
	} {
		if got := show(c.v, c.unit); got != c.want {
			t.Errorf("show(%v, %s) = %s, want %s", c.v, c.unit, got, c.want)
		}
	}
}

// Each benchmark that BENCHMARKS.md names is there.
func TestBenchmarksAreThere(t *testing.T) {
	const root = "../../../"
	text, err := os.ReadFile(root + "BENCHMARKS.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := parse(string(text)).rows
	if len(rows) < 40 {
		t.Errorf("only %d rows of BENCHMARKS.md name a benchmark", len(rows))
	}
	functions := map[string]string{} // all test files of a directory
	for _, r := range rows {
		dir := strings.Fields(r.source)[0]
		if _, ok := functions[dir]; !ok {
			files, err := os.ReadDir(root + dir)
			if err != nil {
				t.Fatalf("line %d: %v", r.line+1, err)
			}
			for _, f := range files {
				if strings.HasSuffix(f.Name(), "_test.go") {
					text, err := os.ReadFile(root + dir + "/" + f.Name())
					if err != nil {
						t.Fatal(err)
					}
					functions[dir] += string(text)
				}
			}
		}
		for _, name := range r.names {
			function, _, _ := strings.Cut(name, "/")
			if !strings.Contains(functions[dir], "func Benchmark"+function+"(") {
				t.Errorf("line %d: %s has no benchmark %s", r.line+1, dir, function)
			}
		}
	}
}
