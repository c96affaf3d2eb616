package xmltext

import (
	"fmt"
	"strings"
	"testing"
)

// editConfig is an edit-config of about n bytes.
func editConfig(n int) []byte {
	var b strings.Builder
	b.WriteString(`<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="1"><edit-config><target><running/></target><config>` +
		`<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network" xmlns:nt="urn:ietf:params:xml:ns:yang:ietf-network-topology"><network><network-id>ip</network-id>` + "\n")
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "  <node>\n    <node-id>router-%d</node-id>\n    <nt:termination-point>\n      <nt:tp-id>ge-0/0/%d</nt:tp-id>\n    </nt:termination-point>\n  </node>\n", i, i%48)
	}
	b.WriteString(`</network></networks></config></edit-config></rpc>`)
	return []byte(b.String())
}

func BenchmarkDecode(b *testing.B) {
	in := editConfig(10 << 20)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		d := NewDecoder(in, Limits{})
		for {
			t, err := d.Next()
			if err != nil {
				b.Fatal(err)
			}
			if t.Kind == EOF {
				break
			}
		}
	}
}

func BenchmarkParseElement(b *testing.B) {
	in := editConfig(1 << 20)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseElement(in, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendText(b *testing.B) {
	for _, c := range []struct{ name, text string }{
		{"Plain", strings.Repeat("GigabitEthernet0/0/1 is down. ", 32)},
		{"Escaped", strings.Repeat("a < b && c > d ", 64)},
		{"UTF-8", strings.Repeat("Störung an Gerät é ", 48)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.text)))
			buf := make([]byte, 0, 4*len(c.text))
			for b.Loop() {
				buf = AppendText(buf[:0], c.text)
			}
		})
	}
}
