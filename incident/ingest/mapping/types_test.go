package mapping

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/modules"
)

func TestTypes(t *testing.T) {
	s, err := yang.Compile(modules.FS, yang.Options{Implemented: []string{"incidentd-mapping"}})
	if err != nil {
		t.Fatal(err)
	}
	doc, err := (&data.Parser{Schema: s}).ParseDocument([]byte(`<mapping xmlns="urn:incidentd:yang:mapping">
		<table><name>acme</name>
			<rule><name>a</name><description>The froth rises.</description><event><alarm-type-id>froth</alarm-type-id><severity>major</severity></event></rule>
			<rule><name>b</name><description>The froth is gone.</description><event><alarm-type-id>froth</alarm-type-id><severity>cleared</severity></event></rule>
			<rule><name>c</name><event><alarm-type-id>spill</alarm-type-id><alarm-type-qualifier>{{tank}}</alarm-type-qualifier><severity>minor</severity></event></rule>
			<rule><name>d</name><event><alarm-type-id>spill</alarm-type-id><alarm-type-qualifier>{tank}</alarm-type-qualifier><severity>minor</severity></event></rule>
			<rule><name>e</name><event><alarm-type-id>{word}</alarm-type-id><severity>minor</severity></event></rule>
			<rule><name>f</name><event><alarm-type-id>chat</alarm-type-id><kind>log</kind></event></rule>
			<rule><name>g</name><ignore/></rule>
		</table>
		<table><name>off</name><enabled>false</enabled><rule><name>a</name><event><alarm-type-id>never</alarm-type-id></event></rule></table>
	</mapping>`))
	if err != nil {
		t.Fatal(err)
	}
	want := []Type{{ID: "froth", Clears: true, Description: "The froth rises. The froth is gone."}, {ID: "spill", Qualifier: "{tank}"}}
	if d := cmp.Diff(want, Types(doc.Child("mapping"), nil)); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	builtin, err := Builtin(s)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(Types(nil, builtin)); n == 0 {
		t.Error("the tables that come with the server know no types")
	}
}
