package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestCanonical(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"spaces", " { \"b\" : [ 1 , 2 ] , \"a\" : { } }\n", `{"a":{},"b":[1,2]}`},
		// RFC 8785 section 3.2.3: names in the order of UTF-16.
		{"names", `{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}`,
			"{\"\\r\":2,\"1\":4,\"\u0080\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\ufb33\":3}"},
		{"literals", `[null,true,false]`, `[null,true,false]`},
		{"text", `"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/<\u2028>\u007f"`, `"€$\u000f\nA'B\"\\\\\"/<` + "\u2028>\u007f\""},
		{"half a surrogate", `"\ud800"`, "\"\ufffd\""},
		// RFC 8785 appendix B.
		{"zero", `[0,-0,0.0,0e7]`, `[0,0,0,0]`},
		{"smallest", `5e-324`, `5e-324`},
		{"largest", `1.7976931348623157e308`, `1.7976931348623157e+308`},
		{"integers", `[9007199254740992,295147905179352825856]`, `[9007199254740992,295147905179352830000]`},
		{"large", `[999999999999999868928,1e21,1e23]`, `[999999999999999900000,1e+21,1e+23]`},
		{"small", `[0.000001,9.999999999999997e-7,1e-27]`, `[0.000001,9.999999999999997e-7,1e-27]`},
		{"fractions", `[333333333.33333329,4.50,2e-3]`, `[333333333.3333333,4.5,0.002]`},
	}
	for _, tt := range tests {
		got, err := Canonical([]byte(tt.in))
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: Canonical(%s) = %s, %v, want %s", tt.name, tt.in, got, err, tt.want)
		}
	}
	for _, bad := range []string{"", "{", `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, "1e400", "[1,]", "1 2", "\"\xff\"", strings.Repeat("[", 2000) + strings.Repeat("]", 2000)} {
		if got, err := Canonical([]byte(bad)); err == nil {
			t.Errorf("Canonical(%.20s) = %s, want an error", bad, got)
		}
	}
}

// What is taken is JSON of the same meaning, and its own canonical form.
func FuzzCanonical(f *testing.F) {
	f.Add([]byte(`{"b":[1.5,"\n"],"a":null}`))
	f.Add([]byte(`[-0,1e21,"\ud83d\ude00"]`))
	f.Fuzz(func(t *testing.T, in []byte) {
		one, err := Canonical(in)
		if err != nil {
			return
		}
		two, err := Canonical(one)
		if err != nil || !bytes.Equal(one, two) {
			t.Fatalf("the form of %s is %s, and of that %s, %v", in, one, two, err)
		}
		var a, b any
		if json.Unmarshal(in, &a) != nil || json.Unmarshal(one, &b) != nil {
			t.Fatalf("%s, %s: not JSON", in, one)
		}
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		if !bytes.Equal(bytes.ReplaceAll(x, []byte("-0"), []byte("0")), bytes.ReplaceAll(y, []byte("-0"), []byte("0"))) {
			t.Fatalf("%s has become %s", x, y)
		}
	})
}
