package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"incidentd/incident/ingest"
	"incidentd/incident/ingest/jsonlines"
	"incidentd/incident/ingest/mapping"
)

const (
	// firstAnswer is how long the brokers may take to answer when a run begins.
	firstAnswer = 15 * time.Second
	// missingTime is the pause before a topic that is not there is looked for again.
	missingTime = 10 * time.Second
	// commitTime is how long a commit may take.
	commitTime = 30 * time.Second
)

// source is the container kafka.
type source struct {
	options []kgo.Opt
	topics  []string
}

// Run implements ingest.Source.
func (s *source) Run(ctx context.Context, f *ingest.Feed) error {
	w := &watcher{ctx: ctx, feed: f, ends: map[place]int64{}, committed: map[place]int64{}}
	gone := func(_ context.Context, _ *kgo.Client, lost map[string][]int32) { w.forget(lost) }
	client, err := kgo.NewClient(append(slices.Clone(s.options), kgo.WithHooks(w),
		kgo.OnPartitionsRevoked(gone), kgo.OnPartitionsLost(gone))...)
	if err != nil {
		return err
	}
	defer client.CloseAllowingRebalance()
	wrong, err := s.missing(ctx, client)
	if err != nil {
		return fmt.Errorf("no broker answers: %w", err)
	}
	f.Up()
	f.Backlog(w.backlog)
	w.complain(wrong)
	for {
		fetches, late := poll(ctx, client, wrong != "")
		if ctx.Err() != nil {
			return nil
		}
		fault, err := w.faults(fetches)
		if err != nil {
			return err
		}
		if err := w.take(ctx, client, fetches); err != nil {
			return err
		}
		client.AllowRebalance()
		switch {
		case fault != "":
			wrong = fault // until the brokers say that all is well
		case late:
			if now, err := s.missing(ctx, client); err == nil {
				wrong = now
			}
		}
		w.complain(wrong)
	}
}

// poll waits for records. It reports whether it gave up, which it does for somebody who is
// impatient.
func poll(ctx context.Context, client *kgo.Client, impatient bool) (kgo.Fetches, bool) {
	if impatient {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, missingTime)
		defer cancel()
	}
	fetches := client.PollRecords(ctx, mostPoll)
	return fetches, ctx.Err() != nil
}

// missing says which of the topics are not there, or may not be read.
func (s *source) missing(ctx context.Context, client *kgo.Client) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, firstAnswer)
	defer cancel()
	if err := client.Ping(ctx); err != nil {
		return "", err
	}
	ask := kmsg.NewPtrMetadataRequest()
	ask.AllowAutoTopicCreation = false
	for _, name := range s.topics {
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = &name
		ask.Topics = append(ask.Topics, topic)
	}
	got, err := ask.RequestWith(ctx, client)
	if err != nil {
		return "", err
	}
	for _, topic := range got.Topics {
		if err := kerr.ErrorForCode(topic.ErrorCode); err != nil && topic.Topic != nil {
			return fmt.Sprintf("topic %s: %v", *topic.Topic, err), nil
		}
	}
	return "", nil
}

// place is a partition.
type place struct {
	topic     string
	partition int32
}

// watcher is what a run knows of the topics and of the brokers.
type watcher struct {
	ctx  context.Context // of the run
	feed *ingest.Feed

	mu              sync.Mutex
	ends, committed map[place]int64 // offsets
	connections     int
	fault           string // of a topic
}

// faults tells what went wrong with a partition. What is lost is counted; an error is that the
// client has to begin anew.
func (w *watcher) faults(fetches kgo.Fetches) (fault string, err error) {
	fetches.EachError(func(topic string, partition int32, e error) {
		var lost *kgo.ErrDataLoss
		var group *kgo.ErrGroupSession
		switch {
		case errors.Is(e, context.DeadlineExceeded) || errors.Is(e, context.Canceled): // of the poll itself
		case errors.As(e, &lost):
			w.feed.Dropped(int(max(1, lost.ConsumedTo-lost.ResetTo)), "the brokers no longer have records that were not read: "+e.Error())
		case errors.As(e, &group):
			err = e
		default:
			fault = fmt.Sprintf("topic %s: %v", topic, e)
		}
	})
	return fault, err
}

// complain says what is wrong with a topic; "": nothing is known to be.
func (w *watcher) complain(fault string) {
	w.mu.Lock()
	changed := fault != w.fault
	w.fault = fault
	w.mu.Unlock()
	if changed {
		w.feed.Degraded(fault)
	}
}

// take stores the events of records, and commits that.
func (w *watcher) take(ctx context.Context, client *kgo.Client, fetches kgo.Fetches) error {
	var messages []*mapping.Message
	fetches.EachRecord(func(r *kgo.Record) {
		w.feed.Received(len(r.Value))
		all, err := jsonlines.Read(bytes.NewReader(r.Value))
		if err != nil {
			w.feed.Malformed(fmt.Errorf("topic %s, partition %d, offset %d: %w", r.Topic, r.Partition, r.Offset, err))
			return
		}
		messages = append(messages, all...)
	})
	fetches.EachPartition(func(p kgo.FetchTopicPartition) { w.reached(p) })
	if fetches.NumRecords() == 0 {
		return nil
	}
	if err := w.feed.Keep(ctx, messages); err != nil {
		return nil // the run ends, and the records come again
	}
	// A run that ends has stored them: it commits that, too.
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTime)
	defer cancel()
	if err := client.CommitRecords(late, fetches.Records()...); err != nil {
		return fmt.Errorf("the offsets cannot be committed, and the records come again: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	fetches.EachRecord(func(r *kgo.Record) { w.committed[place{r.Topic, r.Partition}] = r.Offset + 1 })
	return nil
}

// reached notes where a partition ends, and where the first records of it begin.
func (w *watcher) reached(p kgo.FetchTopicPartition) {
	if p.Err != nil || len(p.Records) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	at := place{p.Topic, p.Partition}
	w.ends[at] = max(w.ends[at], p.HighWatermark)
	if _, known := w.committed[at]; !known {
		w.committed[at] = p.Records[0].Offset
	}
}

// forget forgets partitions that another member of the group has from now on.
func (w *watcher) forget(lost map[string][]int32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for topic, partitions := range lost {
		for _, p := range partitions {
			delete(w.ends, place{topic, p})
			delete(w.committed, place{topic, p})
		}
	}
}

// backlog is how many records follow the committed offsets, as far as the brokers have told.
func (w *watcher) backlog() (n int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for at, end := range w.ends {
		n += max(0, end-w.committed[at])
	}
	return n
}

// OnBrokerConnect implements kgo.HookBrokerConnect.
func (w *watcher) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if err == nil {
		w.connect(1)
	}
}

// OnBrokerDisconnect implements kgo.HookBrokerDisconnect.
func (w *watcher) OnBrokerDisconnect(kgo.BrokerMetadata, net.Conn) { w.connect(-1) }

// connect counts connections. Without any, the source is degraded until there is one.
func (w *watcher) connect(n int) {
	w.feed.Connected(n)
	w.mu.Lock()
	w.connections += n
	reason := w.fault
	if w.connections == 0 {
		reason = "no broker can be reached"
	}
	w.mu.Unlock()
	if w.ctx.Err() == nil {
		w.feed.Degraded(reason)
	}
}
