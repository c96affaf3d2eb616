package netconf_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"incidentd/netconf/netconftest"
	"incidentd/netconf/transport"
	"incidentd/yang/xmltext"
)

// recorder is a connection that says what it is told and keeps what it gets.
type recorder struct {
	sink
	got bytes.Buffer
}

func (r *recorder) Write(p []byte) (int, error) { return r.got.Write(p) }

// FuzzSession sends anything after the hello: as a message in either framing, and
// as raw bytes. The seeds have every operation that there is a handler for. Every answer is one whole rpc-reply or notification of strict XML,
// and no handler falls over.
func FuzzSession(f *testing.F) {
	sends := regexp.MustCompile(`(?ms)^-- \w+ sends --\n(.*?)^--`)
	seeds := 0
	schema, err := farm()
	if err != nil {
		f.Fatal(err)
	}
	b := netconftest.New(f, netconftest.Config{Schema: schema, Setup: handleActions(f, schema)})
	var all bytes.Buffer
	for _, pattern := range []string{"testdata/*.txt", "testdata/action/*.txt", "ops/testdata/*.txt", "ops/testdata/*/*.txt", "subscribe/testdata/*.txt", "push/testdata/*.txt", "nacm/testdata/*.txt"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			for _, m := range sends.FindAllSubmatch(text, -1) {
				all.Write(m[1])
				f.Add(m[1], uint8(seeds%3))
				seeds++
			}
		}
	}
	unhandled := b.Server.Unhandled()
	for o := range schema.RPCs() {
		if !slices.Contains(unhandled, o) && !bytes.Contains(all.Bytes(), []byte("<"+o.Name)) {
			f.Errorf("no dialogue has the operation %s", o.QName())
		}
	}
	for _, part := range []string{"<action", "<list-pagination", "<where>", "<sort-by>", "<cursor>", "<sublist-limit>", "<url>", "<max-depth>", "<config-filter>",
		"<negated-origin-filter>", "<with-origin/>", "<with-defaults", "<xpath-filter", "<persist-id>", "<error-option>", "<test-option>"} {
		if !bytes.Contains(all.Bytes(), []byte(part)) {
			f.Errorf("no dialogue has %s", part)
		}
	}
	f.Fuzz(func(t *testing.T, msg []byte, framing uint8) {
		var in bytes.Buffer
		chunked := framing%3 != 0
		switch framing % 3 {
		case 0:
			in.WriteString(netconftest.Hello("1.0") + "]]>]]>")
			in.Write(msg)
			in.WriteString("]]>]]>")
		case 1:
			in.WriteString(netconftest.Hello("1.1") + "]]>]]>")
			if len(msg) > 0 {
				fmt.Fprintf(&in, "\n#%d\n%s\n##\n", len(msg), msg)
			}
		case 2:
			in.WriteString(netconftest.Hello("1.1") + "]]>]]>")
			in.Write(msg)
		}
		c := &recorder{sink: sink{Reader: &in}}
		b.Server.Serve(t.Context(), c)
		if log := b.Log.Take(); strings.Contains(log, "panic in") {
			t.Fatal(log)
		}
		r := transport.NewReader(&c.got, 0)
		for first := true; ; first = false {
			m, err := r.ReadMessage()
			if errors.Is(err, io.EOF) && !first {
				return
			}
			if err != nil {
				t.Fatalf("what the server sent cannot be read: %v", err)
			}
			e, err := xmltext.ParseElement(m, xmltext.Limits{Depth: 1000, Attributes: 1000})
			if err != nil {
				t.Fatalf("%v in %s", err, m)
			}
			want := "rpc-reply"
			if first {
				want = "hello"
				if chunked {
					r.Upgrade()
				}
			}
			if e.Local != want && e.Local != "notification" {
				t.Fatalf("a <%s>, want <%s>", e.Local, want)
			}
		}
	})
}
