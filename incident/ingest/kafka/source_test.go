package kafka_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"incidentd/incident/event"
	"incidentd/incident/ingest/ingesttest"
	"incidentd/incident/ingest/kafka"
	"incidentd/yang/rpcerr"
)

// cluster is a broker of the process itself, with a topic of two partitions.
func cluster(t *testing.T, more ...kfake.Opt) (*kfake.Cluster, *kgo.Client) {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(2, "events")}, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	producer, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(producer.Close)
	return c, producer
}

// produce sends records to a partition.
func produce(t *testing.T, producer *kgo.Client, partition int32, values ...string) {
	t.Helper()
	var records []*kgo.Record
	for _, v := range values {
		records = append(records, &kgo.Record{Topic: "events", Partition: partition, Value: []byte(v)})
	}
	if err := producer.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func line(id string) string {
	return fmt.Sprintf(`{"id":%q,"node":"PE1","alarm-type-id":"link-down"}`, id)
}

func source(brokers []string, more string) string {
	return "<source><name>bus</name><kafka><broker>" + strings.Join(brokers, "</broker><broker>") + "</broker><topic>events</topic>" + more + "</kafka></source>"
}

func ids(events []event.Event) (list []string) {
	for _, e := range events {
		list = append(list, e.ID)
	}
	return list
}

// committed is the sum of the offsets that the group has committed.
func committed(t *testing.T, client *kgo.Client) (n int64) {
	t.Helper()
	r := kmsg.NewPtrOffsetFetchRequest()
	r.Group = "incidentd"
	group := kmsg.NewOffsetFetchRequestGroup()
	group.Group = r.Group
	r.Groups = append(r.Groups, group)
	got, err := r.RequestWith(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range got.Groups {
		for _, topic := range g.Topics {
			for _, p := range topic.Partitions {
				n += max(0, p.Offset)
			}
		}
	}
	return n
}

// Events come in the order of their partition, what is none is told with its place, and
// offsets are committed behind what is stored.
func TestRecords(t *testing.T) {
	c, producer := cluster(t)
	produce(t, producer, 0, line("a"), line("b")+"\n"+line("c")+"\n", "nonsense", line("d"), "")
	b := ingesttest.New(t, kafka.Kind())
	b.Sources(source(c.ListenAddrs(), ""))
	if diff := cmp.Diff([]string{"a", "b", "c", "d"}, ids(b.Await(4))); diff != "" {
		t.Error(diff)
	}
	b.AwaitHealth("bus", "backlog", "0")
	h := b.Health("bus")
	for leaf, want := range map[string]string{"state": "up", "received": "5", "malformed": "1", "events": "4", "dropped": "0",
		"last-error": "topic events, partition 0, offset 2: line 1: event: syntax error at byte 1"} {
		if got := h.Leaf(leaf); got != want && (leaf != "last-error" || !strings.HasPrefix(got, "topic events, partition 0, offset 2: line 1: ")) {
			t.Errorf("%s = %s, want %s", leaf, got, want)
		}
	}
	produce(t, producer, 1, line("e"))
	b.Await(5)
	b.Sources("") // a run that ends commits what it has stored
	if n := committed(t, producer); n != 6 {
		t.Errorf("the offsets committed are %d, want 6", n)
	}
	produce(t, producer, 0, line("f"))
	b.Sources(source(c.ListenAddrs(), ""))
	if diff := cmp.Diff([]string{"a", "b", "c", "d", "e", "f"}, ids(b.Await(6))); diff != "" {
		t.Error(diff)
	}
	if got := b.Health("bus").Leaf("duplicates"); got != "0" {
		t.Errorf("%s events came again", got)
	}
}

// What cannot be stored is not committed, and comes when it can be: nothing is lost. One
// that is refused for what it is holds up nobody.
func TestStore(t *testing.T) {
	c, producer := cluster(t)
	b := ingesttest.New(t, kafka.Kind())
	b.Refuse(errors.New("the disk is full"))
	b.Sources(source(c.ListenAddrs(), ""))
	produce(t, producer, 0, line("a"), line("b"))
	b.AwaitHealth("bus", "reason", "events cannot be stored: the disk is full")
	if n := committed(t, producer); n != 0 {
		t.Errorf("offset %d is committed, and nothing is stored", n)
	}
	b.AwaitHealth("bus", "backlog", "2")
	b.Sources("") // the run ends in the middle
	if n := committed(t, producer); n != 0 {
		t.Errorf("offset %d is committed by a run that stored nothing", n)
	}
	if got := b.Health("bus").Leaf("dropped"); got != "" && got != "0" {
		t.Errorf("%s are counted as lost, and Kafka has them", got)
	}
	b.Sources(source(c.ListenAddrs(), ""))
	b.AwaitHealth("bus", "reason", "events cannot be stored: the disk is full")
	b.Refuse(nil)
	if diff := cmp.Diff([]string{"a", "b"}, ids(b.Await(2))); diff != "" {
		t.Error(diff)
	}
	b.AwaitHealth("bus", "backlog", "0")
	b.Refuse(rpcerr.InvalidValue("not such an event"))
	produce(t, producer, 0, line("c"))
	b.AwaitHealth("bus", "dropped", "1")
	b.Refuse(nil)
	produce(t, producer, 0, line("d"))
	if diff := cmp.Diff([]string{"a", "b", "d"}, ids(b.Await(3))); diff != "" {
		t.Error(diff)
	}
}

// Without a start, the group begins with what is new.
func TestLatest(t *testing.T) {
	c, producer := cluster(t)
	produce(t, producer, 0, line("old"))
	b := ingesttest.New(t, kafka.Kind())
	b.Sources(source(c.ListenAddrs(), "<start>latest</start><group>g</group>"))
	b.AwaitHealth("bus", "state", "up")
	for end := time.Now().Add(10 * time.Second); len(b.Await(0)) == 0 && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		produce(t, producer, 0, line(fmt.Sprint("new", time.Now().UnixNano())))
	}
	got := b.Await(1)
	if !strings.HasPrefix(got[0].ID, "new") {
		t.Errorf("the first event is %s", got[0].ID)
	}
}

// Logging in, and what a source that cannot read says.
func TestTrouble(t *testing.T) {
	c, producer := cluster(t, kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-512", "incidentd", "right password"))
	producer.Close()
	b := ingesttest.New(t, kafka.Kind())
	b.Sources(source(c.ListenAddrs(), "<user>incidentd</user><password>wrong password</password>"))
	b.AwaitHealth("bus", "state", "down")
	if reason := b.Health("bus").Leaf("reason"); !strings.HasPrefix(reason, "no broker answers: ") {
		t.Errorf("a wrong password: %s", reason)
	}
	b.Sources(source(c.ListenAddrs(), "<user>incidentd</user><password>right password</password>"))
	b.AwaitHealth("bus", "state", "up")
	b.Sources(strings.Replace(source(c.ListenAddrs(), "<user>incidentd</user><password>right password</password>"), "<topic>events", "<topic>other", 1))
	b.AwaitHealth("bus", "state", "degraded")
	if reason := b.Health("bus").Leaf("reason"); !strings.HasPrefix(reason, "topic other: UNKNOWN_TOPIC_OR_PARTITION") {
		t.Errorf("a topic that is not there: %s", reason)
	}
	for config, want := range map[string]string{
		"<tls><authority>none</authority></tls>":                                 "there is no certificate in PEM",
		"<tls><certificate>none</certificate><private-key>x</private-key></tls>": "certificate and private-key: tls: failed to find any PEM data in certificate input",
		"<tls><certificate>none</certificate></tls>":                             "certificate and private-key need each other.",
		"<user>incidentd</user>":                                                 "A user needs a password.",
	} {
		err := b.Configure(`<sources xmlns="urn:incidentd:yang:sources">` + source(c.ListenAddrs(), config) + `</sources>`)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", config, err, want)
		}
	}
	c.Close()
	for end := time.Now().Add(10 * time.Second); !strings.HasPrefix(b.Health("bus").Leaf("reason"), "no broker "); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("without a broker: %q", b.Health("bus").Leaf("reason"))
		}
	}
}
