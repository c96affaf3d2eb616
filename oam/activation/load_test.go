package activation

import (
	"testing"
	"time"

	"incidentd/oam"
	"incidentd/oam/socket"
	"incidentd/oam/stamp"
	"incidentd/oam/train"
)

// sent is a load whose packets have left, a millisecond after each other.
func sent(packets int) (*load, time.Time) {
	l := newLoad(train.Plan{Packets: packets, Interval: time.Millisecond, Timeout: time.Second}, 10)
	began := time.Now()
	for i := range packets {
		at := began.Add(time.Duration(i) * time.Millisecond)
		l.tally.Expect(i, at)
		l.tally.Sent(i, at, 0)
	}
	return l, began
}

// What is lost, doubled and late on which way.
func TestLoad(t *testing.T) {
	type reply struct{ packet, number uint32 }
	inOrder := func(packets ...uint32) (list []reply) {
		for i, p := range packets {
			list = append(list, reply{p, uint32(i)})
		}
		return list
	}
	for _, tt := range []struct {
		name     string
		replies  []reply
		lost     int
		directed *oam.DirectedLoss
	}{
		{"all", inOrder(0, 1, 2, 3, 4), 0, &oam.DirectedLoss{}},
		{"lost there", inOrder(0, 1, 3), 2, &oam.DirectedLoss{FarEnd: 2}},
		{"lost back", []reply{{0, 0}, {1, 1}, {4, 4}}, 2, &oam.DirectedLoss{NearEnd: 2}},
		{"both", []reply{{0, 0}, {4, 3}}, 3, &oam.DirectedLoss{FarEnd: 1, NearEnd: 2}},
		{"doubled there", []reply{{0, 0}, {1, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}}, 0, &oam.DirectedLoss{}},
		{"doubled back", []reply{{0, 0}, {1, 1}, {1, 1}, {2, 2}, {3, 3}, {4, 4}}, 0, &oam.DirectedLoss{}},
		{"counted from elsewhere", []reply{{0, 1000}, {1, 1001}}, 3, nil},
		{"counted from a little later", []reply{{0, 3}, {1, 4}, {2, 5}}, 2, nil},
		{"nobody", nil, 5, nil},
		{"of packets that were not sent", []reply{{7, 0}, {1 << 31, 1}}, 5, nil},
	} {
		l, began := sent(5)
		for _, r := range tt.replies {
			at := began.Add(time.Duration(r.packet)*time.Millisecond + 10*time.Millisecond)
			l.take(stamp.Reply{Probe: stamp.Probe{Sequence: r.number}, Sender: stamp.Probe{Sequence: r.packet}}, socket.Message{At: at})
		}
		l.end(false)
		if l.sum.Lost != tt.lost || (l.directed == nil) != (tt.directed == nil) || l.directed != nil && *l.directed != *tt.directed {
			t.Errorf("%s: lost %d, %+v, want %d, %+v", tt.name, l.sum.Lost, l.directed, tt.lost, tt.directed)
		}
		if l.valid {
			t.Errorf("%s: times that cannot be are valid", tt.name)
		}
	}
}

// Whatever a far end answers, no count is more than was sent.
func FuzzLoad(f *testing.F) {
	f.Add(uint32(0), uint32(0), uint32(4), uint32(9), uint64(1)<<40, uint64(1)<<40)
	f.Add(uint32(1), uint32(1<<31), uint32(1), uint32(3), uint64(0), ^uint64(0))
	f.Fuzz(func(t *testing.T, p1, n1, p2, n2 uint32, t2, t3 uint64) {
		l, began := sent(5)
		for _, r := range [][2]uint32{{p1, n1}, {p2, n2}, {p1, n2}} {
			l.take(stamp.Reply{Probe: stamp.Probe{Sequence: r[1], Timestamp: t3}, Received: t2, Sender: stamp.Probe{Sequence: r[0], Timestamp: t2}}, socket.Message{At: began.Add(10 * time.Millisecond)})
		}
		l.end(false)
		st := l.step(step{percent: 100}, 1518)
		if l.sum.Lost < 0 || l.sum.Lost > 5 || st.Lost > 5 || l.directed != nil && int(l.directed.FarEnd+l.directed.NearEnd) != l.sum.Lost {
			t.Errorf("%+v, %+v", l.sum, l.directed)
		}
	})
}
