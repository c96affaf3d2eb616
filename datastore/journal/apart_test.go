package journal

import (
	"path/filepath"
	"testing"
	"time"
)

// TestApart has a stream whose records NETCONF does not have, and whose last deleted
// record is remembered.
func TestApart(t *testing.T) {
	db := openStore(t, filepath.Join(t.TempDir(), "store"))
	o := Options{MaxAge: time.Hour, RingRecords: -1}
	j := openIn(t, db, o)
	if r, err := j.LastTrimmed("audit"); r != nil || err != nil {
		t.Errorf("LastTrimmed of a new journal = %v, %v", r, err)
	}
	mustAdd(t, j, epoch, draft("audit", 1), draft("oam", 2), draft("audit", 3), draft("oam", 4))
	mustAdd(t, j, epoch.Add(2*time.Hour), draft("oam", 5), draft("audit", 6))
	seqs := func(j *Journal, streams ...string) (list []uint64) {
		for _, r := range drain(t, j.Cursor(0, streams...)) {
			list = append(list, r.Seq)
		}
		return list
	}
	same := func(name string, got []uint64, want ...uint64) {
		t.Helper()
		if len(got) != len(want) {
			t.Errorf("%s = %v, want %v", name, got, want)
			return
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%s = %v, want %v", name, got, want)
			}
		}
	}
	same("NETCONF", seqs(j, NETCONF), 2, 4, 5)
	same("all", seqs(j), 2, 4, 5)
	same("audit", seqs(j, "audit"), 1, 3, 6)
	same("audit and oam", seqs(j, "audit", "oam"), 1, 2, 3, 4, 5, 6)
	if n, err := j.Trim(t.Context(), epoch.Add(2*time.Hour)); n != 4 || err != nil {
		t.Fatalf("Trim = %d, %v, want 4", n, err)
	}
	for range 2 {
		r, err := j.LastTrimmed("audit")
		if err != nil || r == nil || r.Seq != 3 || string(r.Body) != "<n>3</n>" || r.Stream != "audit" {
			t.Errorf("LastTrimmed = %v, %v, want record 3", r, err)
		}
		if r, err := j.LastTrimmed("oam"); r != nil || err != nil {
			t.Errorf("LastTrimmed of a stream that is not apart = %v, %v", r, err)
		}
		same("audit", seqs(j, "audit"), 6)
		j = openIn(t, db, o) // and after a restart
	}
}

// What the configuration and Options leave out is what a stream says itself.
func TestRetainOfStreams(t *testing.T) {
	const day = 24 * time.Hour
	j := openIn(t, openStore(t, filepath.Join(t.TempDir(), "store")), Options{RingRecords: -1})
	of := func() (audit, alarms, all Retention) {
		return j.logs["audit"].retain, j.logs["alarms"].retain, j.retain
	}
	check := func(name string, audit, alarms, all Retention) {
		t.Helper()
		if a, b, c := of(); a != audit || b != alarms || c != all {
			t.Errorf("%s: %v, %v and %v; want %v, %v and %v", name, a, b, c, audit, alarms, all)
		}
	}
	week, quarter := Retention{7 * day, 1 << 30}, Retention{90 * day, 1 << 30}
	check("default", quarter, week, week)
	j.SetRetention(map[string]Retention{"audit": {MaxBytes: 5}, "alarms": {MaxAge: day}})
	check("configured", Retention{90 * day, 5}, Retention{day, 1 << 30}, week)
	j.SetRetention(map[string]Retention{"audit": {MaxAge: 365 * day}})
	check("configured anew", Retention{365 * day, 1 << 30}, week, week)
}
