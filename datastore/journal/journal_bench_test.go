package journal

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// BenchmarkAppend is append, commit and publish in groups.
func BenchmarkAppend(b *testing.B) {
	for _, group := range []int{1, 10, 100} {
		b.Run(fmt.Sprint(group), func(b *testing.B) {
			j := openTest(b, Options{})
			drafts := make([]Draft, group)
			for i := range drafts {
				drafts[i] = Draft{"incidents", "ietf-incident:incident-notification", make([]byte, 1000)}
			}
			for b.Loop() {
				mustAdd(b, j, time.Now(), drafts...)
			}
			b.ReportMetric(float64(j.Last())/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkFollow is 100 cursors following while groups of 100 are published.
func BenchmarkFollow(b *testing.B) {
	const cursors, group = 100, 100
	j := openTest(b, Options{})
	drafts := make([]Draft, group)
	for i := range drafts {
		drafts[i] = Draft{"incidents", "ietf-incident:incident-notification", make([]byte, 1000)}
	}
	var wg sync.WaitGroup
	total := uint64(b.N * group)
	for range cursors {
		wg.Go(func() {
			c := j.Cursor(1)
			for {
				r, err := c.Next(b.Context())
				if err != nil {
					b.Error(err)
					return
				}
				if r.Seq == total {
					return
				}
			}
		})
	}
	b.ResetTimer()
	for range b.N {
		mustAdd(b, j, time.Now(), drafts...)
	}
	wg.Wait()
	b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(total*cursors)/b.Elapsed().Seconds(), "deliveries/s")
	b.ReportMetric(float64(j.Stats().DiskReads), "diskreads")
}

// BenchmarkReplay is one cursor reading from the disk.
func BenchmarkReplay(b *testing.B) {
	j := openTest(b, Options{RingRecords: -1})
	drafts := make([]Draft, 1000)
	for i := range drafts {
		drafts[i] = Draft{"incidents", "ietf-incident:incident-notification", make([]byte, 1000)}
	}
	for range 50 {
		mustAdd(b, j, time.Now(), drafts...)
	}
	n := 0
	for b.Loop() {
		n += len(drain(b, j.Cursor(0)))
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
}
