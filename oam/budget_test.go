package oam

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestBudget(t *testing.T) {
	const octets = 100
	tests := []struct {
		name   string
		demand Demand
		every  time.Duration
		want   int // packets in ten seconds
	}{
		{"as many as asked for", Demand{Packets: 20, PacketRate: 10, BitRate: 8000}, 100 * time.Millisecond, 20},
		{"at the rate asked for", Demand{PacketRate: 10, BitRate: 8000}, 100 * time.Millisecond, 100},
		{"faster than asked for", Demand{PacketRate: 100, BitRate: 80_000_000}, time.Millisecond, 110},
		{"larger than asked for", Demand{PacketRate: 1000, BitRate: 600_000}, time.Millisecond, 2997},
		{"nothing bounds", Demand{}, time.Millisecond, 10000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := NewBudget(tt.demand)
				var err error
				sent := 0
				for at := time.Duration(0); at < 10*time.Second && err == nil; at += tt.every {
					if err = b.Spend(octets); err == nil {
						sent++
					}
					time.Sleep(tt.every)
				}
				if sent != tt.want {
					t.Errorf("%d packets were sent, want %d", sent, tt.want)
				}
				if packets, size := b.Spent(); packets != sent || size != sent*octets {
					t.Errorf("Spent() = %d, %d, want %d, %d", packets, size, sent, sent*octets)
				}
				var f *Fault
				if greedy := sent < int(10*time.Second/tt.every); greedy && (!errors.As(err, &f) || f.Reason != BudgetExceeded) {
					t.Errorf("the engine was told %v, want budget-exceeded", err)
				}
			})
		})
	}
}

// Who was refused once sends no more, however long it waits.
func TestBudgetStaysExceeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(Demand{PacketRate: 1})
		for b.Spend(1) == nil {
		}
		time.Sleep(time.Hour)
		if b.Spend(1) == nil {
			t.Error("a packet was permitted after the budget was exceeded")
		}
	})
}
