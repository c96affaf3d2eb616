package device

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/incident/event"
)

const (
	replyStart = `<rpc-reply xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="1"><data>`
	replyEnd   = `</data></rpc-reply>`
	listStart  = `<al:alarms xmlns:al="urn:ietf:params:xml:ns:yang:ietf-alarms" xmlns:x="urn:x"><al:alarm-list><al:last-changed>2026-11-22T07:00:00Z</al:last-changed>`
	listEnd    = `</al:alarm-list></al:alarms>`
	entry      = `<al:alarm><al:resource>/if:interfaces/if:interface[if:name='eth0']</al:resource><al:alarm-type-id>x:link-alarm</al:alarm-type-id><al:alarm-type-qualifier/>
		<al:is-cleared>false</al:is-cleared><al:last-raised>2026-11-22T06:00:00Z</al:last-raised><al:last-changed>2026-11-22T06:30:00+01:00</al:last-changed>
		<al:perceived-severity>major</al:perceived-severity><al:alarm-text>down &amp; out</al:alarm-text></al:alarm>`
	notification = `<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0"><eventTime>2026-11-22T07:00:00Z</eventTime>`
	raised       = notification + `<alarm-notification xmlns="urn:ietf:params:xml:ns:yang:ietf-alarms"><resource>eth0</resource><alarm-type-id>link-alarm</alarm-type-id>
		<alarm-type-qualifier>q</alarm-type-qualifier><time>2026-11-22T06:59:59.5Z</time><perceived-severity>cleared</perceived-severity><alarm-text>up</alarm-text></alarm-notification></notification>`
	complete = notification + `<replayComplete xmlns="urn:ietf:params:xml:ns:netmod:notification"/></notification>`
)

var unexported = cmp.AllowUnexported(list{}, alarm{}, key{})

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return t
}

// Lists of devices, and what is understood of them.
func TestReadList(t *testing.T) {
	eth0 := key{"/if:interfaces/if:interface[if:name='eth0']", "link-alarm", ""}
	changed := at("2026-11-22T07:00:00Z")
	bad := func(old, new string) string { return replace(t, entry, old, new) }
	for _, tt := range []struct {
		name, data string
		want       list
		fault      string
	}{
		{"no list", "", list{}, ""},
		{"an empty list", listStart + listEnd, list{shown: true, changed: changed}, ""},
		{"active", listStart + entry + listEnd,
			list{shown: true, changed: changed, alarms: []alarm{{eth0, event.Major, "down & out", at("2026-11-22T06:00:00Z")}}}, ""},
		{"over", listStart + bad(">false<", ">true<") + listEnd,
			list{shown: true, changed: changed, alarms: []alarm{{eth0, event.Cleared, "down & out", at("2026-11-22T05:30:00Z")}}}, ""},
		{"no type", listStart + bad("x:link-alarm", "") + listEnd, list{shown: true, changed: changed}, "an alarm of /if:interfaces/if:interface[if:name='eth0'] without an alarm-type-id"},
		{"no resource", listStart + bad("/if:interfaces/if:interface[if:name='eth0']", "") + listEnd, list{shown: true, changed: changed}, `an alarm of the type "link-alarm" without a resource`},
		{"no severity", listStart + bad("major", "severe") + listEnd, list{shown: true, changed: changed},
			`the alarm link-alarm of /if:interfaces/if:interface[if:name='eth0'] has the perceived-severity "severe"`},
		{"neither", listStart + bad(">false<", "><") + listEnd, list{shown: true, changed: changed}, `the alarm link-alarm of /if:interfaces/if:interface[if:name='eth0']: is-cleared is ""`},
		{"no time", listStart + bad("2026-11-22T06:00:00Z", "now") + listEnd, list{shown: true, changed: changed},
			`the leaf last-raised of an alarm: parsing time "now" as "2006-01-02T15:04:05.999999999Z07:00": cannot parse "now" as "2006"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readList([]byte(replyStart + tt.data + replyEnd))
			if err != nil {
				t.Fatal(err)
			}
			fault := ""
			for _, err := range got.faults {
				fault += err.Error()
			}
			if got.faults = nil; fault != tt.fault {
				t.Errorf("the fault is %q, want %q", fault, tt.fault)
			}
			if d := cmp.Diff(tt.want, got, unexported); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestReadNotification(t *testing.T) {
	a, done, err := read([]byte(raised))
	want := &alarm{key{"eth0", "link-alarm", "q"}, event.Cleared, "up", at("2026-11-22T06:59:59.5Z")}
	if d := cmp.Diff(want, a, unexported); d != "" || done || err != nil {
		t.Errorf("alarm-notification: %v, %v\n%s", done, err, d)
	}
	if a, done, err := read([]byte(complete)); a != nil || !done || err != nil {
		t.Errorf("replayComplete: %v, %v, %v", a, done, err)
	}
	if a, done, err := read([]byte(notification + `<other xmlns="urn:x"/></notification>`)); a != nil || done || err != nil {
		t.Errorf("another: %v, %v, %v", a, done, err)
	}
	if a, _, err := read([]byte(replace(t, raised, "06:59:59.5Z", "soon"))); a != nil || err == nil {
		t.Errorf("without a time: %v, %v", a, err)
	}
}

// What is read of a list can be reported, whatever a device sends.
func FuzzReadList(f *testing.F) {
	f.Add([]byte(replyStart + listStart + entry + entry + listEnd + replyEnd))
	f.Add([]byte(raised))
	f.Fuzz(func(t *testing.T, reply []byte) {
		l, err := readList(reply)
		if err != nil && (l.shown || l.alarms != nil) {
			t.Fatalf("%v with %+v", err, l)
		}
		for _, a := range l.alarms {
			if a.resource == "" || a.typeID == "" || a.severity.String() == "" {
				t.Fatalf("%+v", a)
			}
		}
	})
}

func FuzzReadNotification(f *testing.F) {
	f.Add([]byte(raised))
	f.Add([]byte(complete))
	f.Fuzz(func(t *testing.T, message []byte) {
		a, done, err := read(message)
		if a != nil && (done || err != nil || a.resource == "" || a.typeID == "" || a.severity == 0) {
			t.Fatalf("%+v, %v, %v", a, done, err)
		}
	})
}

// replace replaces what has to be there.
func replace(t *testing.T, in, old, new string) string {
	t.Helper()
	if !strings.Contains(in, old) {
		t.Fatalf("%q is not in %q", old, in)
	}
	return strings.Replace(in, old, new, 1)
}
