package journal

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"incidentd/datastore/kv"
)

// FuzzDecode: a row is refused as damaged, or what was read from it can be
// written and read again.
func FuzzDecode(f *testing.F) {
	f.Add(encode(&Record{Time: epoch, Stream: "oam", Name: "m:n", Body: []byte("<n/>")}, 7))
	f.Add(encode(&Record{Time: time.Unix(0, -1)}, 0))
	f.Add([]byte{format})
	f.Add(append(make([]byte, headSize), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01))
	all := func([]byte) bool { return true }
	f.Fuzz(func(t *testing.T, row []byte) {
		r, err := decode(9, row, all)
		if err != nil {
			if !errors.Is(err, kv.ErrDamaged) {
				t.Errorf("decode = %v, want ErrDamaged", err)
			}
			return
		}
		h, err := decodeHead(row)
		if err != nil {
			t.Fatalf("decodeHead refuses what decode reads: %v", err)
		}
		again, err := decode(9, encode(r, h.offset), all)
		if err != nil {
			t.Fatal(err)
		}
		if again.Stream != r.Stream || again.Name != r.Name || !again.Time.Equal(r.Time) || !bytes.Equal(again.Body, r.Body) {
			t.Errorf("written and read again: %+v, was %+v", again, r)
		}
	})
}
