package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/beevik/etree"

	"incidentd/yang/rpcerr"
)

const (
	nsOAMTests    = "urn:incidentd:yang:oam-tests"
	nsUnitaryTest = "urn:ietf:params:xml:ns:yang:ietf-oam-unitary-test"
	nsSequence    = "urn:ietf:params:xml:ns:yang:ietf-oam-test-sequence"
	nsSchedule    = "urn:ietf:params:xml:ns:yang:ietf-schedule"
	nsAction      = "urn:ietf:params:xml:ns:yang:1"
)

type oamCommand struct {
	List    oamListCommand    `cmd:"" help:"List OAM tests and sequences of them."`
	Show    oamShowCommand    `cmd:"" help:"Show a test or a sequence, and what its last runs found."`
	Run     oamRunCommand     `cmd:"" help:"Run a test or a sequence now."`
	Stop    oamStopCommand    `cmd:"" help:"Stop the run of a test or a sequence."`
	Preview oamPreviewCommand `cmd:"" help:"Tell when a schedule is due, and which tests would meet."`
	Report  oamReportCommand  `cmd:"" help:"Draw delay and loss of a test over time."`
	Certify oamCertifyCommand `cmd:"" help:"Get the birth certificate of a sequence, and check its signature."`
	Preset  oamPresetCommand  `cmd:"" help:"Print a sequence of tests for a new service, by its kind."`
}

// oamKind is where tests or sequences stand.
type oamKind struct {
	word, space, top, list, leaf string
}

var oamKinds = []oamKind{
	{"test", nsUnitaryTest, "oam-unitary-tests", "oam-unitary-test", "unitary-test"},
	{"sequence", nsSequence, "oam-test-sequence", "test-sequence", "test-sequence"},
}

// oamTest is a test or a sequence with its state.
type oamTest struct {
	Kind      string        `json:"kind"`
	Name      string        `json:"name"`
	Type      string        `json:"type,omitempty"`
	Target    string        `json:"target,omitempty"`
	Status    string        `json:"status"`
	Reason    string        `json:"reason,omitempty"`
	Detail    string        `json:"detail,omitempty"`
	Changed   string        `json:"last-change,omitempty"`
	Role      string        `json:"effective-period-role,omitempty"`
	Last      string        `json:"last-occurrence,omitempty"`
	Next      string        `json:"upcoming-occurrence,omitempty"`
	Preview   []string      `json:"preview,omitempty"`
	Runs      string        `json:"counter,omitempty"`
	Failures  string        `json:"failure-counter,omitempty"`
	Missed    string        `json:"missed-counter,omitempty"`
	Overlaps  string        `json:"overlap-counter,omitempty"`
	Verdict   string        `json:"last-verdict,omitempty"`
	Conflicts []oamConflict `json:"conflict,omitempty"`
	Results   []oamResult   `json:"result,omitempty"`

	kind oamKind
}

// oamConflict is a test that is scheduled at the same time.
type oamConflict struct {
	Kind     string `json:"kind"`
	Name     string `json:"name"`
	Resource string `json:"resource"`
	At       string `json:"first-overlap"`
}

// oamResult is a run, or a member of one.
type oamResult struct {
	RunID     string        `json:"run-id,omitempty"`
	Name      string        `json:"name,omitempty"`
	Trigger   string        `json:"trigger"`
	Start     string        `json:"start-time"`
	End       string        `json:"end-time,omitempty"`
	Outcome   string        `json:"outcome"`
	Reason    string        `json:"reason,omitempty"`
	Detail    string        `json:"detail,omitempty"`
	Verdict   string        `json:"verdict,omitempty"`
	Crossed   []string      `json:"crossed,omitempty"`
	Sent      string        `json:"tx-packet-count,omitempty"`
	Got       string        `json:"rx-packet-count,omitempty"`
	Loss      string        `json:"loss-ratio,omitempty"`
	Least     string        `json:"min-delay-value,omitempty"`
	Delay     string        `json:"average-delay-value,omitempty"`
	Most      string        `json:"max-delay-value,omitempty"`
	P95       string        `json:"percentile-95-delay-value,omitempty"`
	Jitter    string        `json:"average-jitter-value,omitempty"`
	MTU       string        `json:"path-mtu,omitempty"`
	Hops      string        `json:"hop-cnt,omitempty"`
	Responses []oamResponse `json:"response,omitempty"`
	Samples   []oamSample   `json:"sample,omitempty"`
	Members   []oamResult   `json:"member,omitempty"`
}

