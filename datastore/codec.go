package datastore

import (
	"encoding/binary"
	"time"
)

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// decoder reads what append functions wrote. After the first fault it is bad and
// yields zeros.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) fault() {
	d.b, d.bad = nil, true
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fault()
		return 0
	}
	d.b = d.b[n:]
	return v
}

// count is a number of things of at least a byte each.
func (d *decoder) count() int {
	v := d.uint()
	if v > uint64(len(d.b)) {
		d.fault()
		return 0
	}
	return int(v)
}

func (d *decoder) time() time.Time {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fault()
		return time.Time{}
	}
	d.b = d.b[n:]
	return time.Unix(0, v).UTC()
}

// bytes are shared with what is decoded.
func (d *decoder) bytes() []byte {
	n := d.count()
	out := d.b[:n:n]
	d.b = d.b[n:]
	return out
}

func (d *decoder) text() string { return string(d.bytes()) }

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.fault()
		return 0
	}
	c := d.b[0]
	d.b = d.b[1:]
	return c
}
