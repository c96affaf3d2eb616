package incident_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"incidentd/datastore"
	"incidentd/incident"
	"incidentd/incident/event"
	"incidentd/yang/rpcerr"
)

// numbered returns n events, each of another interface.
func numbered(name string, n int) []event.Event {
	out := make([]event.Event, n)
	for k := range out {
		out[k] = event.Event{ID: fmt.Sprint(name, k), Node: "P1", Resource: fmt.Sprint(name, k), AlarmTypeID: "link-down", Severity: event.Major}
	}
	return out
}

// limit sets the memory of the queue, in bytes, and the patience of reporters in seconds.
func (b *bench) limit(memory, patience int) {
	b.configure(fmt.Sprintf(`<admission xmlns="urn:incidentd:yang:admission"><queue-memory>%d</queue-memory><patience>%d</patience></admission>`, memory, patience))
	b.report(down("limit", "P1", "limit", "link-down")) // holds from now on
}

// hold keeps the writer of the store busy until the function that it returns is called.
func (b *bench) hold() (release func()) {
	held, end := make(chan struct{}), make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		_ = b.store.Update(context.Background(), func(*datastore.Tx) error { close(held); <-end; return nil })
	})
	<-held
	return func() { close(end); writer.Wait() }
}

// A flood by one inlet leaves room for another, whose events are taken in their turn,
// not after the flood.
func TestInletsTakeTurns(t *testing.T) {
	b := open(t)
	defer b.close()
	b.limit(1<<20, 10)
	flood, other := b.manager.Inlet("flood"), b.manager.Inlet("other")
	defer flood.Close()
	defer other.Close()
	release := b.hold()
	var mu sync.Mutex
	var order []string
	told := func(name string) func(incident.Reported, error) {
		return func(_ incident.Reported, err error) {
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			order = append(order, name)
		}
	}
	n := 0
	for flood.Offer(numbered(fmt.Sprintf("f%d-", n), 100), told("flood")) {
		n++
	}
	if f := flood.Figures(); f.Lost != 100 || f.Queued != n*100 {
		t.Errorf("%d events are lost and %d queued, want 100 and %d", f.Lost, f.Queued, n*100)
	}
	if !other.Offer(numbered("o", 100), told("other")) {
		t.Fatal("there is no room for another inlet")
	}
	if f := b.manager.Admission(); f.Memory > 1<<20 {
		t.Errorf("the queue holds %d bytes", f.Memory)
	}
	release()
	if _, err := flood.Report(t.Context(), numbered("last", 1)); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(order) != n+1 {
		t.Fatalf("%d batches were taken of %d", len(order), n+1)
	}
	if order[0] != "flood" || order[1] != "other" && order[2] != "other" {
		t.Errorf("the other inlet had to wait: %v", order)
	}
	if f := b.manager.Admission(); f.Queued != 0 || f.Memory != 0 || f.Lost != 100 || f.Accepted != uint64(n*100+100+1+1) {
		t.Errorf("figures = %+v", f)
	}
}

// A reporter waits for room, and is told to come again when there is none in time; who is
// let in is on disk.
func TestReporterWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t)
		defer b.close()
		b.limit(65536, 5)
		release := b.hold()
		var reporters sync.WaitGroup
		report := func(name string) *error {
			err := new(error)
			reporters.Go(func() { _, *err = b.manager.Report(context.Background(), numbered(name, 100)) })
			synctest.Wait()
			return err
		}
		first, second := report("a"), report("b")
		begun := time.Now()
		if f := b.manager.Admission(); f.Reporters != 1 || f.Queued != 100 || f.Delayed != 100 {
			t.Errorf("figures = %+v", f)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		var denied *rpcerr.Error
		if !errors.As(*second, &denied) || denied.Tag != rpcerr.TagResourceDenied || denied.Type != rpcerr.Application {
			t.Errorf("the second reporter is told %v", *second)
		}
		if waited := time.Since(begun); waited != 5*time.Second {
			t.Errorf("it waited %v", waited)
		}
		third := report("c")
		release()
		reporters.Wait()
		if *first != nil || *third != nil {
			t.Errorf("the others are told %v and %v", *first, *third)
		}
		if f := b.manager.Admission(); f.Refused != 100 || f.Accepted != 201 || f.Reporters != 0 || f.LongestLag != 5*time.Second {
			t.Errorf("figures = %+v", f)
		}
		if n := len(b.alarms()); n != 201 {
			t.Errorf("%d alarms are there", n)
		}
	})
}

