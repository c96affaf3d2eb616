package datastore

import "incidentd/datastore/kv"

// Read calls visit with the rows of another package's table that are on disk, from a key
// up to another, until it returns false; nil stands for the table's end on that side. Keys
// and values are valid during the call alone. It holds up nobody but the reuse of the
// disk's room, so a long walk is cut into several.
func (s *Store) Read(table string, from, to []byte, visit func(key, value []byte) bool) error {
	return s.db.View(func(r *kv.Reader) error {
		for k, v := range r.Scan(table, from, to) {
			if !visit(k, v) {
				break
			}
		}
		return nil
	})
}

// ReadBack is Read from the last row to the first.
func (s *Store) ReadBack(table string, from, to []byte, visit func(key, value []byte) bool) error {
	return s.db.View(func(r *kv.Reader) error {
		for k, v := range r.ScanBack(table, from, to) {
			if !visit(k, v) {
				break
			}
		}
		return nil
	})
}
