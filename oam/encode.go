package oam

import (
	"net/netip"
	"strconv"
	"time"

	"incidentd/yang/data"
)

const reasons = "incidentd-oam-tests:"

// subject begins a notification about an item.
func (s *schema) subject(b *data.Builder, i id, runID string) *data.Builder {
	return b.Leaf(i.kind.String(), i.name).Text("run-id", runID)
}

// stateChange is oam-test-state-change.
func (s *schema) stateChange(i id, from, to State, why Reason, detail, runID string) *data.Node {
	b := s.subject(data.Build(s.change), i, runID)
	b.Text("from", i.kind.Name(from)).Leaf("to", i.kind.Name(to))
	reason(b, why, detail)
	return b.Node()
}

// completed is oam-test-completed.
func (s *schema) completed(i id, r *Run) *data.Node {
	b := s.subject(data.Build(s.done), i, r.ID)
	encodeRun(b, r)
	b.Text("certificate-id", r.CertificateID)
	return b.Node()
}

// errandCompleted is oam-test-completed for a test that is not configured.
func (s *schema) errandCompleted(r *Run) *data.Node {
	b := data.Build(s.done).Leaf("run-id", r.ID)
	encodeRun(b, r)
	return b.Node()
}

// crossing is oam-threshold-crossing.
func (s *schema) crossing(c *Crossing) *data.Node {
	b := s.subject(data.Build(s.crossed), id{c.Kind, c.Test}, c.RunID)
	if c.Raised {
		b.Leaf("state", "raised").Bool("lost", c.Lost)
	} else {
		b.Leaf("state", "cleared")
	}
	leafs(b, "crossed", c.Crossed)
	leafs(b, "resource", c.Resources)
	leafs(b, "service-instance", c.Services)
	return b.Node()
}

func reason(b *data.Builder, r Reason, detail string) {
	if r != "" {
		b.Leaf("reason", reasons+string(r))
	}
	b.Text("detail", printable(detail))
}

// leafs adds the values of a leaf-list, each once.
func leafs(b *data.Builder, name string, values []string) {
	seen := map[string]bool{}
	for _, v := range values {
		if v = printable(v); !seen[v] {
			seen[v] = true
			b.Leaf(name, v)
		}
	}
}

// printable is a text as XML can hold it: errors may quote what came from the network.
func printable(s string) string {
	out := []rune(s)
	for i, r := range out {
		if r < 0x20 || r == 0x7f || r == 0xfffd || r == 0xfffe || r == 0xffff {
			out[i] = '?'
		}
	}
	return string(out)
}

// encodeRun writes what groupings run and measurement have.
func encodeRun(b *data.Builder, r *Run) {
	b.Time("occurrence", r.Occurrence).Leaf("trigger", string(r.Trigger)).Time("start-time", r.Start).Time("end-time", r.End).
		Leaf("outcome", string(r.Outcome))
	reason(b, r.Reason, r.Detail)
	b.Text("verdict", string(r.Verdict)).Text("configuration-hash", r.Hash).Text("incident-id", r.IncidentID)
	if r.Found != nil {
		leafs(b, "crossed", r.Found.Crossed)
		EncodeMeasurement(b, r.Found)
	}
}