// oamResponse is how often a kind of answer came.
type oamResponse struct {
	Code  string `json:"code"`
	Count string `json:"count"`
}

// oamSample is a part of a run.
type oamSample struct {
	Offset string `json:"offset"`
	Sent   string `json:"tx-packet-count"`
	Got    string `json:"rx-packet-count"`
	Lost   string `json:"packet-loss-count"`
	Least  string `json:"min-delay-value,omitempty"`
	Delay  string `json:"average-delay-value,omitempty"`
	Most   string `json:"max-delay-value,omitempty"`
}

// oamTests reads the tests and sequences of a name, or all of them. Results are read of one
// alone.
func (s *session) oamTests(ctx context.Context, name string) (list []oamTest, err error) {
	list = []oamTest{}
	for _, k := range oamKinds {
		top := etree.NewElement(k.top)
		top.CreateAttr("xmlns", k.space)
		entry := top.CreateElement(k.list)
		if name != "" {
			entry.CreateElement("name").SetText(name)
		}
		data, err := s.get(ctx, top)
		if err != nil {
			return nil, err
		}
		for _, e := range data.FindElements("./" + k.top + "/" + k.list) {
			list = append(list, decodeOAMTest(k, e, name != ""))
		}
	}
	return list, nil
}

func decodeOAMTest(k oamKind, e *etree.Element, results bool) oamTest {
	t := oamTest{kind: k, Kind: k.word, Name: leaf(e, k.space, "name")}
	for _, c := range e.ChildElements() {
		if target := leaf(c, nsOAMTests, "target") + leaf(c, nsOAMTests, "url"); c.NamespaceURI() == nsOAMTests && target != "" {
			t.Type, t.Target = c.Tag, target
		}
	}
	if k.space == nsSequence {
		t.Type = "1 test"
		if n := len(children(e, k.space, "test-ref")); n != 1 {
			t.Type = fmt.Sprintf("%d tests", n)
		}
	}
	for _, r := range children(e, nsOAMTests, "run-state") {
		text := func(name string) string { return leaf(r, nsOAMTests, name) }
		t.Status, t.Reason, t.Detail, t.Changed = text("status"), local(text("reason")), text("detail"), text("last-change")
		t.Role, t.Last, t.Next, t.Preview = text("effective-period-role"), text("last-occurrence"), text("upcoming-occurrence"), leafList(r, nsOAMTests, "preview")
		t.Runs, t.Failures, t.Missed, t.Overlaps, t.Verdict = text("counter"), text("failure-counter"), text("missed-counter"), text("overlap-counter"), text("last-verdict")
		t.Conflicts = decodeOAMConflicts(r)
	}
	if results {
		for _, r := range children(e, nsOAMTests, "result") {
			t.Results = append(t.Results, decodeOAMResult(r))
		}
	}
	return t
}

func decodeOAMConflicts(e *etree.Element) (list []oamConflict) {
	for _, c := range children(e, nsOAMTests, "conflict") {
		list = append(list, oamConflict{leaf(c, nsOAMTests, "kind"), leaf(c, nsOAMTests, "name"), leaf(c, nsOAMTests, "resource"), leaf(c, nsOAMTests, "first-overlap")})
	}
	return list
}

