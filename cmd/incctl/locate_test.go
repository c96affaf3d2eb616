package main

import (
	"strings"
	"testing"

	"incidentd/yang/rpcerr"
)

const locateXML = `<?xml version="1.0"?>
<config>
  <a:top xmlns:a="urn:a">
    <a:e><a:k>1</a:k>
      <a:v>x</a:v>
    </a:e>
    <a:e>
      <a:k>it's]</a:k>
      <a:v>y</a:v>
      <a:l>p</a:l>
      <a:l>q</a:l>
    </a:e>
  </a:top>
</config>`

const locateJSON = `{"a:top": {
  "e": [
    {"k": 1, "v": "x"},
    {
      "k": "it's]",
      "v": "y",
      "l": ["p",
        "q"]
    }
  ]
}}`

func TestLocate(t *testing.T) {
	for _, tt := range []struct {
		path, bad string
		xml, json int
	}{
		{"/a:top", "", 3, 1},
		{"/a:top/a:e[a:k='1']", "", 4, 3},
		{"/a:top/a:e[a:k='1']/a:v", "", 5, 3},
		{`/a:top/a:e[a:k="it's]"]/a:v`, "", 9, 6},
		{`/a:top/a:e[a:k="it's]"]/a:l[.='q']`, "", 11, 8},
		{`/a:top/a:e[a:k="it's]"]`, "v", 9, 6},
		{`/a:top/a:e[a:k="it's]"]/a:missing`, "", 7, 4},
		{`/a:top/a:e[a:k='none']`, "", 3, 1},
	} {
		e := rpcerr.InvalidValue("wrong").At(rpcerr.Path{Expr: tt.path})
		if tt.bad != "" {
			e = rpcerr.UnknownElement(tt.bad, "wrong").At(rpcerr.Path{Expr: tt.path})
		}
		for text, want := range map[string]int{locateXML: tt.xml, locateJSON: tt.json} {
			d := newDocument("f", []byte(text))
			at := d.spots().find(tt.path)
			for _, c := range at.children {
				if tt.bad != "" && c.name == tt.bad {
					at = c
				}
			}
			if got := d.line(at.offset); got != want {
				t.Errorf("json %t: %s is in line %d, want %d", d.json, tt.path, got, want)
			}
			if got := d.locate(e).Error(); !strings.HasPrefix(got, "f:") {
				t.Errorf("json %t: %s is located by %q", d.json, tt.path, got)
			}
		}
	}
	if got := newDocument("f", []byte(locateXML)).locate(rpcerr.TooBig("no place")).Error(); got != "too-big: no place" {
		t.Errorf("an error without a path reads %q", got)
	}
}

// No document and no path make the search fall over.
func FuzzLocate(f *testing.F) {
	f.Add(locateXML, "/a:top/a:e[a:k='1']/a:v")
	f.Add(locateJSON, `/a:top/a:e[a:k="it's]"]/a:l[.='q']`)
	f.Add(`{"a": [[1, {"b"`, "/a[")
	f.Add(`<a><b`, "a]/[=x")
	f.Add("{\"\xcb\xcb:top\":0", "top")
	f.Fuzz(func(t *testing.T, text, path string) {
		d := newDocument("f", []byte(text))
		if line := d.line(d.spots().find(path).offset); line < 1 || line > 1+strings.Count(text, "\n") {
			t.Errorf("line %d of %q", line, text)
		}
	})
}
