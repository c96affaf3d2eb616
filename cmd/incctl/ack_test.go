package main

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/beevik/etree"

	"incidentd/yang/rpcerr"
)

func errorXML(list ...*rpcerr.Error) string {
	var b []byte
	for _, e := range list {
		b = e.AppendXML(b)
	}
	return string(b)
}

func at(id string) rpcerr.Path {
	return rpcerr.Path{
		Expr:     "/inc:incident-acknowledge/inc:incident-id[.='" + id + "']",
		Prefixes: []rpcerr.Prefix{{Prefix: "inc", Namespace: nsIncident}},
	}
}

func TestAck(t *testing.T) {
	repeated := func(id string) *rpcerr.Error {
		return rpcerr.OperationFailed("%s is acknowledged already", id).WithAppTag(rpcerr.AppRepeatedAcknowledge).At(at(id))
	}
	missing := func(id string) *rpcerr.Error {
		return rpcerr.InstanceRequired("no incident %q", id).At(at(id))
	}
	for _, tt := range []struct {
		name   string
		args   []string
		reply  string
		status int
		stdout string
		stderr string
	}{
		{
			"one", []string{"12"}, "<ok/>", 0, "Acknowledged inc-12  critical  VPN-A unavailable\n", "",
		}, {
			"several, one of them twice", []string{"inc-12", "inc-1", "12"}, "<ok/>", 0,
			"Acknowledged inc-12  critical  VPN-A unavailable\nAcknowledged inc-1  low  CPU overload at P5\n", "",
		}, {
			"json", []string{"--json", "12"}, "<ok/>", 0, `{"ietf-incident:incident-acknowledge":{"incident-id":["inc-12"]}}` + "\n", "",
		}, {
			"unknown", []string{"inc-21"}, errorXML(missing("inc-21")), 1, "",
			"incctl: there is no incident inc-21; did you mean inc-1, inc-12? incctl list --status all shows all\n",
		}, {
			"repeated", []string{"inc-7"}, errorXML(repeated("inc-7")), 1, "", "incctl: inc-7 is acknowledged already\n",
		}, {
			"both, and a good one", []string{"inc-7", "inc-99999", "inc-12"}, errorXML(repeated("inc-7"), missing("inc-99999")), 1, "",
			"incctl: inc-7 is acknowledged already\n" +
				"incctl: there is no incident inc-99999; incctl list --status all shows those there are\n" +
				"incctl: nothing was acknowledged; leave these out and try again\n",
		}, {
			"denied", []string{"inc-7"}, errorXML(rpcerr.AccessDenied("not for you")), 1, "", "incctl: access-denied: not for you\nincctl: Which rule decides: incctl nacm explain admin exec MODULE:OPERATION\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				s.answer = func(op *etree.Element, _ *peer) string {
					if op.Tag != "incident-acknowledge" || op.NamespaceURI() != nsIncident {
						t.Errorf("asked for %s", marshal(op))
					}
					return tt.reply
				}
				p := s.incctl(t.Context(), nil, 0, append([]string{"ack"}, tt.args...)...)
				p.want(t, tt.status, tt.stderr)
				if got := p.stdout.String(); got != tt.stdout {
					t.Errorf("stdout %q, want %q", got, tt.stdout)
				}
			})
		})
	}
}

func TestAckRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.answer = func(*etree.Element, *peer) string { return "<ok/>" }
		s.incctl(t.Context(), nil, 0, "ack", "12", "7")
		golden(t, "ack-request", strings.Join(s.asked(), "\n")+"\n")
	})
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"inc-1", "inc-1", 0}, {"inc-1", "inc-12", 1}, {"inc-12", "inc-21", 1}, {"inc-12", "inc-31", 2}, {"inc-9", "inc-99", 1}, {"ab", "", 2}} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}
