package rpcerr

import (
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestAppendXML(t *testing.T) {
	for _, c := range []struct {
		name string
		err  *Error
		want string
	}{
		{"least", New(Protocol, TagOperationFailed, ""),
			`<rpc-error><error-type>protocol</error-type><error-tag>operation-failed</error-tag><error-severity>error</error-severity></rpc-error>`},
		{"lock-denied", LockDenied(7),
			`<rpc-error><error-type>protocol</error-type><error-tag>lock-denied</error-tag><error-severity>error</error-severity>` +
				`<error-message xml:lang="en">the lock is held by session 7</error-message><error-info><session-id>7</session-id></error-info></rpc-error>`},
		{"path, app-tag and another namespace", MissingChoice("how").At(Path{"/m:a[m:k='x']", []Prefix{{"m", "urn:m&n"}}}),
			`<rpc-error><error-type>application</error-type><error-tag>data-missing</error-tag><error-severity>error</error-severity>` +
				`<error-app-tag>missing-choice</error-app-tag><error-path xmlns:m="urn:m&amp;n">/m:a[m:k='x']</error-path>` +
				`<error-message xml:lang="en">no case of the mandatory choice &quot;how&quot; is there</error-message>` +
				`<error-info><missing-choice xmlns="urn:ietf:params:xml:ns:yang:1">how</missing-choice></error-info></rpc-error>`},
		{"what XML cannot carry", InvalidValue("a<b>\x00\xff"),
			`<rpc-error><error-type>application</error-type><error-tag>invalid-value</error-tag><error-severity>error</error-severity>` +
				"<error-message xml:lang=\"en\">a&lt;b&gt;\ufffd\ufffd</error-message></rpc-error>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := string(c.err.AppendXML(nil))
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			d := xml.NewDecoder(strings.NewReader(got))
			for {
				if _, err := d.Token(); err != nil {
					if err.Error() != "EOF" {
						t.Error(err)
					}
					break
				}
			}
		})
	}
}

func TestList(t *testing.T) {
	one, two := DataExists(), InUse(3)
	for _, c := range []struct {
		name  string
		err   error
		want  string
		known bool
	}{
		{"none", nil, "", true},
		{"one", one, "data-exists", true},
		{"wrapped", fmt.Errorf("commit: %w", one), "data-exists", true},
		{"several", Errors{one, two}, "data-exists in-use", true},
		{"several, wrapped", fmt.Errorf("commit: %w", Errors{one, two}), "data-exists in-use", true},
		{"an internal one", errors.New("the disk of rack 3 is gone"), "operation-failed", false},
	} {
		list, known := List(c.err)
		var tags []string
		for _, e := range list {
			tags = append(tags, string(e.Tag))
			if strings.Contains(e.Error(), "rack 3") {
				t.Errorf("%s: the peer is told the cause: %v", c.name, e)
			}
		}
		if got := strings.Join(tags, " "); got != c.want || known != c.known {
			t.Errorf("%s: List = %q, %v; want %q, %v", c.name, got, known, c.want, c.known)
		}
	}
	if err := (Errors{}).Err(); err != nil {
		t.Errorf("no errors are the error %v", err)
	}
	var e *Error
	if !errors.As((Errors{one, two}).Err(), &e) || e != one {
		t.Errorf("errors.As found %v", e)
	}
}

// TestCopies changes a copy and looks at the original.
func TestCopies(t *testing.T) {
	e := DataMissing("x").WithInfo("", "a", "1")
	_ = e.WithInfo("", "b", "2").WithAppTag("t").At(Path{Expr: "/x"})
	f := e.WithInfo("", "c", "3")
	if len(e.Info) != 1 || e.AppTag != "" || e.Path.Expr != "" || f.Info[1].Name != "c" {
		t.Errorf("the original changed: %+v, %+v", e, f)
	}
}

func Example() {
	err := fmt.Errorf("commit: %w", InstanceRequired("%q refers to nothing", "P9").
		At(Path{"/inc:incident-acknowledge/inc:incident-id", []Prefix{{"inc", "urn:ietf:params:xml:ns:yang:ietf-incident"}}}))
	list, _ := List(err)
	fmt.Println(list[0])
	// Output: data-missing (instance-required): "P9" refers to nothing [/inc:incident-acknowledge/inc:incident-id]
}