// EncodeMeasurement writes what the grouping measurement of incidentd-oam-tests has.
func EncodeMeasurement(b *data.Builder, m *Measurement) {
	if p := m.Packets; p != nil {
		b.Container("session-packet-statistics").Uint("tx-packet-count", uint64(p.Sent)).Uint("rx-packet-count", uint64(p.Received)).
			Uint("rx-bad-packet", uint64(p.Bad)).Uint("tx-packet-failed", uint64(p.Unsent))
	}
	if e := m.Errors; e != nil {
		c := b.Container("session-error-statistics").Uint("packet-loss-count", uint64(e.Lost)).Leaf("loss-ratio", percent(e.LossRatio)).
			Uint("loss-burst-max", uint64(e.LossBurst)).Uint("packet-reorder-count", uint64(e.Reordered)).Uint("packets-dup-count", uint64(e.Duplicates))
		if d := e.Directed; d != nil {
			c.Uint("loss-count-far-end", uint64(d.FarEnd)).Uint("loss-count-near-end", uint64(d.NearEnd))
		}
	}
	for _, d := range []struct {
		name  string
		delay *Delay
	}{{"two-way-delay", m.TwoWay}, {"one-way-delay-far-end", m.FarEnd}, {"one-way-delay-near-end", m.NearEnd}} {
		if d.delay != nil {
			encodeDelay(b.Container(d.name), d.delay)
		}
	}
	for _, p := range m.Phases {
		encodeDelay(b.Entry("phase", p.Name), &p.Delay)
	}
	for _, r := range m.Responses {
		b.Entry("response", printable(r.Code)).Uint("count", uint64(r.Count))
	}
	b.Time("certificate-expiration", m.CertificateExpiration)
	if t := m.MTU; t != nil {
		b.Uint("path-mtu", uint64(t.Size)).Bool("path-mtu-black-hole", t.BlackHole)
	}
	if p := m.Path; p != nil {
		encodePath(b, p)
	}
	for i, st := range m.Steps {
		e := b.Entry("step", strconv.Itoa(i+1)).Uint("percent", uint64(st.Percent)).Uint("offered-rate", st.Offered).Uint("achieved-rate", st.Achieved).
			Uint("tx-packet-count", uint64(st.Sent)).Uint("packet-loss-count", uint64(st.Lost)).Leaf("loss-ratio", percent(st.LossRatio))
		if st.AverageDelay > 0 {
			e.Uint("average-delay-value", nanoseconds(st.AverageDelay)).Uint("percentile-95-delay-value", nanoseconds(st.Percentile95)).
				Uint("average-jitter-value", nanoseconds(st.AverageJitter))
		}
	}
	if m.Throughput > 0 {
		b.Uint("throughput", m.Throughput)
	}
	if f := m.BFD; f != nil {
		encodeBFD(b.Container("bfd"), f)
	}
	if q := m.Quality; q != nil {
		c := b.Container("quality").Uint("max-send-lateness", nanoseconds(q.MaxSendLateness))
		if q.ClockError > 0 {
			c.Uint("clock-error-estimate", nanoseconds(q.ClockError))
		}
		c.Bool("one-way-valid", q.OneWayValid).Text("timestamping", string(q.Timestamping))
	}
}

func encodeDelay(b *data.Builder, d *Delay) {
	b.Uint("min-delay-value", nanoseconds(d.Min)).Uint("average-delay-value", nanoseconds(d.Average)).Uint("max-delay-value", nanoseconds(d.Max)).
		Uint("standard-deviation-delay-value", nanoseconds(d.StandardDeviation)).Uint("percentile-50-delay-value", nanoseconds(d.Percentile50)).
		Uint("percentile-95-delay-value", nanoseconds(d.Percentile95)).Uint("percentile-99-delay-value", nanoseconds(d.Percentile99))
	if j := d.Jitter; j != nil {
		b.Uint("min-jitter-value", nanoseconds(j.Min)).Uint("average-jitter-value", nanoseconds(j.Average)).
			Uint("max-jitter-value", nanoseconds(j.Max)).Uint("smoothed-jitter-value", nanoseconds(j.Smoothed))
	}
}

func encodeBFD(b *data.Builder, f *BFD) {
	if f.TimeToUp > 0 {
		b.Uint("time-to-up", nanoseconds(f.TimeToUp))
	}
	b.Uint("up-time", nanoseconds(f.UpTime)).Uint("down-count", uint64(f.DownCount)).Uint("detection-count", uint64(f.DetectionCount)).
		Uint("last-diagnostic", uint64(f.Diagnostic)).Uint("remote-diagnostic", uint64(f.RemoteDiagnostic)).
		Uint("longest-down", nanoseconds(f.LongestDown))
	if f.DetectionTime > 0 {
		b.Uint("negotiated-tx-interval", uint64(f.TransmitInterval/time.Microsecond)).
			Uint("negotiated-rx-interval", uint64(f.ReceiveInterval/time.Microsecond)).
			Uint("detection-time", uint64(f.DetectionTime/time.Microsecond))
	}
}