func decodeOAMResult(e *etree.Element) oamResult {
	text := func(names ...string) string {
		at := e
		for _, name := range names[:len(names)-1] {
			list := children(at, nsOAMTests, name)
			if len(list) == 0 {
				return ""
			}
			at = list[0]
		}
		return leaf(at, nsOAMTests, names[len(names)-1])
	}
	r := oamResult{RunID: text("run-id"), Name: text("name"), Trigger: text("trigger"), Start: text("start-time"), End: text("end-time"),
		Outcome: text("outcome"), Reason: local(text("reason")), Detail: text("detail"), Verdict: text("verdict"), Crossed: leafList(e, nsOAMTests, "crossed"),
		Sent: text("session-packet-statistics", "tx-packet-count"), Got: text("session-packet-statistics", "rx-packet-count"),
		Loss: text("session-error-statistics", "loss-ratio"), MTU: text("path-mtu"), Hops: text("hop-cnt")}
	r.Least, r.Delay, r.Most = text("two-way-delay", "min-delay-value"), text("two-way-delay", "average-delay-value"), text("two-way-delay", "max-delay-value")
	r.P95, r.Jitter = text("two-way-delay", "percentile-95-delay-value"), text("two-way-delay", "average-jitter-value")
	for _, c := range children(e, nsOAMTests, "response") {
		r.Responses = append(r.Responses, oamResponse{leaf(c, nsOAMTests, "code"), leaf(c, nsOAMTests, "count")})
	}
	for _, s := range children(e, nsOAMTests, "sample") {
		of := func(name string) string { return leaf(s, nsOAMTests, name) }
		r.Samples = append(r.Samples, oamSample{of("offset"), of("tx-packet-count"), of("rx-packet-count"), of("packet-loss-count"),
			of("min-delay-value"), of("average-delay-value"), of("max-delay-value")})
	}
	for _, m := range children(e, nsOAMTests, "member") {
		r.Members = append(r.Members, decodeOAMResult(m))
	}
	return r
}

// oamTest finds the one test or sequence of a name.
func (s *session) oamTest(ctx context.Context, name string, sequence bool) (*oamTest, error) {
	list, err := s.oamTests(ctx, name)
	if err != nil {
		return nil, err
	}
	if sequence {
		var kept []oamTest
		for _, t := range list {
			if t.kind.space == nsSequence {
				kept = append(kept, t)
			}
		}
		list = kept
	}
	switch len(list) {
	case 0:
		return nil, fmt.Errorf("there is no test or sequence %s; incctl oam list shows those there are", clean(name))
	case 1:
		return &list[0], nil
	}
	return nil, fmt.Errorf("%s is a test and a sequence; --sequence means the latter", clean(name))
}

// oamNamed is what commands about one test or sequence have.
type oamNamed struct {
	Name     string `arg:"" help:"The test or the sequence." complete:"oam"`
	Sequence bool   `short:"s" help:"The sequence, where a test has the same name."`
}

type oamListCommand struct{}

// Help is shown by `incctl oam list --help`.
func (*oamListCommand) Help() string {
	return `Lists the OAM tests and the sequences of them, what state each is in, when it is due, and how it went.
Tests are configuration:

  incctl oam preview --help
  incctl edit test.xml && incctl commit`
}

// Run lists.
func (c *oamListCommand) Run(ctx context.Context, a *app) error {
	return a.withSession(ctx, func(s *session) error {
		list, err := s.oamTests(ctx, "")
		switch {
		case err != nil:
			return err
		case a.json:
			return a.writeJSON(list)
		case len(list) == 0:
			_, err := fmt.Fprintln(a.stdout, "There are no OAM tests.")
			return err
		}
		return a.screen().oamTests(list)
	})
}

type oamShowCommand struct {
	oamNamed
	Results int `short:"n" default:"5" help:"How many of the last runs to show."`
}

