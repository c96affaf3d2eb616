package kv

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
)

// The constants of bbolt's file format, version 2. Numbers in it are in the
// byte order of the machine.
const (
	boltMagic   = 0xED0CDAED
	boltVersion = 2

	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagMeta     = 0x04
	flagFreelist = 0x10
	flagBucket   = 0x01 // of a leaf's element

	pageHeader  = 16
	elementSize = 16 // of a leaf and of a branch alike
	bucketSize  = 16 // root page and sequence in front of an inline page
	metaSize    = 64
	metaSummed  = 56

	noFreelist = ^uint64(0)
	maxDepth   = 64 // far more levels than a file can have whose pages hold two keys or more
)

var native = binary.NativeEndian

// meta is one of the two records at the front of the file; the one with the
// higher txid counts.
type meta struct {
	pageSize uint32
	root     uint64
	freelist uint64
	pages    uint64 // pages in use: the high-water mark
	txid     uint64
}

// decodeMeta reads the meta of a page's first bytes.
func decodeMeta(b []byte) (meta, error) {
	if len(b) < pageHeader+metaSize {
		return meta{}, fmt.Errorf("meta page cut short")
	}
	b = b[pageHeader : pageHeader+metaSize]
	if native.Uint32(b) != boltMagic {
		return meta{}, fmt.Errorf("not a store file")
	}
	if v := native.Uint32(b[4:]); v != boltVersion {
		return meta{}, fmt.Errorf("file format %d, not %d", v, boltVersion)
	}
	h := fnv.New64a()
	h.Write(b[:metaSummed])
	if h.Sum64() != native.Uint64(b[metaSummed:]) {
		return meta{}, fmt.Errorf("meta page with a wrong checksum")
	}
	return meta{
		pageSize: native.Uint32(b[8:]),
		root:     native.Uint64(b[16:]),
		freelist: native.Uint64(b[32:]),
		pages:    native.Uint64(b[40:]),
		txid:     native.Uint64(b[48:]),
	}, nil
}

// readMetas finds the metas as bbolt does: the second one may have to be found
// without knowing the page size from the first.
func readMetas(f io.ReaderAt) (m [2]meta, errs [2]error) {
	var b [pageHeader + metaSize]byte
	at := func(off int64) (meta, error) {
		if _, err := f.ReadAt(b[:], off); err != nil {
			return meta{}, fmt.Errorf("meta page: %w", err)
		}
		return decodeMeta(b[:])
	}
	if m[0], errs[0] = at(0); errs[0] == nil {
		m[1], errs[1] = at(int64(m[0].pageSize))
		return m, errs
	}
	for size := int64(1 << 10); size <= 1<<24; size <<= 1 {
		if m[1], errs[1] = at(size); errs[1] == nil {
			if int64(m[1].pageSize) == size {
				return m, errs
			}
			errs[1] = fmt.Errorf("meta page at the wrong place")
		}
	}
	return m, errs
}

// newestMeta is the one that bbolt would use.
func newestMeta(f io.ReaderAt) (meta, error) {
	m, errs := readMetas(f)
	switch {
	case errs[0] != nil && errs[1] != nil:
		return meta{}, errs[0]
	case errs[0] != nil, errs[1] == nil && m[1].txid > m[0].txid:
		return m[1], nil
	}
	return m[0], nil
}

// verifyFile checks whatever bbolt would follow without looking: metas, pages,
// their order and their bounds, and that no page is used twice. Values are not
// read. The error is the reason alone.
func verifyFile(f io.ReaderAt, size int64) error {
	m, err := newestMeta(f)
	if err != nil {
		return err
	}
	if m.pageSize < 1<<10 || m.pageSize > 1<<24 || m.pageSize&(m.pageSize-1) != 0 {
		return fmt.Errorf("page size %d", m.pageSize)
	}
	if m.pages > uint64(size)/uint64(m.pageSize) {
		return fmt.Errorf("the file is cut short: %d bytes of %d pages", size, m.pages)
	}
	s := newStructure(f, m.pageSize, m.pages)
	if err := s.root(m.root); err != nil {
		return err
	}
	if m.freelist != noFreelist {
		return s.freelist(m.freelist)
	}
	return nil
}

// structure walks the pages of one state of a file.
type structure struct {
	f        io.ReaderAt
	pageSize uint64
	pages    uint64
	seen     []uint64 // a bit a page
}

