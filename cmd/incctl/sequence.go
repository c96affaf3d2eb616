package main

import "fmt"

// sequence follows the sequence numbers of the notifications of one subscription, where the
// server sends them. Its zero value has seen none.
type sequence struct {
	last  uint32
	begun bool
}

// take notes a number, and tells how many notifications are missing before it. Numbers count
// event records; a notification about the subscription repeats that of the last one.
func (q *sequence) take(n notification) (missing uint32) {
	if !n.numbered {
		return 0
	}
	if step := n.number - q.last; q.begun && step > 1 { // both wrap around
		missing = step - 1
	}
	q.last, q.begun = n.number, true
	return missing
}

// missingError tells of notifications that did not come.
type missingError uint32

func (e missingError) Error() string {
	if e == 1 {
		return "a notification is missing"
	}
	return fmt.Sprintf("%d notifications are missing", uint32(e))
}
