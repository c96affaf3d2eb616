package monitor

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"incidentd/datastore"
	"incidentd/datastore/journal"
	"incidentd/datastore/kv"
	"incidentd/netconf/subscribe"
	"incidentd/yang"
)

// parts is a prometheus.Collector of what operational state does not have.
type parts struct {
	store     *datastore.Store
	db        *kv.DB
	journal   *journal.Journal
	publisher *subscribe.Publisher
}

// The metrics of parts.
var (
	incidentsDesc = prometheus.NewDesc("incidentd_incidents", "Incidents in /inc:incidents.", []string{"priority", "status"}, nil)

	storeCommits  = prometheus.NewDesc("incidentd_store_commits_total", "Transactions that are on disk.", nil, nil)
	storeFailures = prometheus.NewDesc("incidentd_store_failures_total", "Transactions whose commit failed.", nil, nil)
	storePut      = prometheus.NewDesc("incidentd_store_put_bytes_total", "Keys and values that were put and committed.", nil, nil)
	storeSize     = prometheus.NewDesc("incidentd_store_size_bytes", "The size of the store, holes included.", nil, nil)

	journalRecords = prometheus.NewDesc("incidentd_journal_records", "Notifications in the journal.", nil, nil)
	journalBytes   = prometheus.NewDesc("incidentd_journal_bytes", "What they take.", nil, nil)
	journalTrimmed = prometheus.NewDesc("incidentd_journal_trimmed_total", "Notifications that retention has deleted.", nil, nil)
	journalReads   = prometheus.NewDesc("incidentd_journal_disk_reads_total", "Times that a subscriber had to be served from the disk.", nil, nil)

	subscriptions       = prometheus.NewDesc("incidentd_subscriptions", "Subscriptions.", nil, nil)
	subscriptionSent    = prometheus.NewDesc("incidentd_subscriptions_sent_total", "Notifications sent to subscribers.", nil, nil)
	subscriptionHeld    = prometheus.NewDesc("incidentd_subscriptions_excluded_total", "Notifications that filters or rights held back from a subscriber.", nil, nil)
	subscriptionLost    = prometheus.NewDesc("incidentd_subscriptions_lost_total", "Notifications that retention deleted before a slow subscriber had them.", nil, nil)
	subscriptionsPaused = prometheus.NewDesc("incidentd_subscriptions_suspended_total", "Times that a subscription was suspended.", nil, nil)
)

// Describe implements prometheus.Collector.
func (p *parts) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{incidentsDesc, storeCommits, storeFailures, storePut, storeSize,
		journalRecords, journalBytes, journalTrimmed, journalReads,
		subscriptions, subscriptionSent, subscriptionHeld, subscriptionLost, subscriptionsPaused} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (p *parts) Collect(to chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, v uint64) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v))
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	db := p.db.Stats()
	counter(storeCommits, db.Commits)
	counter(storeFailures, db.Failures)
	counter(storePut, db.PutBytes)
	gauge(storeSize, float64(db.FileBytes))
	j := p.journal.Stats()
	gauge(journalRecords, float64(j.Records))
	gauge(journalBytes, float64(j.Bytes))
	counter(journalTrimmed, j.Trimmed)
	counter(journalReads, j.DiskReads)
	s := p.publisher.Stats()
	gauge(subscriptions, float64(s.Active))
	counter(subscriptionSent, s.Sent)
	counter(subscriptionHeld, s.Excluded)
	counter(subscriptionLost, s.Lost)
	counter(subscriptionsPaused, s.Suspensions)
	type class struct{ priority, status string }
	incidents := map[class]int{}
	for i := range p.store.Snapshot().State.Child("incidents").Entries("incident") {
		incidents[class{i.Leaf("priority"), i.Leaf("status")}]++
	}
	for c, n := range incidents {
		gauge(incidentsDesc, float64(n), c.priority, c.status)
	}
}

// operations are the durations of rpcs and actions.
type operations struct {
	*prometheus.HistogramVec
	errors *prometheus.CounterVec
}

func newOperations() *operations {
	return &operations{
		HistogramVec: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "incidentd_rpc_duration_seconds", Help: "How long operations took, from when they were read until their reply was sent.",
			Buckets: []float64{.0001, .0005, .001, .005, .01, .05, .1, .5, 1, 5, 30},
		}, []string{"rpc"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "incidentd_rpc_errors_total", Help: "Operations that were answered with an error.",
		}, []string{"rpc"}),
	}
}

// tell counts an operation.
func (o *operations) tell(rpc *yang.Node, took time.Duration, failed bool) {
	o.WithLabelValues(rpc.Name).Observe(took.Seconds())
	if failed {
		o.errors.WithLabelValues(rpc.Name).Inc()
	}
}

// registry has all collectors.
func (c Config) registry(o *operations) (*prometheus.Registry, error) {
	s, err := newState(c.Store)
	if err != nil {
		return nil, err
	}
	r := prometheus.NewRegistry()
	about := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "incidentd_build_info", Help: "1, with the version of the program.", ConstLabels: prometheus.Labels{"version": c.Version}})
	about.Set(1)
	for _, x := range []prometheus.Collector{about, s, &parts{c.Store, c.DB, c.Store.Journal(), c.Publisher}, o.HistogramVec, o.errors,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})} {
		if err := r.Register(x); err != nil {
			return nil, err
		}
	}
	return r, nil
}
