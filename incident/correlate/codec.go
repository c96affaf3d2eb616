package correlate

import (
	"encoding/binary"
	"fmt"
	"time"
)

// codec writes or reads values in one walk, so that the two cannot differ. After an
// error it reads zero values.
type codec struct {
	b       []byte
	at      int
	reading bool
	err     error
}

func (c *codec) fail(what string) {
	if c.err == nil {
		c.err = fmt.Errorf("%w: %s at byte %d", ErrSnapshot, what, c.at)
	}
}

func (c *codec) u64(p *uint64) {
	if !c.reading {
		c.b = binary.AppendUvarint(c.b, *p)
		return
	}
	*p = 0
	if c.err != nil {
		return
	}
	v, n := binary.Uvarint(c.b[c.at:])
	if n <= 0 {
		c.fail("bad number")
		return
	}
	c.at += n
	*p = v
}

func (c *codec) i64(p *int64) {
	u := uint64(*p<<1) ^ uint64(*p>>63)
	c.u64(&u)
	*p = int64(u>>1) ^ -int64(u&1)
}

// integer is any of the small integer types.
type integer interface {
	~int | ~int32 | ~int64 | ~uint32 | ~uint8 | ~int16
}

func small[T integer](c *codec, p *T) {
	v := int64(*p)
	c.i64(&v)
	*p = T(v)
	if int64(*p) != v {
		c.fail("number out of range")
		*p = 0
	}
}

func (c *codec) bool(p *bool) {
	var v uint64
	if *p {
		v = 1
	}
	c.u64(&v)
	*p = v != 0
}

func (c *codec) str(p *string) {
	n := uint64(len(*p))
	c.u64(&n)
	if !c.reading {
		c.b = append(c.b, *p...)
		return
	}
	*p = ""
	if c.err != nil {
		return
	}
	if n > uint64(len(c.b)-c.at) {
		c.fail("string beyond the end")
		return
	}
	*p = string(c.b[c.at : c.at+int(n)])
	c.at += int(n)
}

// farSeconds bounds the times that are read.
const farSeconds = 1 << 40

func (c *codec) time(p *time.Time) {
	zero := p.IsZero()
	c.bool(&zero)
	if zero {
		*p = time.Time{}
		return
	}
	s, n := p.Unix(), int64(p.Nanosecond())
	c.i64(&s)
	c.i64(&n)
	if c.reading {
		if n < 0 || n >= 1e9 || s < -farSeconds || s > farSeconds {
			c.fail("time out of range")
			*p = time.Time{}
			return
		}
		*p = time.Unix(s, n).UTC()
	}
}

// list walks the items of a slice; while reading it makes them.
func list[T any](c *codec, p *[]T, item func(*T)) {
	n := uint64(len(*p))
	c.u64(&n)
	if !c.reading {
		for k := range *p {
			item(&(*p)[k])
		}
		return
	}
	*p = nil
	if n > uint64(len(c.b)-c.at) { // an item takes a byte at least
		c.fail("list beyond the end")
		return
	}
	for range n {
		var v T
		item(&v)
		if c.err != nil {
			return
		}
		*p = append(*p, v)
	}
}
