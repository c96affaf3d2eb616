package stamp

import (
	"bytes"
	"encoding/hex"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var testKey = []byte("0123456789abcdef")

// The octets stand where RFC 8762 section 4 puts them.
func TestLayout(t *testing.T) {
	p := Probe{Sequence: 0x01020304, Timestamp: 0x1112131415161718, Estimate: Estimate{Synchronized: true, Scale: 1, Multiplier: 2}, SSID: 0x2122}
	b := make([]byte, plainSize)
	p.Encode(b, nil)
	if got := hex.EncodeToString(b[:16]); got != "0102030411121314151617188102"+"2122" || !bytes.Equal(b[16:], make([]byte, 28)) {
		t.Errorf("the probe is %x", b)
	}
	r := Reply{Probe: p, Received: 0x3132333435363738, Sender: Probe{Sequence: 0x41424344, Timestamp: 0x5152535455565758, Estimate: Estimate{PTP: true, Multiplier: 7}}, SenderTTL: 0x61}
	r.Encode(b, nil)
	if got, want := hex.EncodeToString(b), "0102030411121314151617188102"+"2122"+"3132333435363738"+"41424344"+"5152535455565758"+"4007"+"0000"+"61"+"000000"; got != want {
		t.Errorf("the reply is\n%s, want\n%s", got, want)
	}
	b = make([]byte, authenticatedSize)
	r.Encode(b, testKey)
	want := "01020304" + zeros(12) + "1112131415161718" + "8102" + "2122" + zeros(4) + "3132333435363738" + zeros(8) +
		"41424344" + zeros(12) + "5152535455565758" + "4007" + zeros(6) + "61" + zeros(15)
	if got := hex.EncodeToString(b[:96]); got != want {
		t.Errorf("the authenticated reply is\n%s, want\n%s", got, want)
	}
	p.Encode(b, testKey)
	want = "01020304" + zeros(12) + "1112131415161718" + "8102" + "2122" + zeros(68)
	if got := hex.EncodeToString(b[:96]); got != want {
		t.Errorf("the authenticated probe is\n%s, want\n%s", got, want)
	}
}

func zeros(n int) string { return hex.EncodeToString(make([]byte, n)) }

func TestRoundTrip(t *testing.T) {
	p := Probe{Sequence: 7, Timestamp: 8, Estimate: Estimate{Multiplier: 9}, SSID: 10}
	r := Reply{Probe: Probe{Sequence: 1, Timestamp: 2, Estimate: Estimate{PTP: true, Multiplier: 3}, SSID: 4}, Received: 5, Sender: Probe{Sequence: 7, Timestamp: 8, Estimate: Estimate{Multiplier: 9}}, SenderTTL: 64}
	for _, key := range [][]byte{nil, testKey} {
		b := make([]byte, base(key))
		p.Encode(b, key)
		if got, ok := DecodeProbe(b, key); !ok || got != p {
			t.Errorf("DecodeProbe = %+v, %t", got, ok)
		}
		r.Encode(b, key)
		got, ok := DecodeReply(b, key)
		if d := cmp.Diff(r, got); !ok || d != "" {
			t.Error(d)
		}
		if key == nil {
			continue
		}
		b[3] ^= 1
		if _, ok := DecodeReply(b, key); ok {
			t.Error("a reply that was changed is authentic")
		}
		if _, ok := DecodeProbe(b, []byte("another")); ok {
			t.Error("a probe is authentic by another key")
		}
	}
	b := make([]byte, plainSize)
	r.Encode(b, nil)
	if got, ok := DecodeReply(b[:twampSize], nil); !ok || !got.Unfinished || got.Sender != r.Sender {
		t.Errorf("the reply of TWAMP Light: %+v, %t", got, ok)
	}
}

func TestTimestamps(t *testing.T) {
	for _, s := range []string{"1970-01-01T00:00:00Z", "2026-11-22T10:00:00.123456789Z", "2035-12-31T23:59:59.999999999Z", "2036-02-07T06:28:16Z", "2040-01-01T00:00:00.5Z"} {
		want, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		if want.Year() == 1970 {
			continue // of an era that is over
		}
		if got := fromTimestamp(ntp(want), false); got.Sub(want).Abs() > time.Nanosecond {
			t.Errorf("%s becomes %s", want, got.UTC())
		}
	}
	if got := fromTimestamp(10<<32|5, true); got != time.Unix(10, 5) {
		t.Errorf("PTP: %s", got)
	}
	for _, d := range []time.Duration{time.Nanosecond, time.Microsecond, 16 * time.Second, time.Hour} {
		if got := NewEstimate(true, d).Error(); got > d+time.Nanosecond || got < d*99/100-time.Nanosecond {
			t.Errorf("an error of %s is told as %s", d, got)
		}
	}
}

func TestExtensions(t *testing.T) {
	for _, key := range [][]byte{nil, testKey} {
		for _, room := range []int{0, 1, 3, 4, 7, 8, 11, 12, 20, 27, 28, 31, 32, 33, 100} {
			packet := make([]byte, base(key)+room)
			copy(packet[base(key):], extensions(room, 46, key))
			Probe{Sequence: 5}.Encode(packet, key)
			sealTLVs(packet, key)
			if key != nil && !authenticTLVs(packet, key) {
				t.Errorf("%d octets of extensions are not authentic", room)
			}
			reflectTLVs(packet, key, 34<<2)
			arrived, told := remarked(packet[base(key):])
			if told && arrived != 34 {
				t.Errorf("the probe had DSCP 34, and the reply tells %d", arrived)
			}
			if key == nil && told != (room == 8 || room >= 12) || key != nil && told != (room == 28 || room >= 32) {
				t.Errorf("with %d octets the DSCP is told: %t", room, told)
			}
			for _, x := range tlvs(packet[base(key):]) {
				if x.Flags&unrecognized != 0 {
					t.Errorf("extension %d of %d octets is not known", x.Type, room)
				}
			}
		}
	}
	// One that is not known, one that is cut off.
	packet := append(make([]byte, plainSize), 3, 99, 0, 1, 7, unrecognized|1, 1, 0, 9, 1)
	reflectTLVs(packet, nil, 0)
	want := []TLV{{Flags: unrecognized, Type: 99, Value: []byte{7}}, {Flags: malformed, Type: 1, Value: []byte{1}}}
	if d := cmp.Diff(want, tlvs(packet[plainSize:])); d != "" {
		t.Error(d)
	}
	// Changed on the way.
	packet = make([]byte, authenticatedSize+40)
	copy(packet[authenticatedSize:], extensions(40, 46, testKey))
	sealTLVs(packet, testKey)
	packet[authenticatedSize+5] ^= 4
	reflectTLVs(packet, testKey, 0)
	for _, x := range tlvs(packet[authenticatedSize:]) {
		if x.Flags&integrity == 0 {
			t.Errorf("extension %d does not tell that it was changed", x.Type)
		}
	}
}

func FuzzReflector(f *testing.F) {
	b := make([]byte, 100)
	copy(b[plainSize:], extensions(56, 46, nil))
	f.Add(b, false)
	b = make([]byte, authenticatedSize+40)
	copy(b[authenticatedSize:], extensions(40, 46, testKey))
	Probe{Sequence: 1}.Encode(b, testKey)
	sealTLVs(b, testKey)
	f.Add(b, true)
	f.Add(make([]byte, 14), false)
	f.Fuzz(func(t *testing.T, b []byte, authenticated bool) {
		r, gate := testReflector()
		if authenticated {
			r.key = testKey
		}
		size := len(b)
		probe, isProbe := DecodeProbe(b, r.key)
		isProbe = isProbe && !isReply(b, r.key)
		reply, ok := r.answer(gate, b, testMessage())
		if ok != isProbe {
			t.Fatalf("answered: %t, a probe: %t", ok, isProbe)
		}
		if !ok {
			return
		}
		if len(reply) != max(size, base(r.key)) {
			t.Errorf("%d octets are answered by %d", size, len(reply))
		}
		got, ok := DecodeReply(reply, r.key)
		if !ok || got.Sender.Sequence != probe.Sequence || got.SSID != probe.SSID {
			t.Errorf("the reply is %+v, %t", got, ok)
		}
		tlvs(reply[base(r.key):])
		if _, again := r.answer(gate, reply, testMessage()); again {
			t.Error("a reply is answered")
		}
	})
}

func FuzzReply(f *testing.F) {
	f.Add(make([]byte, plainSize), false)
	f.Add(make([]byte, authenticatedSize), true)
	f.Fuzz(func(t *testing.T, b []byte, authenticated bool) {
		var key []byte
		if authenticated {
			key = testKey
		}
		r, ok := DecodeReply(b, key)
		if !ok || key != nil || len(b) < plainSize {
			return
		}
		again := make([]byte, plainSize)
		r.Encode(again, nil)
		if got, _ := DecodeReply(again, nil); got != r {
			t.Errorf("%+v becomes %+v", r, got)
		}
	})
}
