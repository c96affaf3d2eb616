package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"html/template"
	"strings"
	"time"

	"incidentd/netconf/sshsig"
	"incidentd/oam/plot"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// What one page has room for; the rest is told to be in the document.
const (
	pageRows   = 18
	pageCharts = 6
)

// page is what the template shows.
type page struct {
	*Document
	Title, Verdict, Word      string
	Run                       result
	Began, Ended, Took, Made  string
	ClockWord                 string
	Rows                      []row
	MoreRows                  int
	Charts                    []figure
	MoreCharts                int
	Sum, Fingerprint, Command string
}

// row is a test.
type row struct {
	Number                       int
	Name, What, Verdict          string
	Sent, Loss, Mean, P95, Shake string
	Bounds, Findings             string
}

// figure is a chart with its caption.
type figure struct {
	Name, Caption string
	Chart         template.HTML
}

// words are what people read for a verdict.
var words = map[string]string{"pass": "passed", "fail": "failed", "inconclusive": "inconclusive", "none": "no thresholds", "": "not judged"}

// Page implements oam.Certifier.
func (c *Certifier) Page(document, _ []byte) ([]byte, error) { return Page(document) }

// Page is a document as an HTML page, which fits a sheet of A4.
func Page(document []byte) ([]byte, error) {
	d, err := Decode(document)
	if err != nil {
		return nil, err
	}
	p := page{Document: d, Title: d.Sequence, Sum: fmt.Sprintf("%x", sha256.Sum256(document))}
	if p.Run, err = read[result](d.Result); err != nil {
		return nil, err
	}
	if len(d.Services) > 0 {
		p.Title = strings.Join(d.Services, ", ")
	}
	p.Verdict = p.Run.Verdict
	if d.Status != "success" {
		p.Verdict = "fail"
	}
	p.Word = words[p.Verdict]
	p.Began, p.Ended, p.Made = clockTime(p.Run.Start), clockTime(p.Run.End), clockTime(d.Issued)
	p.Took = p.Run.End.Sub(p.Run.Start).Round(time.Millisecond).String()
	p.ClockWord = "not synchronised"
	if d.Clock.Synchronized {
		p.ClockWord = "synchronised to " + short(d.Clock.MaximumError)
	}
	if p.Fingerprint, err = sshsig.Fingerprint(d.Issuer.PublicKey); err != nil {
		return nil, fmt.Errorf("the key of the issuer: %w", err)
	}
	p.Command = "ssh-keygen -Y verify -f allowed_signers -I " + d.Issuer.Name + " -n " + Namespace + " -s certificate.sig < certificate.json"
	if err := p.tests(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, &p); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// tests adds the rows and the charts.
func (p *page) tests() error {
	types, params := map[string]string{}, map[string]parameters{}
	for _, q := range p.Parameters {
		v, err := read[parameters](q.Parameters)
		if err != nil {
			return err
		}
		types[q.Name], params[q.Name] = q.TestType, v
	}
	for i := range p.Run.Members {
		m := &p.Run.Members[i]
		q := params[m.Name]
		name := m.Name
		if m.Execution > 1 {
			name = fmt.Sprintf("%s (%d)", m.Name, m.Execution)
		}
		if i < pageRows {
			p.Rows = append(p.Rows, m.row(i+1, name, types[m.Name]+" "+q.target(), q.Thresholds))
		} else {
			p.MoreRows++
		}
		chart := m.chart(q.Thresholds)
		switch {
		case len(m.Samples) < 2 || chart.Empty():
		case len(p.Charts) < pageCharts:
			p.Charts = append(p.Charts, figure{name, fmt.Sprintf("%s %s", types[m.Name], q.target()), template.HTML(chart.SVG("Delay and loss of "+name+" over time", 360, 150))})
		default:
			p.MoreCharts++
		}
	}
	return nil
}

// target is where a test leads, as a person would write it.
func (q parameters) target() string {
	switch {
	case q.URL != "":
		return q.URL
	case q.MAC != "":
		return q.MAC + " on " + q.Interface
	}
	var more string
	if q.DSCP > 0 {
		more = fmt.Sprintf(", DSCP %d", q.DSCP)
	}
	return q.Target + more
}

func (m *member) row(number int, name, what string, b bounds) row {
	r := row{Number: number, Name: name, What: what, Verdict: m.Verdict, Bounds: strings.Join(b.list(), ", ")}
	if m.Packets != nil {
		r.Sent = fmt.Sprint(m.Packets.Sent)
	}
	if m.Errors != nil {
		r.Loss = m.Errors.LossRatio + " %"
	}
	if d := m.TwoWay; d != nil {
		r.Mean, r.P95 = short(d.Average), short(d.P95)
		if d.Jitter != nil {
			r.Shake = short(*d.Jitter)
		}
	}
	r.Findings = strings.Join(m.findings(), "; ")
	return r
}

// findings are what has no column of its own.
func (m *member) findings() (list []string) {
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	if m.Outcome != "finished" {
		r := m.Outcome
		if m.Detail != "" {
			r += ": " + m.Detail
		}
		add("%s", r)
	}
	for _, c := range m.Crossed {
		add("%s", c)
	}
	if m.FarEnd != nil && m.NearEnd != nil {
		add("%s there, %s back", short(m.FarEnd.Average), short(m.NearEnd.Average))
	}
	if e := m.Errors; e != nil && e.LossRatio != "0.0" && e.FarEnd != nil && e.NearEnd != nil {
		add("%d lost there, %d back", *e.FarEnd, *e.NearEnd)
	}
	if m.MTU > 0 {
		add("MTU %d", m.MTU)
	}
	if m.BlackHole {
		add("larger packets vanish")
	}
	if m.Hops > 0 {
		add("%d hops", m.Hops)
	}
	if m.PathEnd != "" {
		add("%s", m.PathEnd)
	}
	for _, r := range m.Responses {
		add("%s × %d", r.Code, r.Count)
	}
	for _, s := range m.Steps {
		add("%d of %d kbit/s", s.Achieved, s.Offered)
	}
	return list
}

// list are the bounds as they are read.
func (b bounds) list() (list []string) {
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	if b.Loss != "" {
		add("loss ≤ %s %%", b.Loss)
	}
	for _, d := range []struct {
		name  string
		bound int64
	}{{"mean", b.Average}, {"p95", b.P95}, {"jitter", b.Jitter}, {"one way", b.OneWay}} {
		if d.bound > 0 {
			add("%s ≤ %s", d.name, short(d.bound))
		}
	}
	if b.MTU > 0 {
		add("MTU ≥ %d", b.MTU)
	}
	if b.Hops > 0 {
		add("hops ≤ %d", b.Hops)
	}
	return list
}

// chart is how the run went.
func (m *member) chart(b bounds) *plot.Chart {
	c := &plot.Chart{Bound: time.Duration(b.Average)}
	if c.Bound == 0 {
		c.Bound = time.Duration(b.P95)
	}
	for _, s := range m.Samples {
		p := plot.Point{X: float64(s.Offset) / 1e9, Answered: s.Received > 0,
			Low: time.Duration(s.Min), Mean: time.Duration(s.Average), High: time.Duration(s.Max)}
		if s.Sent > 0 {
			p.Loss = float64(s.Lost) / float64(s.Sent)
		}
		c.Points = append(c.Points, p)
	}
	return c
}

// short writes a delay with three digits or four.
func short(ns int64) string {
	for _, u := range []struct {
		size float64
		name string
	}{{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}} {
		if v := float64(ns) / u.size; v >= 1 {
			return fmt.Sprintf("%.*f %s", max(0, 2-len(fmt.Sprint(int(v)))+1), v, u.name)
		}
	}
	return fmt.Sprintf("%d ns", ns)
}

func clockTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
