package testnet

import (
	"container/heap"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"time"
)

// Impairment is what a wire does to packets in one direction. The zero value passes every
// packet on at once.
type Impairment struct {
	Delay  time.Duration
	Jitter time.Duration // Delay varies by up to so much, up and down, evenly
	// Probabilities, from 0 to 1. A packet that is reordered has no delay.
	Loss, Duplicate, Reorder float64
	// Rate is in bits per second, 0 for none. What does not fit into a queue of Queue bytes
	// is dropped; 0 is 64 KiB.
	Rate, Queue int
	// Drop tells of a packet, from its IP header on, whether it is dropped; nil drops none.
	Drop func(packet []byte) bool
}

// Direction is one of the two of a wire.
type Direction int

// From the first end of the wire to the second, and back.
const (
	There Direction = iota
	Back
)

// Packet is what became of a packet on a wire: the truth against which a measurement is
// held.
type Packet struct {
	Direction Direction
	Data      []byte    // from its IP header on
	In        time.Time // when the wire had it
	// Out is when the wire gave it to the other end; zero when it is lost or still on its
	// way. Out of a duplicate is that of the copy that came first.
	Out    time.Time
	Copies int // 0 when it is lost, 2 when it is duplicated
}

// Wire is a link whose packets pass through this process, which delays, loses, doubles,
// reorders and shapes them as told, and logs every one.
type Wire struct {
	ways [2]*way
	wait sync.WaitGroup
}

// Wire lays a link of TUN devices between two hosts and takes both ends up. The devices
// are point to point: each End must have an Address. It needs /dev/net/tun; MissingWire
// tells whether that is there.
func (n *Network) Wire(a, b End, there, back Impairment) (*Wire, error) {
	files := [2]*os.File{}
	for i, e := range []End{a, b} {
		f, err := tun(e.Host, e.Interface)
		if err != nil {
			for _, f := range files[:i] {
				f.Close()
			}
			return nil, fmt.Errorf("testnet: %s of %s: %w", e.Interface, e.Host.Name, err)
		}
		files[i] = f
	}
	w := &Wire{}
	for i, effect := range []Impairment{there, back} {
		w.ways[i] = &way{direction: Direction(i), from: files[i], to: files[1-i], effect: effect, wake: make(chan struct{}, 1)}
	}
	for _, e := range []End{a, b} {
		if err := errors.Join(e.Host.Address(e.Interface, e.Address), e.Host.Up(e.Interface)); err != nil {
			files[0].Close()
			files[1].Close()
			return nil, err
		}
	}
	for _, v := range w.ways {
		w.wait.Go(v.read)
		w.wait.Go(v.write)
	}
	return w, nil
}

// MissingWire tells what keeps this machine from having wires, "" when nothing does.
func MissingWire() string {
	if why := Missing(); why != "" {
		return why
	}
	f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	if err != nil {
		return "there are no TUN devices: " + err.Error()
	}
	f.Close()
	return ""
}

// Set changes what the wire does in one direction from now on. Packets that are on their
// way keep their time.
func (w *Wire) Set(d Direction, effect Impairment) {
	v := w.ways[d]
	v.mu.Lock()
	v.effect = effect
	v.mu.Unlock()
}

// Log is what became of the packets of one direction so far, in the order in which they
// came. The packets of the kernel itself, such as those of neighbour discovery, are there
// too.
func (w *Wire) Log(d Direction) []Packet {
	v := w.ways[d]
	v.mu.Lock()
	defer v.mu.Unlock()
	list := make([]Packet, len(v.log))
	for i, p := range v.log {
		list[i] = *p
	}
	return list
}

// Close takes the wire away, with both devices. It waits until nothing of it runs.
func (w *Wire) Close() error {
	err := errors.Join(w.ways[0].from.Close(), w.ways[1].from.Close())
	for _, v := range w.ways {
		v.mu.Lock()
		v.closed = true
		v.mu.Unlock()
		v.signal()
	}
	w.wait.Wait()
	return err
}

// way is one direction of a wire: read takes packets and decides, write gives each to the
// other end when its time has come.
type way struct {
	direction Direction
	from, to  *os.File
	wake      chan struct{} // has an element when the first of due may have changed

	mu     sync.Mutex
	effect Impairment
	log    []*Packet
	due    due
	free   time.Time // when what is in the queue of the shaper will have gone
	closed bool
}

func (v *way) read() {
	buffer := make([]byte, 65536)
	for {
		n, err := v.from.Read(buffer)
		if err != nil {
			return
		}
		v.take(&Packet{Direction: v.direction, Data: slices.Clone(buffer[:n]), In: time.Now()})
	}
}

// take logs a packet and decides what becomes of it.
func (v *way) take(p *Packet) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.log = append(v.log, p)
	e := v.effect
	if rand.Float64() < e.Loss || e.Drop != nil && e.Drop(p.Data) {
		return
	}
	at := p.In
	if e.Rate > 0 {
		queue := e.Queue
		if queue == 0 {
			queue = 64 << 10
		}
		if v.free.Before(at) {
			v.free = at
		}
		if backlog := v.free.Sub(at).Seconds() * float64(e.Rate) / 8; int(backlog)+len(p.Data) > queue {
			return
		}
		v.free = v.free.Add(time.Duration(float64(len(p.Data)*8) / float64(e.Rate) * float64(time.Second)))
		at = v.free
	}
	if rand.Float64() >= e.Reorder {
		at = at.Add(e.Delay)
		if e.Jitter > 0 {
			at = at.Add(rand.N(2*e.Jitter+1) - e.Jitter)
		}
	}
	p.Copies = 1
	if rand.Float64() < e.Duplicate {
		p.Copies = 2
	}
	for range p.Copies {
		heap.Push(&v.due, departure{at, len(v.log), p})
	}
	v.signal()
}

func (v *way) signal() {
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

func (v *way) write() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		v.mu.Lock()
		now := time.Now()
		next := time.Hour
		for len(v.due) > 0 && !v.closed {
			if next = v.due[0].at.Sub(now); next > 0 {
				break
			}
			p := heap.Pop(&v.due).(departure).packet
			if p.Out.IsZero() {
				p.Out = time.Now()
			}
			v.mu.Unlock()
			// A packet that the other end does not take, being down, is lost behind the wire.
			v.to.Write(p.Data)
			v.mu.Lock()
			next = time.Hour
		}
		closed := v.closed
		v.mu.Unlock()
		if closed {
			return
		}
		timer.Reset(next)
		select {
		case <-timer.C:
		case <-v.wake:
		}
	}
}

// departure is a packet that leaves at its time; those of one time leave as they came.
type departure struct {
	at     time.Time
	order  int
	packet *Packet
}

// due is a heap of departures, the next one first.
type due []departure

func (d due) Len() int { return len(d) }
func (d due) Less(i, j int) bool {
	if !d[i].at.Equal(d[j].at) {
		return d[i].at.Before(d[j].at)
	}
	return d[i].order < d[j].order
}
func (d due) Swap(i, j int) { d[i], d[j] = d[j], d[i] }
func (d *due) Push(x any)   { *d = append(*d, x.(departure)) }
func (d *due) Pop() any {
	last := len(*d) - 1
	x := (*d)[last]
	*d = (*d)[:last]
	return x
}