func newStructure(f io.ReaderAt, pageSize uint32, pages uint64) *structure {
	return &structure{f: f, pageSize: uint64(pageSize), pages: pages, seen: make([]uint64, pages/64+1)}
}

// root checks the tree of tables and every table below.
func (s *structure) root(id uint64) error {
	return s.tree(id, nil, nil, 0, s.table)
}

// table checks a row of the root tree, which must be a table.
func (s *structure) table(flags uint32, name []byte, p *span, value, size uint64) error {
	if flags != flagBucket {
		return fmt.Errorf("a row outside of any table")
	}
	if size < bucketSize {
		return fmt.Errorf("table %q cut short", name)
	}
	b, err := p.bytes(value, bucketSize)
	if err != nil {
		return err
	}
	if id := native.Uint64(b); id != 0 {
		if err := s.tree(id, nil, nil, 0, row); err != nil {
			return fmt.Errorf("table %q: %w", name, err)
		}
		return nil
	}
	b, err = p.bytes(value, size)
	if err != nil {
		return err
	}
	b = b[bucketSize:]
	if len(b) < pageHeader {
		return fmt.Errorf("table %q cut short", name)
	}
	inline := &span{b: b, size: uint64(len(b))}
	if flags := native.Uint16(b[8:]); flags != flagLeaf {
		return fmt.Errorf("table %q: kind of page %#x", name, flags)
	}
	if err := inline.leaf(nil, nil, row); err != nil {
		return fmt.Errorf("table %q: %w", name, err)
	}
	return nil
}

// row checks a row of a table, which must not be a table again.
func row(flags uint32, _ []byte, _ *span, _, size uint64) error {
	if flags != 0 {
		return fmt.Errorf("a table within a table")
	}
	if size < sumSize {
		return fmt.Errorf("a row without its checksum")
	}
	return nil
}

// tree checks the pages below id, whose keys must be within [min, max).
func (s *structure) tree(id uint64, min, max []byte, depth int, row rowFunc) error {
	if depth > maxDepth {
		return fmt.Errorf("page %d: more than %d levels", id, maxDepth)
	}
	p, flags, err := s.page(id)
	if err != nil {
		return err
	}
	switch flags {
	case flagLeaf:
		if p.count() == 0 && depth > 0 {
			return fmt.Errorf("page %d: empty", id)
		}
		err = p.leaf(min, max, row)
	case flagBranch:
		err = p.branch(min, max, func(child uint64, min, max []byte) error {
			return s.tree(child, min, max, depth+1, row)
		})
	default:
		err = fmt.Errorf("kind of page %#x", flags)
	}
	if err != nil {
		return fmt.Errorf("page %d: %w", id, err)
	}
	return nil
}

// page reads the header of a page in use and marks all that it covers.
func (s *structure) page(id uint64) (*span, uint16, error) {
	if id < 2 || id >= s.pages {
		return nil, 0, fmt.Errorf("page %d of %d", id, s.pages)
	}
	p := &span{f: s.f, off: int64(id * s.pageSize), size: s.pageSize, step: s.pageSize}
	b, err := p.bytes(0, pageHeader)
	if err != nil {
		return nil, 0, fmt.Errorf("page %d: %w", id, err)
	}
	if is := native.Uint64(b); is != id {
		return nil, 0, fmt.Errorf("page %d says that it is %d", id, is)
	}
	flags, more := native.Uint16(b[8:]), uint64(native.Uint32(b[12:]))
	if id+more >= s.pages {
		return nil, 0, fmt.Errorf("page %d: beyond the end", id)
	}
	for i := id; i <= id+more; i++ {
		if s.used(i) {
			return nil, 0, fmt.Errorf("page %d: used twice", i)
		}
		s.seen[i/64] |= 1 << (i % 64)
	}
	p.size = (more + 1) * s.pageSize
	return p, flags, nil
}

func (s *structure) used(id uint64) bool { return s.seen[id/64]&(1<<(id%64)) != 0 }

