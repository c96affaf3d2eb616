package nacm_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"incidentd/datastore"
	"incidentd/netconf/nacm"
	"incidentd/netconf/netconftest"
	"incidentd/yang"
	"incidentd/yang/data"
)

// TestPlaces decides about actions and notifications of the interface eth0 [RFC 8341
// sections 3.1.3 and 3.1.4]: it takes the right to read the way there.
func TestPlaces(t *testing.T) {
	b := netconftest.New(t, netconftest.Config{Schema: schema(t)})
	tree := interfaces(b, 0).With(data.Build(b.Schema.Root.ChildNamed("interfaces")).Node())
	list := tree.Child("interfaces").Schema().ChildNamed("interface")
	entry := data.NewEntry(list, "eth0")
	at := (&data.Loc{Node: tree}).Down(tree.Child("interfaces")).Down(entry)
	operation := func(name string) *yang.Node {
		for _, o := range list.Operations {
			if o.Name == name {
				return o
			}
		}
		t.Fatalf("there is no %s", name)
		return nil
	}
	rules := 0
	rule := func(about, operations, action string) string {
		rules++
		return fmt.Sprintf("<rule><name>%d</name>%s<access-operations>%s</access-operations><action>%s</action></rule>", rules, about, operations, action)
	}
	path := func(p string) string { return "<path>/acme:interfaces" + p + "</path>" }
	for _, tt := range []struct {
		name, rules        string
		reset, erase, down bool
	}{
		{"defaults", "", true, false, true},
		{"hidden above", rule(path(""), "read", "deny"), false, false, false},
		{"hidden entry", rule(path("/acme:interface[acme:name='eth0']"), "read", "deny"), false, false, false},
		{"other entry", rule(path("/acme:interface[acme:name='eth1']"), "*", "deny"), true, false, true},
		{"hidden key", rule(path("/acme:interface/acme:name"), "read", "deny"), false, false, false},
		{"action", rule(path("/acme:interface/acme:reset"), "exec", "deny") + rule(path("/acme:interface/acme:erase"), "exec", "permit"), false, true, true},
		{"action of the user", rule(path("/acme:interface[acme:name=$USER]/acme:reset"), "exec", "deny"), true, false, true},
		{"everything exec", rule("", "exec", "deny"), false, false, true},
		{"notification by path", rule(path("/acme:interface/acme:down"), "read", "deny"), true, false, false},
		{"notification by name", rule("<notification-name>down</notification-name>", "read", "deny"), true, false, false},
		{"rpc of the same name", rule("<rpc-name>reset</rpc-name>", "exec", "deny"), true, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := access(t, b, ruleSet(0, tt.rules))
			for name, want := range map[string]bool{"reset": tt.reset, "erase": tt.erase} {
				if err := a.Action(at, operation(name)); (err == nil) != want {
					t.Errorf("Action(%s) = %v, want permitted: %v", name, err, want)
				}
			}
			if got := a.NotifyAt(at, operation("down")); got != tt.down {
				t.Errorf("NotifyAt = %v, want %v", got, tt.down)
			}
			for name, want := range map[string]bool{"reset": tt.reset, "erase": tt.erase, "down": tt.down} {
				q := nacm.Query{User: "ann", Access: nacm.Exec}
				if name == "down" {
					q.Access = nacm.Read
				}
				var err error
				if q.Path, err = b.Schema.PathPattern("/acme:interfaces/acme:interface[acme:name='eth0']/acme:" + name); err != nil {
					t.Fatal(err)
				}
				if e := b.NACM.Explain(q); e.Permit != want {
					t.Errorf("Explain(%s) = %v, want %v: %s", name, e.Permit, want, e.Text)
				}
			}
		})
	}
}

// TestMayReadSome asks which rules leave nothing of an interface's name to be read.
func TestMayReadSome(t *testing.T) {
	b := netconftest.New(t, netconftest.Config{Schema: schema(t)})
	name := b.Schema.Root.ChildNamed("interfaces").ChildNamed("interface").ChildNamed("name")
	for _, tt := range []struct {
		path, operations string
		want             bool
	}{
		{"/acme:interfaces", "read", false},
		{"/acme:interfaces", "update", true},
		{"/acme:interfaces/acme:interface", "*", false},
		{"/acme:interfaces/acme:interface/acme:name", "read", false},
		{"/acme:interfaces/acme:interface[acme:name='eth0']", "read", true},
	} {
		a := access(t, b, ruleSet(0, fmt.Sprintf("<rule><name>1</name><path>%s</path><access-operations>%s</access-operations><action>deny</action></rule>", tt.path, tt.operations)))
		if got := a.MayReadSome(name); got != tt.want {
			t.Errorf("with %s of %s denied MayReadSome = %v, want %v", tt.operations, tt.path, got, tt.want)
		}
	}
	if !(*nacm.Access)(nil).MayReadSome(name) {
		t.Error("without access control a name cannot be read")
	}
}

// TestConcurrent changes the rules while everybody asks: each answer is that of the rules
// before or after.
func TestConcurrent(t *testing.T) {
	b := netconftest.New(t, netconftest.Config{Schema: schema(t)})
	tree := interfaces(b, 100)
	hide := ruleSet(3, "<rule><name>hide</name><path>/acme:interfaces/acme:interface[acme:name='if000007']</path><action>deny</action></rule>")
	access(t, b, hide)
	shown := b.Store.Snapshot().Running
	ctx, stop := context.WithCancel(t.Context())
	var asking sync.WaitGroup
	for range 4 {
		asking.Go(func() {
			for ctx.Err() == nil {
				n := b.NACM.Access("ann", nil).Read(tree).Child("interfaces").Len()
				if n != 99 && n != 100 {
					t.Errorf("%d interfaces are shown", n)
					return
				}
			}
		})
	}
	for i := range 40 {
		err := b.Store.Update(t.Context(), func(tx *datastore.Tx) error {
			if tx.SetRunning(shown); i%2 == 0 {
				tx.SetRunning(data.New(b.Schema.Root))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want := 99 + (i+1)%2
		if got := b.NACM.Access("ann", nil).Read(tree).Child("interfaces").Len(); got != want {
			t.Errorf("after change %d: %d interfaces are shown, want %d", i, got, want)
		}
	}
	stop()
	asking.Wait()
}
