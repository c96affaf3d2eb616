package journal

// ring is the latest published records, bounded by number and by bytes.
type ring struct {
	maxBytes int
	buf      []*Record // of fixed length
	start, n int
	bytes    int
}

// weight is what a record takes in memory, roughly.
func weight(r *Record) int { return 100 + len(r.Stream) + len(r.Name) + len(r.Body) }

// at is the i-th record.
func (g *ring) at(i int) *Record { return g.buf[(g.start+i)%len(g.buf)] }

// push appends a record and drops the oldest that have no more room.
func (g *ring) push(r *Record) {
	if g.n == len(g.buf) {
		g.drop()
	}
	g.buf[(g.start+g.n)%len(g.buf)] = r
	g.n++
	for g.bytes += weight(r); g.bytes > g.maxBytes && g.n > 0; {
		g.drop()
	}
}

// drop forgets the oldest record.
func (g *ring) drop() {
	g.bytes -= weight(g.buf[g.start])
	g.buf[g.start] = nil
	g.start = (g.start + 1) % len(g.buf)
	g.n--
}

// trim forgets all before first.
func (g *ring) trim(first uint64) {
	for g.n > 0 && g.at(0).Seq < first {
		g.drop()
	}
}