func encodePath(b *data.Builder, p *Path) {
	if p.HopCount > 0 {
		b.Uint("hop-cnt", uint64(p.HopCount))
	}
	b.Bool("path-complete", p.Complete).Text("path-end-reason", printable(p.EndReason))
	for _, h := range p.Hops {
		e := b.Entry("path-trace-info-list", strconv.FormatUint(uint64(h.Index), 10))
		seen := map[netip.Addr]bool{}
		for _, a := range h.Addresses {
			if !seen[a] {
				seen[a] = true
				e.Leaf("address", a.String())
			}
		}
		for _, a := range h.MAC {
			e.Leaf("mac-address", a.String())
		}
		e.Uint("rx-packet-count", uint64(h.Received))
		if h.MinDelay > 0 {
			e.Uint("min-delay-value", nanoseconds(h.MinDelay))
		}
		if h.ICMP != nil {
			e.Uint("icmp-type", uint64(h.ICMP.Type)).Uint("icmp-code", uint64(h.ICMP.Code))
		}
		if r := h.Bridge; r != nil {
			e.Text("relay", r.Relay).Bool("forwarded", r.Forwarded).Bool("terminal-mep", r.TerminalMEP).
				Text("ingress", r.Ingress).Text("ingress-mac", r.IngressMAC.String()).
				Text("egress", r.Egress).Text("egress-mac", r.EgressMAC.String())
		}
	}
}

// nanoseconds is a delay as the leafs have it; one that is negative, by clocks that
// disagree, is none.
func nanoseconds(d time.Duration) uint64 { return uint64(max(0, d)) }

// percent is a ratio as a canonical decimal64 of five digits.
func percent(v float64) string {
	s := strconv.FormatFloat(min(100, max(0, v)), 'f', 5, 64)
	for s[len(s)-1] == '0' && s[len(s)-2] != '.' {
		s = s[:len(s)-1]
	}
	return s
}

// encodeState writes the state of an item into its entry, with m.mu held.
func encodeState(b *data.Builder, it *item, next []time.Time) {
	b.Leaf(it.kind.statusLeaf(), it.kind.Name(it.state))
	c := b.Container("run-state").Leaf("status", it.kind.Name(it.state))
	reason(c, it.reason, it.detail)
	c.Time("last-change", it.changed).Leaf("effective-period-role", it.plan.Role().String()).Time("last-occurrence", it.progress.Last)
	for i, t := range next {
		if i == 0 {
			c.Time("upcoming-occurrence", t)
		}
		c.Time("preview", t)
	}
	c.Uint("counter", uint64(it.Runs)).Uint("failure-counter", uint64(it.Failures)).Uint("missed-counter", uint64(it.Missed)).
		Uint("overlap-counter", uint64(it.Overlaps)).Text("last-verdict", string(it.Verdict))
	for _, l := range it.conflicts {
		encodeConflict(c, l)
	}
}

func encodeConflict(b *data.Builder, l conflict) {
	b.Entry("conflict", l.rival.kind.String(), l.rival.name, l.resource).Time("first-overlap", l.at)
}

// encodeResult writes a run into an entry of the list result.
func encodeResult(e *data.Builder, r *Run) {
	encodeRun(e, r)
	encodeSamples(e, r.Found)
	e.Text("certificate-id", r.CertificateID)
	for i := range r.Members {
		m := &r.Members[i]
		c := e.Entry("member", strconv.Itoa(i+1)).Leaf("name", m.Name).Uint("execution", uint64(m.Execution))
		encodeRun(c, &m.Run)
		encodeSamples(c, m.Found)
	}
}

// encodeSamples adds how a measurement went.
func encodeSamples(b *data.Builder, m *Measurement) {
	if m == nil {
		return
	}
	for i, s := range m.Samples {
		e := b.Entry("sample", strconv.Itoa(i+1)).Uint("offset", nanoseconds(s.Offset)).
			Uint("tx-packet-count", uint64(s.Sent)).Uint("rx-packet-count", uint64(s.Received)).Uint("packet-loss-count", uint64(s.Lost))
		if s.Received > 0 {
			e.Uint("min-delay-value", nanoseconds(s.Min)).Uint("average-delay-value", nanoseconds(s.Average)).Uint("max-delay-value", nanoseconds(s.Max))
		}
	}
}
