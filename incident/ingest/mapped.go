package ingest

import (
	"cmp"

	"incidentd/datastore"
	"incidentd/incident/ingest/mapping"
	"incidentd/yang/data"
)

// rules are the mapping as the supervisor has taken it over.
type rules struct {
	mapper *mapping.Mapper
	// config and networks are what it was made of; builtin are the tables that come with
	// the server and are used.
	config, networks *data.Node
	builtin          []*data.Node
}

// checkMapping is what is wrong with a mapping that is about to be committed.
func (s *Supervisor) checkMapping(old, new *data.Node) error {
	if c := new.Child("mapping"); c != nil && c != old.Child("mapping") {
		_, err := mapping.New((&data.Loc{Node: new}).Down(c), nil)
		return err
	}
	return nil
}

// takeMapping takes over the mapping of a configuration, if it is another.
func (s *Supervisor) takeMapping(running *data.Node) error {
	config, networks := running.Child("mapping"), running.Child("networks")
	now := s.rules.Load()
	if now != nil && now.config == config && now.networks == networks {
		return nil
	}
	next := &rules{config: config, networks: networks}
	if now != nil && now.config == config {
		next.mapper, next.builtin = now.mapper, now.builtin
	} else {
		var at *data.Loc
		if config != nil {
			at = (&data.Loc{Node: running}).Down(config)
		}
		var err error
		if next.mapper, err = mapping.New(at, s.builtin); err != nil {
			return err
		}
		next.builtin = mapping.Used(config, s.builtin)
	}
	if now == nil || now.config != config || !sameNodes(now.networks, networks) {
		next.mapper = next.mapper.WithNodes(networks)
	}
	s.rules.Store(next)
	return nil
}

// sameNodes reports whether two containers networks hold the same nodes, whatever is in
// them. It may say no where they do.
func sameNodes(old, new *data.Node) bool {
	if old == nil || new == nil {
		return old == new
	}
	same := true
	data.Diff(old, new, func(_ *data.Loc, old, new *data.Node) bool {
		came := old == nil || new == nil
		name := cmp.Or(old, new).Schema().Name
		same = !came || name != "network" && name != "node"
		return same
	})
	return same
}

// Mapper is how messages are turned into events at this moment.
func (s *Supervisor) Mapper() *mapping.Mapper { return s.rules.Load().mapper }

// provideMapping makes the tables that come with the server, and how often each rule has
// decided.
func (s *Supervisor) provideMapping(*datastore.Snapshot) *data.Node {
	r := s.rules.Load()
	b := data.Build(s.schema.mapping)
	for _, t := range append(configured(r.config), r.builtin...) {
		name := t.Leaf("name")
		for e := range t.Entries("rule") {
			hits := data.NewLeaf(s.schema.hits, r.mapper.Hits(name, e.Leaf("name")))
			t = t.With(e.With(hits))
		}
		b.Add(t)
	}
	return b.Node()
}

func configured(mapping *data.Node) (all []*data.Node) {
	for t := range mapping.Entries("table") {
		all = append(all, t)
	}
	return all
}
