package oam

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const ms = time.Millisecond

func sampleOf(at int, delay time.Duration) Sample {
	s := Sample{Offset: time.Duration(at) * 10 * ms, Sent: 1, Received: 1, Min: delay, Average: delay, Max: delay}
	if delay == 0 {
		s.Lost, s.Received = 1, 0
	}
	return s
}

// Samples are merged without losing a packet, and the mean is that of the packets.
func TestThin(t *testing.T) {
	list := []Sample{sampleOf(0, 0), sampleOf(1, 4*ms), sampleOf(2, 6*ms), sampleOf(3, 0), sampleOf(4, 0), sampleOf(5, 0), sampleOf(6, 2*ms)}
	tests := []struct {
		most int
		want []Sample
	}{
		{0, []Sample{}},
		{7, list},
		{100, list},
		{3, []Sample{
			{Offset: 0, Sent: 3, Lost: 1, Received: 2, Min: 4 * ms, Average: 5 * ms, Max: 6 * ms},
			{Offset: 30 * ms, Sent: 3, Lost: 3},
			sampleOf(6, 2*ms),
		}},
		{1, []Sample{{Sent: 7, Lost: 4, Received: 3, Min: 2 * ms, Average: 4 * ms, Max: 6 * ms}}},
	}
	for _, tt := range tests {
		if d := cmp.Diff(tt.want, thin(list, tt.most)); d != "" {
			t.Errorf("thin to %d: %s", tt.most, d)
		}
	}
	if got := thin(nil, 5); len(got) != 0 {
		t.Errorf("thin of nothing = %v", got)
	}
}

func TestSampleJSON(t *testing.T) {
	want := []Sample{sampleOf(0, 0), sampleOf(1, 4*ms), {Offset: 20 * ms, Sent: 9, Lost: 2, Received: 6, Min: 1, Average: 5, Max: 70}}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(text), `[[0,1,1,0],[10000,1,0,1,4000000],[20000,9,2,6,1,5,70]]`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	var got []Sample
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, bad := range []string{`[1,2,3]`, `[1,2,3,4,5,6]`, `[1,2,3,4,5,6,7,8]`, `{}`, `["a",1,1,1]`} {
		if err := json.Unmarshal([]byte(bad), new(Sample)); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}
