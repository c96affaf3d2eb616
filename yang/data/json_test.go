package data

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestJSON(t *testing.T) {
	s := testSchema(t)
	for _, c := range []struct{ in, want string }{
		{``, `{}`},
		{`<top>a"\&lt;é` + "\n" + `</top>`, `{"t:top":"a\"\\\u003cé\n"}`},
		{`<c><n>5</n><e/><b>true</b><big>18446744073709551615</big><dec>1.50</dec><bits>two one</bits></c>`,
			`{"t:c":{"n":5,"e":[null],"b":true,"big":"18446744073709551615","dec":"1.5","bits":"one two"}}`},
		{`<c><id>u:dog</id><ids>t:cat</ids><ids>u:dog</ids></c>`, `{"t:c":{"id":"u:dog","ids":["cat","u:dog"]}}`},
		{`<c><u:s>x</u:s><u:ul2><u:k>1</u:k></u:ul2></c><u:c><u:z>1</u:z></u:c>`, `{"t:c":{"u:s":"x","u:ul2":[{"k":"1"}]},"u:c":{"z":"1"}}`},
		{`<c><uni>7</uni></c>`, `{"t:c":{"uni":7}}`},
		{`<c><uni>x:y</uni></c>`, `{"t:c":{"uni":"x:y"}}`},
		{`<c><ref>01</ref><p/></c>`, `{"t:c":{"ref":"01","p":{}}}`},
		{`<c><ii>/t:two[t:b='t:x'][t:a="1"]/t:in[t:k='/t:y']/t:v</ii></c>`, `{"t:c":{"ii":"/t:two[b='t:x'][a='1']/in[k='/t:y']/v"}}`},
		{`<c><ii>/t:two[t:b="it's"][t:a="01"]</ii></c>`, `{"t:c":{"ii":"/t:two[b=\"it's\"][a='1']"}}`},
		{`<c><ii>/t:l[t:k='1']/u:more</ii></c>`, `{"t:c":{"ii":"/t:l[k='1']/u:more"}}`},
		{`<l><k>2</k></l><l><k>1</k><u:more>m</u:more></l>`, `{"t:l":[{"k":"1","u:more":"m"},{"k":"2"}]}`},
	} {
		got := AppendChildrenJSON([]byte("_"), mustParse(t, s, c.in), nil)
		if diff := cmp.Diff("_"+c.want, string(got)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.in, diff)
		}
		if !json.Valid(got[1:]) {
			t.Errorf("%s is no JSON", got[1:])
		}
	}
}

// TestJSONLikeYanglint compares with another implementation, up to the module
// names of identities, which may be left out where they are the leaf's own.
func TestJSONLikeYanglint(t *testing.T) {
	yanglint, err := exec.LookPath("yanglint")
	if err != nil {
		t.Skip("yanglint is not installed")
	}
	s := testSchema(t)
	dir := t.TempDir()
	for name, text := range map[string]string{"t.yang": testModule, "u.yang": userModule} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, in := range []string{
		`<c><s>x &lt; "y"</s><n>5</n><e/><b>true</b><big>18446744073709551615</big><dec>1.50</dec><bits>two one</bits><id>u:dog</id><uni>7</uni><ids>u:dog</ids></c>`,
		`<c><ll>b</ll><ll>a</ll><ul>b</ul><ul>a</ul><np><deep><y>1</y></deep></np><p/><u:extra>e</u:extra><u:s>s</u:s></c><u:c><u:z>1</u:z></u:c>`,
		`<l><k>1</k><v>x</v><u:more>m</u:more></l><l><k>2</k></l><u><k>z</k></u><u><k>y</k></u><two><b>q</b><a>2</a><in><k>1</k></in></two><top>t</top>`,
		`<c><ii>/t:two[t:b='t:x'][t:a='1']/t:in[t:k='/t:y']/t:v</ii></c>`,
	} {
		n := mustParse(t, s, in)
		file := filepath.Join(dir, "data.xml")
		if err := os.WriteFile(file, AppendChildrenXML(nil, n, ""), 0o600); err != nil {
			t.Fatal(err)
		}
		var errs bytes.Buffer
		cmd := exec.Command(yanglint, "-p", dir, "-f", "json", "-t", "config", filepath.Join(dir, "t.yang"), filepath.Join(dir, "u.yang"), file)
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("yanglint refuses %s: %v\n%s", AppendChildrenXML(nil, n, ""), err, &errs)
			continue
		}
		var want, got any
		if err := json.Unmarshal(out, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(AppendChildrenJSON(nil, n, nil), &got); err != nil {
			t.Fatal(err)
		}
		// The order of entries that the system orders is free.
		if diff := cmp.Diff(want, got, cmp.Transformer("sorted", func(l []any) map[string]int {
			out := map[string]int{}
			for _, e := range l {
				b, _ := json.Marshal(e)
				out[strings.ReplaceAll(string(b), "t:cat", "cat")]++
			}
			return out
		})); diff != "" {
			t.Errorf("%s: (-yanglint +ours)\n%s", in, diff)
		}
	}
}
