package load

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
)

// WriteTable writes results for people.
func WriteTable(w io.Writer, results []Result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "WORKLOAD\tSESSIONS\tNODES\tA SECOND\tSERVER CPU\tOWN CPU\tP50\tP99\tMEMORY\t")
	for _, r := range results {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", r.Workload, count(r.Sessions), count(r.Nodes),
			r.Speed(), blank(Milliseconds(r.CPU), r.CPU == 0), blank(Milliseconds(r.OwnCPU), r.OwnCPU == 0),
			blank(Milliseconds(r.P50), len(r.Runs) == 0), blank(Milliseconds(r.P99), len(r.Runs) == 0), blank(megabytes(float64(r.RSS)), r.RSS == 0))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, r := range results {
		for _, text := range []string{r.Finding, blank("skipped: "+r.Skipped, r.Skipped == ""), blank("failed: "+r.Failed, r.Failed == "")} {
			if text == "" {
				continue
			}
			if _, err := fmt.Fprintf(w, "%s: %s\n", r.Workload, text); err != nil {
				return err
			}
		}
	}
	return nil
}

// Speed is what a second brought, in words.
func (r *Result) Speed() string {
	switch {
	case len(r.Runs) == 0:
		return ""
	case r.BytesPerSecond > 0 && r.Workload == "get-all":
		return megabytes(r.BytesPerSecond)
	}
	return Number(r.Rate) + " " + r.Unit
}

// Number writes a figure with as many digits as it has meaning.
func Number(v float64) string {
	switch {
	case v >= 1000:
		n := int(v + 0.5)
		text := fmt.Sprintf("%03d", n%1000)
		for n /= 1000; n >= 1000; n /= 1000 {
			text = fmt.Sprintf("%03d,%s", n%1000, text)
		}
		return strconv.Itoa(n) + "," + text
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 1:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2g", v)
}

func megabytes(v float64) string { return Number(v/1e6) + " MB" }

func count(n int) string { return blank(strconv.Itoa(n), n == 0) }

func blank(text string, empty bool) string {
	if empty {
		return ""
	}
	return text
}
