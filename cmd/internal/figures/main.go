// Command figures runs the benchmarks that BENCHMARKS.md names and writes what they measure
// into its tables; the prose stays as it is.
//
// A table takes part when it has the columns measured and benchmark. In each of its rows the
// last of these says where the figure comes from:
//
//	EditOne/1000; EditOne/100000 `./datastore`
//	OnChange `./netconf/push -benchtime 1s`: ns/op; p50-us; p99-us
//
// are benchmarks by their names, the package with flags of go test, and the units of what is
// shown of each, the time of an operation where nothing is said. A cell of another form
// is left alone, with what was measured by hand.
//
// Machine, versions and date go between the markers figures. A benchmark that fails or is
// not there ends the program with an error after the others were written.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"
)

func main() {
	file := flag.String("file", "BENCHMARKS.md", "the `FILE` with the tables")
	only := flag.String("bench", "", "run only benchmarks whose name or package matches this `REGEXP`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := update(ctx, *file, *only); err != nil {
		fmt.Fprintln(os.Stderr, "figures:", err)
		os.Exit(1)
	}
}

func update(ctx context.Context, file, only string) error {
	match, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	doc := parse(string(text))
	runs := plan(doc.rows, func(name, pkg string) bool { return match.MatchString(name + " " + pkg) })
	if len(runs) == 0 {
		return fmt.Errorf("%s names no benchmark that matches %q", file, only)
	}
	measured := make(map[string]results) // by command
	var failed []error
	for i, r := range runs {
		fmt.Fprintf(os.Stderr, "%s  %d of %d: go %s\n", time.Now().Format("15:04:05"), i+1, len(runs), strings.Join(r.args(), " "))
		out, err := goTest(ctx, r.args())
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", r.source, err))
		}
		measured[r.source] = parseResults(out)
	}
	failed = append(failed, doc.fill(measured)...)
	if only == "" {
		doc.note(when(time.Now()))
	}
	if err := os.WriteFile(file, []byte(doc.String()), 0o644); err != nil {
		return err
	}
	return errors.Join(failed...)
}

func goTest(ctx context.Context, args []string) (string, error) {
	c := exec.CommandContext(ctx, "go", args...)
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, out)
	}
	return string(out), err
}
