package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"incidentd/cmd/internal/server"
	"incidentd/netconf/audit"
)

var auditVerifyCommand = command{
	name:    "audit verify",
	summary: "check that no record of the audit was removed or changed",
	text: `
Goes through the chain of the audit's records and tells the first that was removed,
changed or added. The status is then 1. The server may run meanwhile. It prints the
hash of the last record: who keeps it elsewhere can tell later whether the whole
chain was made anew.`,
	define: func(f *flag.FlagSet) func(context.Context, *app) error {
		dir := dataFlag(f)
		return func(_ context.Context, a *app) error {
			if err := required("audit verify", "data", dir); err != nil {
				return err
			}
			r, err := server.VerifyAudit(*dir)
			switch {
			case err != nil:
				return explain(err, *dir)
			case r.Break != "":
				return fmt.Errorf("the audit is not as it was written: %s; %s", r.Break, goodRecords(r))
			}
			_, err = fmt.Fprintf(a.stdout, "The audit is whole: %s.\nlast hash: %s\n", goodRecords(r), r.Hash)
			return err
		}
	},
}

// goodRecords says which records are as they were written.
func goodRecords(r audit.Result) string {
	if r.Records == 0 {
		return "no records"
	}
	return fmt.Sprintf("%s, %d to %d", count(int(r.Records), "good record"), r.First, r.Last)
}

var auditListCommand = command{
	name:    "audit list",
	summary: "show who did what",
	text: `
Lists the last records of the audit: logins, RPCs, ends of sessions and commands of
this machine. The server may run meanwhile.`,
	define: func(f *flag.FlagSet) func(context.Context, *app) error {
		dir := dataFlag(f)
		last := f.Int("last", 50, "how many; 50 if left out")
		asJSON := f.Bool("json", false, "print JSON, one object a line, with everything that is recorded")
		return func(_ context.Context, a *app) error {
			if err := required("audit list", "data", dir); err != nil {
				return err
			}
			if *last < 1 {
				return misuse("audit list", "--last %d is too few", *last)
			}
			list, err := server.ListAudit(*dir, *last)
			if err != nil {
				return explain(err, *dir)
			}
			if !*asJSON {
				return a.tableOfAudit(list)
			}
			e := json.NewEncoder(a.stdout)
			e.SetEscapeHTML(false)
			for _, r := range list {
				err = errors.Join(err, e.Encode(r))
			}
			return err
		}
	},
}

func (a *app) tableOfAudit(list []*audit.Record) error {
	t := tabwriter.NewWriter(a.stdout, 0, 0, 3, ' ', 0)
	fmt.Fprint(t, "NUMBER\tTIME\tUSER\tFROM\tSESSION\tWHAT\tRESULT\tTOUCHED\n")
	for _, r := range list {
		session := "-"
		if r.Session != 0 {
			session = fmt.Sprint(r.Session)
		}
		result := r.Result
		if len(r.ErrorTags) > 0 {
			result = strings.Join(r.ErrorTags, " ")
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Number, r.Time.UTC().Format(time.DateTime),
			dash(r.User), dash(r.Source), session, whatWasDone(r), result, dash(touchedPlaces(r)))
	}
	return t.Flush()
}

// whatWasDone is the event of a record in a few words.
func whatWasDone(r *audit.Record) string {
	_, name, found := strings.Cut(r.Operation, ":")
	if !found {
		name = r.Operation
	}
	switch r.Event {
	case "rpc":
		if name == "" {
			name = "unreadable rpc"
		}
		return name
	case "command":
		return strings.TrimSpace("incidentd " + strings.ReplaceAll(name, "-", " ") + " " + r.Text)
	case "login", "login-failed":
		return r.Event + " by " + r.Credential
	}
	return strings.TrimSpace(r.Event + " " + r.Text)
}

// touchedPlaces is the first place of a record, and how many more there are.
func touchedPlaces(r *audit.Record) string {
	if len(r.Touched) == 0 {
		return ""
	}
	x := r.Touched[0]
	s := strings.Join(strings.Fields(x.Access+" "+x.Datastore+" "+x.Path), " ")
	if more := len(r.Touched) - 1 + r.Untold; more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
