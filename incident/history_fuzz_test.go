package incident

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"incidentd/datastore/kv"
)

// FuzzPast: a row of the history is refused as damaged, or is written back as it was.
func FuzzPast(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(make([]byte, 16))
	p := past{raised: time.Unix(1, 2), cleared: time.Unix(3, 4), services: []string{"VPN-A", ""}, nodes: []string{"P1"}, entry: []byte("<incidents/>"), explanation: []byte("<name>x</name>")}
	f.Add(p.append(nil))
	f.Fuzz(func(t *testing.T, row []byte) {
		p, err := parsePast(row)
		if err != nil {
			if !errors.Is(err, kv.ErrDamaged) {
				t.Errorf("error %v", err)
			}
			return
		}
		again := p.append(nil)
		q, err := parsePast(again)
		if err != nil || !bytes.Equal(again, q.append(nil)) {
			t.Errorf("%x is written back as %x, which is %+v, %v", row, again, q, err)
		}
	})
}