// Run shows.
func (c *oamShowCommand) Run(ctx context.Context, a *app) error {
	return a.withSession(ctx, func(s *session) error {
		t, err := s.oamTest(ctx, c.Name, c.Sequence)
		if err != nil {
			return err
		}
		t.Results = t.Results[max(0, len(t.Results)-max(0, c.Results)):]
		if a.json {
			return a.writeJSON(t)
		}
		return a.screen().oamTest(t)
	})
}

type oamRunCommand struct {
	oamNamed
	Wait bool `help:"Wait for its end, and show what it found."`
}

// Run starts a run.
func (c *oamRunCommand) Run(ctx context.Context, a *app) error {
	return a.withSession(ctx, func(s *session) error {
		t, err := s.oamTest(ctx, c.Name, c.Sequence)
		if err != nil {
			return err
		}
		if c.Wait {
			r, err := s.runOAM(ctx, c.Name, t.kind.space == nsSequence)
			switch {
			case err != nil:
				return err
			case a.json:
				return a.writeJSON(r)
			}
			return a.screen().oamResults([]oamResult{*r})
		}
		reply, err := s.call(ctx, t.action("start"))
		if err != nil {
			return err
		}
		id := leaf(reply, nsOAMTests, "run-id")
		return a.done(fmt.Sprintf("Run %s has begun; incctl oam show %s tells what it found.", id, clean(c.Name)), "run-id", id)
	})
}

// look is how often the end of a run is looked for.
const look = 250 * time.Millisecond

// runUnderWay is in the message for a test that is running.
var runUnderWay = regexp.MustCompile(`is under way already, as run (\S+)`)

// runOAM runs a test or a sequence, and waits for its end. One that is under way, as its
// schedule had it, need not be begun.
func (s *session) runOAM(ctx context.Context, name string, sequence bool) (*oamResult, error) {
	t, err := s.oamTest(ctx, name, sequence)
	if err != nil {
		return nil, err
	}
	var run string
	reply, err := s.call(ctx, t.action("start"))
	var refused *rpcerr.Error
	switch {
	case err == nil:
		run = leaf(reply, nsOAMTests, "run-id")
	case errors.As(err, &refused) && refused.Tag == rpcerr.TagInUse && runUnderWay.MatchString(refused.Message):
		run = runUnderWay.FindStringSubmatch(refused.Message)[1]
	default:
		return nil, err
	}
	for {
		if t, err = s.oamTest(ctx, name, sequence); err != nil {
			return nil, err
		}
		for i := range t.Results {
			if t.Results[i].RunID == run {
				return &t.Results[i], nil
			}
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(look):
		}
	}
}

type oamStopCommand struct{ oamNamed }

// Run stops a run.
func (c *oamStopCommand) Run(ctx context.Context, a *app) error {
	return a.withSession(ctx, func(s *session) error {
		t, err := s.oamTest(ctx, c.Name, c.Sequence)
		if err != nil {
			return err
		}
		if t.Status != "ongoing" {
			return a.done(fmt.Sprintf("No run of %s is under way.", clean(c.Name)), "status", t.Status)
		}
		if _, err := s.call(ctx, t.action("stop")); err != nil {
			return err
		}
		return a.done(fmt.Sprintf("The run of %s is stopped; its schedule goes on.", clean(c.Name)), "name", c.Name)
	})
}

// action is <action> of the test.
func (t *oamTest) action(name string) *etree.Element {
	top := etree.NewElement("action")
	top.CreateAttr("xmlns", nsAction)
	in := top.CreateElement(t.kind.top)
	in.CreateAttr("xmlns", t.kind.space)
	entry := in.CreateElement(t.kind.list)
	entry.CreateElement("name").SetText(t.Name)
	entry.CreateElement(name).CreateAttr("xmlns", nsOAMTests)
	return top
}

