package oam

import (
	"testing"
	"time"

	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/modules"
)

func TestParams(t *testing.T) {
	s, err := yang.Compile(modules.FS, yang.Options{Implemented: []string{"incidentd-oam-tests"}})
	if err != nil {
		t.Fatal(err)
	}
	list := s.Root.Child(s.Module("ietf-oam-unitary-test"), "oam-unitary-tests").ChildNamed("oam-unitary-test")
	p := Params{data.Build(list.ChildNamed("icmp-echo")).Leaf("target", "192.0.2.1").Leaf("interval", "20000").Node()}
	if got := p.Addr("target").String(); got != "192.0.2.1" {
		t.Errorf("target = %s", got)
	}
	if got := p.Duration("interval", time.Microsecond); got != 20*time.Millisecond {
		t.Errorf("interval = %s", got)
	}
	if got := p.Int("number-of-packets"); got != 10 {
		t.Errorf("number-of-packets = %d, want the default", got)
	}
	if p.Bool("do-not-fragment") || p.Has("thresholds") || p.In("thresholds").Has("max-loss-ratio") {
		t.Error("what is absent is there")
	}
	if got := p.String("vantage-point"); got != "" {
		t.Errorf("vantage-point = %q, and has no default", got)
	}
}
