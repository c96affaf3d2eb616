package correlate

// changes notes what has changed since the last snapshot by parts. Nothing is noted
// before the first.
type changes struct {
	on         bool
	all        bool // everything may have
	tombs      bool
	alarms     []*alarm
	incidents  []*incident
	nodes      []*nodeState
	histories  []*history
	companions []*companions
	asides     []*aside
}

func (e *Engine) touchAlarm(a *alarm) {
	if e.changes.on && !a.dirty {
		a.dirty = true
		e.changes.alarms = append(e.changes.alarms, a)
	}
}

func (e *Engine) touch(i *incident) {
	if e.changes.on && !i.dirty {
		i.dirty = true
		e.changes.incidents = append(e.changes.incidents, i)
	}
}

func (e *Engine) touchNode(n *nodeState) {
	if e.changes.on && !n.dirty {
		n.dirty = true
		e.changes.nodes = append(e.changes.nodes, n)
	}
}

func (e *Engine) touchHistory(r *history) {
	if e.changes.on && !r.dirty {
		r.dirty = true
		e.changes.histories = append(e.changes.histories, r)
	}
}

func (e *Engine) touchCompanions(c *companions) {
	if e.changes.on && !c.dirty {
		c.dirty = true
		e.changes.companions = append(e.changes.companions, c)
	}
}

func (e *Engine) touchAside(s *aside) {
	if e.changes.on && !s.dirty {
		s.dirty = true
		e.changes.asides = append(e.changes.asides, s)
	}
}

// clean forgets what was noted, and notes from now on.
func (c *changes) clean() {
	for _, a := range c.alarms {
		a.dirty = false
	}
	for _, i := range c.incidents {
		i.dirty = false
	}
	for _, n := range c.nodes {
		n.dirty = false
	}
	for _, r := range c.histories {
		r.dirty = false
	}
	for _, p := range c.companions {
		p.dirty = false
	}
	for _, s := range c.asides {
		s.dirty = false
	}
	*c = changes{on: true}
}