type oamPreviewCommand struct {
	Name      string `arg:"" optional:"" help:"A test or a sequence that is configured." complete:"oam"`
	Sequence  bool   `short:"s" help:"The name is that of a sequence."`
	Candidate bool   `help:"As the candidate has it."`
	Start     string `help:"When the period starts, for a schedule that is given here." placeholder:"TIME"`
	End       string `help:"When it ends." placeholder:"TIME"`
	Duration  string `help:"How long it is, such as PT01:00:00 or P1W." placeholder:"DURATION"`
	Zone      string `help:"Its time zone, such as Europe/Madrid." placeholder:"ZONE"`
	Every     string `help:"The frequency: secondly, minutely, hourly, daily, weekly, monthly or yearly." placeholder:"FREQUENCY"`
	Interval  uint32 `help:"How many of that a step has." placeholder:"N"`
	Count     uint32 `help:"How many occurrences there are." placeholder:"N"`
	Until     string `help:"The last instant that may be one, in UTC." placeholder:"TIME"`
	From      string `help:"Show occurrences from here on; by default from now on." placeholder:"TIME"`
	Limit     uint16 `short:"n" default:"10" help:"How many to show."`
}

// Help is shown by `incctl oam preview --help`.
func (*oamPreviewCommand) Help() string {
	return `Tells when a test would run, and which tests it would meet that need the same, before anything is committed.

  incctl oam preview vpn42-delay --candidate
  incctl oam preview --start 2026-03-28T02:30:00+01:00 --zone Europe/Madrid --every daily --duration PT01:00:00`
}

// Validate is called by the parser.
func (c *oamPreviewCommand) Validate() error {
	if (c.Name == "") == (c.Start == "" || c.Every == "") {
		return errors.New("either the name of a test, or a schedule by --start and --every")
	}
	return nil
}

// oamPreview is what a schedule means.
type oamPreview struct {
	Role        string          `json:"effective-period-role"`
	Occurrences []oamOccurrence `json:"occurrence"`
	Conflicts   []oamConflict   `json:"conflict,omitempty"`
}

type oamOccurrence struct {
	Start string `json:"start"`
	End   string `json:"end,omitempty"`
}

// Run asks the server.
func (c *oamPreviewCommand) Run(ctx context.Context, a *app) error {
	return a.withSession(ctx, func(s *session) error {
		reply, err := s.call(ctx, c.request())
		if err != nil {
			return err
		}
		p := oamPreview{Role: leaf(reply, nsOAMTests, "effective-period-role"), Occurrences: []oamOccurrence{}, Conflicts: decodeOAMConflicts(reply)}
		for _, e := range children(reply, nsOAMTests, "occurrence") {
			p.Occurrences = append(p.Occurrences, oamOccurrence{leaf(e, nsOAMTests, "start"), leaf(e, nsOAMTests, "end")})
		}
		if a.json {
			return a.writeJSON(p)
		}
		return a.screen().oamPreview(&p)
	})
}

func (c *oamPreviewCommand) request() *etree.Element {
	op := etree.NewElement("preview-schedule")
	op.CreateAttr("xmlns", nsOAMTests)
	set := func(name, value string) {
		if value != "" && value != "0" {
			op.CreateElement(name).SetText(value)
		}
	}
	if c.Name != "" {
		k := oamKinds[0]
		if c.Sequence {
			k = oamKinds[1]
		}
		set(k.leaf, c.Name)
		if c.Candidate {
			set("datastore", "candidate")
		}
	} else {
		set("period-start", c.Start)
		set("time-zone-identifier", c.Zone)
		set("period-end", c.End)
		set("duration", c.Duration)
		set("utc-until", c.Until)
		set("count", fmt.Sprint(c.Count))
		op.CreateAttr("xmlns:s", nsSchedule)
		set("frequency", "s:"+c.Every)
		set("interval", fmt.Sprint(c.Interval))
	}
	set("from", c.From)
	set("limit", fmt.Sprint(c.Limit))
	return op
}
