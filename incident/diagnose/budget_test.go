package diagnose

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// move is something that happens to a budget.
type move struct {
	kind  string // begin, send, end, wait
	which int
	cost  Cost // to set aside, or the packets to send and the size of each
	pause time.Duration
}

func drawMoves(t *rapid.T) []move {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) move {
		m := move{kind: rapid.SampledFrom([]string{"begin", "send", "send", "end", "wait"}).Draw(t, "kind"), which: rapid.IntRange(0, 9).Draw(t, "which")}
		switch m.kind {
		case "begin":
			m.cost = Cost{rapid.IntRange(1, 2000).Draw(t, "packets"), rapid.IntRange(40, 100_000).Draw(t, "octets")}
		case "send": // more than was set aside, perhaps
			m.cost = Cost{rapid.IntRange(1, 500).Draw(t, "packets"), rapid.IntRange(40, 1500).Draw(t, "size")}
			m.pause = time.Duration(rapid.IntRange(0, 20).Draw(t, "pace")) * time.Millisecond
		case "wait":
			m.pause = time.Duration(rapid.IntRange(0, 60_000).Draw(t, "wait")) * time.Millisecond
		}
		return m
	}), 1, 40).Draw(t, "moves")
}

// packet is one that was sent.
type packet struct {
	at     time.Time
	octets int
}

// play makes moves on a budget and returns what was sent; an error is a broken promise.
func play(l Limits, moves []move) (log []packet, err error) {
	b := NewBudget(l)
	if free := b.Free(); float64(free.Packets) != l.PacketBurst || float64(free.Octets) != l.OctetBurst {
		return log, fmt.Errorf("a new budget has %+v", free)
	}
	var open []*Account
	for _, m := range moves {
		switch {
		case m.kind == "begin":
			a, short := b.Reserve(m.cost)
			if short != nil && short.Wait > 0 && len(open) == 0 {
				time.Sleep(short.Wait + time.Second)
				if a, short = b.Reserve(m.cost); short != nil {
					return log, fmt.Errorf("after the wait that was told: %w", short)
				}
			}
			if short == nil {
				open = append(open, a)
			}
		case m.kind == "wait":
			time.Sleep(m.pause)
		case len(open) == 0:
		case m.kind == "end":
			i := m.which % len(open)
			open[i].Close()
			open = append(open[:i], open[i+1:]...)
		default:
			a := open[m.which%len(open)]
			for range m.cost.Packets {
				within := a.left.Packets > 0 && a.left.Octets >= m.cost.Octets
				switch err := a.Spend(m.cost.Octets); {
				case err == nil && !within:
					return log, fmt.Errorf("more was sent than was set aside")
				case err != nil && within:
					return log, fmt.Errorf("what was set aside cannot be sent: %w", err)
				case err == nil:
					log = append(log, packet{time.Now(), m.cost.Octets})
				}
				time.Sleep(m.pause)
			}
		}
	}
	for _, a := range open {
		a.Close()
	}
	if b.aside != (Cost{}) {
		return log, fmt.Errorf("%+v stays set aside", b.aside)
	}
	return log, nil
}

// exceeds tells in which span of time more was sent than limits permit, "" for none.
func exceeds(l Limits, log []packet) string {
	for from := 0; from < len(log); from += 1 + len(log)/50 {
		octets := 0.0
		for to := from; to < len(log); to++ {
			octets += float64(log[to].octets)
			span, packets := log[to].at.Sub(log[from].at).Seconds(), float64(to-from+1)
			if packets > l.PacketBurst+l.PacketRate*span+1e-6 || octets > l.OctetBurst+l.OctetRate*span+1e-6 {
				return fmt.Sprintf("%.0f packets and %.0f octets in %.3f s, by %+v", packets, octets, span, l)
			}
		}
	}
	return ""
}

// Whatever diagnoses come at which times and however greedy their tests are: in no span of
// time is more sent than the burst and what has grown in it, what was set aside can be sent,
// and what is left is given back.
func TestBudgetHolds(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		l := Limits{PacketRate: float64(rapid.IntRange(1, 200).Draw(r, "rate")), PacketBurst: float64(rapid.IntRange(1, 3000).Draw(r, "burst")),
			OctetRate: float64(rapid.IntRange(40, 30_000).Draw(r, "octet rate")), OctetBurst: float64(rapid.IntRange(40, 200_000).Draw(r, "octet burst"))}
		moves := drawMoves(r)
		var log []packet
		var err error
		synctest.Test(t, func(*testing.T) { log, err = play(l, moves) })
		if err != nil {
			r.Fatal(err)
		}
		if told := exceeds(l, log); told != "" {
			r.Fatal(told)
		}
	})
}