// freelist checks the list of free pages. This program writes none, but other
// tools for bbolt files do.
func (s *structure) freelist(id uint64) error {
	p, flags, err := s.page(id)
	if err != nil {
		return err
	}
	if flags != flagFreelist {
		return fmt.Errorf("page %d: kind of page %#x for the free list", id, flags)
	}
	n, at := uint64(p.count()), uint64(pageHeader)
	if n == 0xFFFF {
		b, err := p.bytes(at, 8)
		if err != nil {
			return err
		}
		n, at = native.Uint64(b), at+8
	}
	if n > s.pages {
		return fmt.Errorf("page %d: %d free pages of %d", id, n, s.pages)
	}
	b, err := p.bytes(at, n*8)
	if err != nil {
		return fmt.Errorf("page %d: %w", id, err)
	}
	for ; len(b) > 0; b = b[8:] {
		free := native.Uint64(b)
		if free < 2 || free >= s.pages || s.used(free) {
			return fmt.Errorf("page %d: page %d is in use and free", id, free)
		}
		s.seen[free/64] |= 1 << (free % 64)
	}
	return nil
}

// rowFunc sees the rows of a leaf; value is where the value is in its span.
type rowFunc func(flags uint32, key []byte, p *span, value, size uint64) error

// span is the bytes of a page with its overflow, read no further than needed.
type span struct {
	f    io.ReaderAt
	off  int64
	size uint64
	step uint64
	b    []byte
}

// bytes are n bytes at a place of the span.
func (p *span) bytes(at, n uint64) ([]byte, error) {
	if at > p.size || n > p.size-at {
		return nil, fmt.Errorf("something beyond the page's end")
	}
	if have, want := uint64(len(p.b)), at+n; want > have {
		want = min((want+p.step-1)/p.step*p.step, p.size)
		b := make([]byte, want)
		copy(b, p.b)
		if _, err := p.f.ReadAt(b[have:], p.off+int64(have)); err != nil {
			return nil, err
		}
		p.b = b
	}
	return p.b[at : at+n : at+n], nil
}

func (p *span) count() uint16 { return native.Uint16(p.b[10:]) }

// key is the key of an element, once its bounds and its place in the order are
// checked.
func (p *span) key(i int, element, pos, size uint64, prev, min, max []byte) ([]byte, error) {
	if pos < uint64(int(p.count())-i)*elementSize {
		return nil, fmt.Errorf("element %d lies in the index", i)
	}
	if size == 0 || size > MaxKey {
		return nil, fmt.Errorf("element %d has a key of %d bytes", i, size)
	}
	key, err := p.bytes(element+pos, size)
	if err != nil {
		return nil, fmt.Errorf("element %d: %w", i, err)
	}
	if i == 0 && min != nil && bytes.Compare(key, min) < 0 ||
		i > 0 && bytes.Compare(key, prev) <= 0 ||
		max != nil && bytes.Compare(key, max) >= 0 {
		return nil, fmt.Errorf("element %d is out of order", i)
	}
	return key, nil
}

// leaf checks the elements of a leaf: flags, position, key size, value size.
func (p *span) leaf(min, max []byte, row rowFunc) error {
	var prev []byte
	for i := range int(p.count()) {
		at := uint64(pageHeader + i*elementSize)
		e, err := p.bytes(at, elementSize)
		if err != nil {
			return err
		}
		flags, pos := native.Uint32(e), uint64(native.Uint32(e[4:]))
		ksize, vsize := uint64(native.Uint32(e[8:])), uint64(native.Uint32(e[12:]))
		key, err := p.key(i, at, pos, ksize, prev, min, max)
		if err != nil {
			return err
		}
		if at+pos+ksize+vsize > p.size {
			return fmt.Errorf("element %d reaches beyond the page's end", i)
		}
		if err := row(flags, key, p, at+pos+ksize, vsize); err != nil {
			return err
		}
		prev = key
	}
	return nil
}

// branch checks the elements of a branch: position, key size, page.
func (p *span) branch(min, max []byte, child func(id uint64, min, max []byte) error) error {
	n := int(p.count())
	if n == 0 {
		return fmt.Errorf("a branch without children")
	}
	keys, ids := make([][]byte, n), make([]uint64, n)
	var prev []byte
	for i := range n {
		at := uint64(pageHeader + i*elementSize)
		e, err := p.bytes(at, elementSize)
		if err != nil {
			return err
		}
		pos, ksize := uint64(native.Uint32(e)), uint64(native.Uint32(e[4:]))
		ids[i] = native.Uint64(e[8:])
		if keys[i], err = p.key(i, at, pos, ksize, prev, min, max); err != nil {
			return err
		}
		prev = keys[i]
	}
	for i := range n {
		upper := max
		if i+1 < n {
			upper = keys[i+1]
		}
		if err := child(ids[i], keys[i], upper); err != nil {
			return err
		}
	}
	return nil
}