// Without patience a reporter is taken where there is room, and else refused at once.
func TestNoPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t)
		defer b.close()
		b.limit(65536, 0)
		if _, err := b.manager.Report(t.Context(), numbered("a", 100)); err != nil {
			t.Errorf("an empty queue has no room: %v", err)
		}
		release := b.hold()
		in := b.manager.Inlet("")
		defer in.Close()
		if err := in.Send(t.Context(), numbered("b", 100), nil); err != nil {
			t.Error(err)
		}
		begun := time.Now()
		if _, err := in.Report(t.Context(), numbered("c", 100)); !errors.As(err, new(*rpcerr.Error)) || time.Since(begun) != 0 {
			t.Errorf("a full queue: %v after %v", err, time.Since(begun))
		}
		release()
	})
}

// A source that waits gives up with its context, and one that stops is told.
func TestSendEnds(t *testing.T) {
	b := open(t)
	b.limit(65536, 5)
	release := b.hold()
	in := b.manager.Inlet("source")
	if err := in.Send(t.Context(), numbered("a", 150), nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone")
	cancel(gone)
	if err := in.Send(ctx, numbered("b", 1), nil); !errors.Is(err, gone) {
		t.Errorf("Send without a context = %v", err)
	}
	release()
	in.Close()
	b.close()
	if err := in.Send(t.Context(), numbered("c", 1), nil); !errors.As(err, new(*rpcerr.Error)) {
		t.Errorf("Send after the end = %v", err)
	}
	if in.Offer(numbered("d", 1), nil) {
		t.Error("Offer after the end is taken")
	}
}

// Many reporters at once, of few events each, lose nothing and share transactions.
func TestReportersShare(t *testing.T) {
	b := open(t)
	defer b.close()
	before := b.store.Snapshot().Version
	release := b.hold()
	var reporters sync.WaitGroup
	for n := range 64 {
		reporters.Go(func() {
			if _, err := b.manager.Report(t.Context(), numbered(fmt.Sprintf("r%d-", n), 2)); err != nil {
				t.Error(err)
			}
		})
	}
	for b.manager.Admission().Queued != 128 {
		time.Sleep(time.Millisecond)
	}
	release()
	reporters.Wait()
	if n := len(b.alarms()); n != 128 {
		t.Errorf("%d alarms are there", n)
	}
	if n := b.store.Snapshot().Version - before; n > 20 {
		t.Errorf("%d transactions", n)
	}
}

// What cannot be written is given back, and the next is taken.
func TestInletFullDisk(t *testing.T) {
	b := open(t)
	defer b.close()
	b.full.Store(true)
	if _, err := b.manager.Report(t.Context(), numbered("a", 3)); err == nil {
		t.Error("taken on a full disk")
	}
	b.full.Store(false)
	if r, err := b.manager.Report(t.Context(), numbered("a", 3)); err != nil || r.Accepted != 3 {
		t.Errorf("Report = %+v, %v", r, err)
	}
	if f := b.manager.Admission(); f.Refused != 3 || f.Accepted != 3 || f.Queued != 0 || f.Memory != 0 {
		t.Errorf("figures = %+v", f)
	}
	b.valid()
}

// alarms are the resources in the alarm list.
func (b *bench) alarms() (out []string) {
	for a := range b.store.Snapshot().Operational().Descend("alarms", "alarm-list").Entries("alarm") {
		out = append(out, a.Leaf("resource"))
	}
	return out
}
