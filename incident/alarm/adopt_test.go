package alarm_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"incidentd/datastore"
	"incidentd/yang/data"
)

// TestAdopt opens a store of the version that had a list and nothing else: its alarms get
// histories, and are counted.
func TestAdopt(t *testing.T) {
	b := open(t)
	old, err := (&data.Parser{Schema: b.schema, State: true}).ParseDocument([]byte(`<alarms xmlns="urn:ietf:params:xml:ns:yang:ietf-alarms" xmlns:t="urn:incidentd:yang:alarm-types"><alarm-list>
		<alarm><resource>P1/eth1</resource><alarm-type-id>t:link-down</alarm-type-id><alarm-type-qualifier/><time-created>2026-03-02T08:00:00Z</time-created>
			<is-cleared>false</is-cleared><last-raised>2026-03-02T08:00:00Z</last-raised><last-changed>2026-03-02T09:00:00Z</last-changed><perceived-severity>major</perceived-severity><alarm-text>down</alarm-text></alarm>
		<alarm><resource>P2</resource><alarm-type-id>t:cpu-high</alarm-type-id><alarm-type-qualifier/><time-created>2026-03-02T08:00:00Z</time-created>
			<is-cleared>true</is-cleared><last-raised>2026-03-02T08:00:00Z</last-raised><last-changed>2026-03-02T08:30:00Z</last-changed><perceived-severity>minor</perceived-severity><alarm-text>idle</alarm-text></alarm>
		</alarm-list></alarms>`))
	if err != nil {
		t.Fatal(err)
	}
	err = b.store.Update(context.Background(), func(tx *datastore.Tx) error {
		tx.SetState(tx.State().With(old.Child("alarms")))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	b.close()
	b.open()
	b.valid()
	var got []string
	for a := range b.top().Child("alarm-list").Entries("alarm") {
		for s := range a.Entries("status-change") {
			got = append(got, a.Leaf("resource")+" "+s.Leaf("time")+" "+s.Leaf("perceived-severity")+" "+s.Leaf("alarm-text"))
		}
	}
	for s := range b.top().Child("summary").Entries("alarm-summary") {
		if s.Leaf("total") != "0" {
			got = append(got, s.Leaf("severity")+" "+s.Leaf("not-cleared")+" "+s.Leaf("cleared"))
		}
	}
	want := []string{"P1/eth1 2026-03-02T09:00:00Z major down", "P2 2026-03-02T08:30:00Z cleared idle", "major 1 0", "minor 0 1"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if n := b.top().Child("alarm-list").Leaf("number-of-alarms"); n != "2" {
		t.Errorf("number-of-alarms = %s", n)
	}
}
