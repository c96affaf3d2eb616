package schedule

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// run runs a timer until the test's function is over.
func run[T any](t *Timer[T]) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { t.Run(ctx) })
	return func() { cancel(); running.Wait() }
}

func TestTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var rung []string
		timer := NewTimer(nil, func(a *Alarm[string], due time.Time) {
			rung = append(rung, fmt.Sprintf("%s at %s, due %s", a.Value, time.Since(start), due.Sub(start)))
		})
		stop := run(timer)
		a, b, c, d := &Alarm[string]{Value: "a"}, &Alarm[string]{Value: "b"}, &Alarm[string]{Value: "c"}, &Alarm[string]{Value: "d"}
		timer.Set(a, start.Add(time.Hour))
		timer.Set(b, start.Add(time.Minute))
		timer.Set(c, start.Add(2*time.Minute))
		timer.Set(d, start.Add(-time.Minute))
		synctest.Wait()
		timer.Set(a, start.Add(30*time.Second))
		timer.Stop(c)
		timer.Stop(c)
		time.Sleep(3 * time.Hour)
		stop()
		want := []string{"d at 0s, due -1m0s", "a at 30s, due 30s", "b at 1m0s, due 1m0s"}
		if diff := cmp.Diff(want, rung); diff != "" {
			t.Error(diff)
		}
		if n := timer.Len(); n != 0 {
			t.Errorf("%d alarms are left", n)
		}
	})
}

// Steps of the wall clock are noticed within half a second, in both directions.
func TestTimerFollowsTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var step time.Duration
		now := func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			return time.Now().Add(step)
		}
		set := func(d time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			step = d
		}
		start := time.Now()
		var rung []time.Duration
		var steps []time.Duration
		timer := NewTimer(now, func(*Alarm[int], time.Time) { rung = append(rung, time.Since(start)) })
		timer.Stepped = func(by time.Duration) { steps = append(steps, by) }
		stop := run(timer)
		var forward, back Alarm[int]
		timer.Set(&forward, start.Add(time.Hour))
		timer.Set(&back, start.Add(2*time.Hour))
		time.Sleep(10*time.Minute + 100*time.Millisecond)
		set(50 * time.Minute)
		time.Sleep(time.Minute)
		set(-time.Hour)
		time.Sleep(4 * time.Hour)
		stop()
		want := []time.Duration{10*time.Minute + 500*time.Millisecond, 3 * time.Hour}
		if diff := cmp.Diff(want, rung); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]time.Duration{50 * time.Minute, -110 * time.Minute}, steps); diff != "" {
			t.Error(diff)
		}
	})
}

// The heap does what a sorted list does.
func TestHeap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var h heap[int]
	var all []*Alarm[int]
	for range 20_000 {
		switch a := (*Alarm[int])(nil); random.IntN(4) {
		case 0, 1:
			a = &Alarm[int]{at: random.Int64N(1000)}
			h.push(a)
			all = append(all, a)
		case 2:
			if len(all) > 0 {
				a = all[random.IntN(len(all))]
				a.at = random.Int64N(1000)
				h.moved(a)
			}
		case 3:
			if len(all) > 0 {
				i := random.IntN(len(all))
				h.remove(all[i])
				all = slices.Delete(all, i, i+1)
			}
		}
		for i, a := range h {
			if a.pos != i+1 {
				t.Fatalf("the alarm at %d says that it is at %d", i, a.pos-1)
			}
		}
		if len(h) != len(all) {
			t.Fatalf("%d alarms are in the heap, want %d", len(h), len(all))
		}
		if len(h) > 0 {
			least := slices.MinFunc(all, func(a, b *Alarm[int]) int { return int(a.at - b.at) })
			if h[0].at != least.at {
				t.Fatalf("the first is at %d, want %d", h[0].at, least.at)
			}
		}
		if len(all) > 300 {
			h, all = nil, nil
		}
	}
}

// task is a schedule that is kept, as a user of the package would.
type task struct {
	plan  *Plan
	alarm Alarm[int]
}

// tasks makes so many schedules of all frequencies in some zones.
func tasks(b testing.TB, n int, start time.Time) []*task {
	var all []*task
	names := []string{"UTC", "Europe/Madrid", "America/New_York", "Asia/Tokyo"}
	for i := range n {
		zone, err := LoadZone(names[i%len(names)])
		if err != nil {
			b.Fatal(err)
		}
		begin := start.Add(time.Duration(i) * 997 * time.Millisecond)
		plan, err := Definition{Recurrence: Recurrence{Start: begin, NotBefore: begin, Zone: zone, Frequency: Minutely, Interval: 5},
			Period: Duration{Seconds: 60}}.Plan()
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, &task{plan, Alarm[int]{Value: i}})
	}
	return all
}

// BenchmarkBuild makes 100,000 schedules and sets an alarm for each.
func BenchmarkBuild(b *testing.B) {
	const n = 100_000
	now := time.Now()
	var before, after runtime.MemStats
	var all []*task
	for b.Loop() {
		all = nil
		runtime.GC()
		runtime.ReadMemStats(&before)
		timer := NewTimer(nil, func(*Alarm[int], time.Time) {})
		all = tasks(b, n, now.AddDate(-1, 0, 0))
		for _, s := range all {
			next, ok := s.plan.Next(now)
			if !ok {
				b.Fatal("no member")
			}
			timer.Set(&s.alarm, next.Start)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(timer)
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/schedule")
	runtime.KeepAlive(all)
}

// BenchmarkFire fires 1,000 of 100,000 schedules a second, and tells how late.
func BenchmarkFire(b *testing.B) {
	const n, rate, seconds = 100_000, 1000, 10
	now := time.Now()
	late := make([]time.Duration, 0, n)
	all := tasks(b, n, now.AddDate(-1, 0, 0))
	var timer *Timer[int]
	timer = NewTimer(nil, func(a *Alarm[int], due time.Time) {
		late = append(late, time.Since(due))
		if _, ok := all[a.Value].plan.Next(due); ok {
			timer.Set(a, due.Add(n/rate*time.Second))
		}
	})
	for i, s := range all {
		timer.Set(&s.alarm, now.Add(time.Second+time.Duration(i)*time.Second/rate))
	}
	stop := run(timer)
	time.Sleep((1 + seconds) * time.Second)
	stop()
	slices.Sort(late)
	b.ReportMetric(float64(len(late))/seconds, "fires/s")
	b.ReportMetric(float64(late[len(late)/2].Microseconds()), "p50-us")
	b.ReportMetric(float64(late[len(late)*99/100].Microseconds()), "p99-us")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkHerd fires 100,000 schedules that are due at one instant.
func BenchmarkHerd(b *testing.B) {
	const n = 100_000
	all := tasks(b, n, time.Now())
	for b.Loop() {
		now := time.Now()
		left := n
		done := make(chan struct{})
		var timer *Timer[int]
		timer = NewTimer(nil, func(a *Alarm[int], _ time.Time) {
			all[a.Value].plan.Next(now)
			timer.Set(a, now.Add(time.Hour))
			if left--; left == 0 {
				close(done)
			}
		})
		for _, s := range all {
			s.alarm.pos = 0
			timer.Set(&s.alarm, now)
		}
		stop := run(timer)
		<-done
		stop()
	}
}
