package subscribe

import (
	"cmp"
	"context"
	"net"
	"strconv"
	"sync"
	"time"

	"incidentd/netconf"
	"incidentd/yang/data"
)

// Receiver is one that configured subscriptions are delivered to: a receiver-instance of
// ietf-subscribed-notif-receivers, by one of the ways that lead there.
type Receiver struct {
	Name    string
	Address string // host and port
	User    string // whom it has to log in as
	Source  string // the address to call from; empty: that of the interface on the way
	DSCP    uint8  // of the packets
}

// route is a way to a receiver-instance. Subscriptions share a connection that want the
// same one.
type route struct {
	instance, source string
	dscp             uint8
}

// callTransport is the transport of configured subscriptions.
const callTransport = "incidentd-call-home:netconf-call-home"

// How long the caller waits after a call that has ended or failed, how often it asks a
// receiver what it has got, and how often that is written.
const (
	quickRetry   = 50 * time.Millisecond // after one that had succeeded
	firstRetry   = time.Second
	longestRetry = time.Minute
	confirmEvery = 200 * time.Millisecond
	saveEvery    = time.Second
)

// caller keeps the configured subscriptions going: it calls their receivers, and writes
// how far each is.
type caller struct {
	*Publisher
	changed chan struct{} // one slot: the configuration has
	boot    time.Time

	// Held in the writer of the store, which mu never is.
	noticing sync.Mutex
	since    uint64 // noticing: new subscriptions begin here; 0: at the end of the journal

	mu            sync.Mutex
	subscriptions map[uint32]*configured // mu
	links         map[route]*link        // mu
	running       sync.WaitGroup
}

// link keeps a session to a receiver.
type link struct {
	Receiver
	route   route
	cancel  context.CancelFunc
	session *netconf.Session // caller.mu; nil while there is none
	runs    sync.WaitGroup   // subscriptions that send to it
}

// drainTime is how long a receiver that is no longer used has to be told so.
const drainTime = 5 * time.Second

// drain ends a link when its subscriptions have.
func (k *link) drain(ctx context.Context) {
	defer k.cancel()
	done := make(chan struct{})
	go func() {
		k.runs.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(drainTime):
	case <-ctx.Done():
	}
}

func newCaller(p *Publisher) *caller {
	return &caller{Publisher: p, changed: make(chan struct{}, 1), boot: time.Now(), subscriptions: map[uint32]*configured{}, links: map[route]*link{}}
}

// notice makes the caller look at the configuration again. It does not block.
func (c *caller) notice() {
	c.noticing.Lock()
	if c.since == 0 {
		c.since = c.journal.Last() + 1
	}
	c.noticing.Unlock()
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// Run keeps the configured subscriptions going until ctx is done. Their progress is on
// disk when it returns. It is called once.
func (p *Publisher) Run(ctx context.Context) {
	c := p.caller
	defer func() {
		c.running.Wait()
		c.save()
	}()
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	for {
		c.reconcile(ctx)
		var due <-chan time.Time
		if len(c.links) > 0 { // only Run changes it
			due = tick.C
		}
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				return
			case <-c.changed:
				waiting = false
			case <-due:
				c.save()
			}
		}
	}
}

// reconcile makes subscriptions and links what the configuration says.
func (c *caller) reconcile(ctx context.Context) {
	c.noticing.Lock()
	since := c.since
	c.since = 0
	c.noticing.Unlock()
	snap := c.store.Snapshot()
	top := snap.Running.Get(c.nodes.subscriptions)
	begin := c.beginnings(top, since)
	c.mu.Lock()
	defer c.mu.Unlock()
	wanted := map[uint32]*data.Node{}
	for e := range top.Entries("subscription") {
		if id, err := strconv.ParseUint(e.Leaf("id"), 10, 32); err == nil {
			wanted[uint32(id)] = e
		}
	}
	for id, s := range c.subscriptions {
		if wanted[id] == nil {
			delete(c.subscriptions, id)
			for _, l := range s.legs {
				l.removeLocked()
			}
		}
	}
	used := map[route]bool{}
	for id, e := range wanted {
		s := c.subscriptions[id]
		if s == nil {
			s = &configured{caller: c, id: id, legs: map[string]*leg{}}
			c.subscriptions[id] = s
		}
		s.updateLocked(e, snap, begin)
		for _, l := range s.legs {
			used[l.route] = used[l.route] || s.stateLocked() == stateValid
		}
	}
	c.linksLocked(ctx, top, used)
	for _, s := range c.subscriptions {
		for _, l := range s.legs {
			if l.running != nil {
				l.running.renew()
			} else if k := c.links[l.route]; k != nil && k.session != nil {
				l.startLocked(k)
			}
		}
	}
}

// linksLocked begins and ends links.
func (c *caller) linksLocked(ctx context.Context, top *data.Node, used map[route]bool) {
	wanted := map[route]Receiver{}
	instances := top.Child("receiver-instances")
	for way, is := range used {
		h := instances.EntryNamed("receiver-instance", way.instance).Child("call-home")
		if h == nil || !is {
			continue
		}
		wanted[way] = Receiver{way.instance, net.JoinHostPort(h.Leaf("address"), cmp.Or(h.Leaf("port"), "4334")), h.Leaf("user"), way.source, way.dscp}
	}
	for way, k := range c.links {
		switch r, ok := wanted[way]; {
		case !ok:
			c.running.Go(func() { k.drain(ctx) })
			delete(c.links, way)
		case r != k.Receiver:
			k.cancel()
			delete(c.links, way)
		}
	}
	for way, r := range wanted {
		if c.links[way] != nil || c.config.Call == nil {
			continue
		}
		ctx, cancel := context.WithCancel(ctx)
		k := &link{Receiver: r, route: way, cancel: cancel}
		c.links[way] = k
		c.running.Go(func() { c.call(ctx, k) })
	}
}

// call calls a receiver, again and again, until ctx is done.
func (c *caller) call(ctx context.Context, k *link) {
	wait := firstRetry
	for ctx.Err() == nil {
		err := c.config.Call(ctx, k.Receiver, func(s *netconf.Session) {
			wait = quickRetry
			c.attach(k, s)
		})
		if ctx.Err() != nil {
			return
		}
		c.config.Log.Info("a receiver is called again later", "receiver", k.Name, "address", k.Address, "wait", wait, "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(max(2*wait, firstRetry), longestRetry)
	}
}

// attach begins what goes to a receiver, on a session that has just begun.
func (c *caller) attach(k *link, session *netconf.Session) {
	if session.User() != k.User {
		session.Log().Warn("a receiver has logged in as somebody else", "receiver", k.Name, "want", k.User)
		session.Close()
		return
	}
	session.Patience(c.config.SuspensionTimeout)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.links[k.route] != k {
		session.Close()
		return
	}
	k.session = session
	session.Join(func(ctx context.Context) { c.confirm(ctx, session) })
	session.OnEnd(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if k.session == session {
			k.session = nil
		}
	})
	for _, s := range c.subscriptions {
		for _, l := range s.legs {
			if l.route == k.route {
				l.startLocked(k)
			}
		}
	}
}

// entries are the configured subscriptions' state, for the list of all.
func (c *caller) entries() []*data.Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []*data.Node
	for _, s := range c.subscriptions {
		list = append(list, s.entryLocked())
	}
	return list
}
