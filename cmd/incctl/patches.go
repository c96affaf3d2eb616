package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/beevik/etree"
)

// patches follows the patch-ids of an on-change subscription: they count from 0 after each
// push-update [RFC 8641 section 3.7]. Its zero value has seen none.
type patches struct {
	next  uint32
	begun bool
}

// take looks at a notification and tells what changes the receiver lacks from then on; empty
// for none.
func (p *patches) take(e *etree.Element) string {
	name, id, incomplete := updateOf(e)
	switch name {
	case "push-update":
		p.next, p.begun = 0, true
		if incomplete {
			return "not all that is selected came"
		}
	case "push-change-update":
		number, err := strconv.ParseUint(id, 10, 32)
		if err != nil {
			return "" // it is no counter
		}
		missing := uint32(number) - p.next
		begun := p.begun
		p.next, p.begun = uint32(number)+1, true
		switch {
		case begun && missing > 0:
			return fmt.Sprintf("%d of the changes before the patch-id %s did not come", missing, id)
		case incomplete:
			return fmt.Sprintf("the change with the patch-id %s is incomplete", id)
		}
	}
	return ""
}

// updateOf is the name of an update of a datastore, its patch-id, and whether it is
// incomplete.
func updateOf(e *etree.Element) (name, patchID string, incomplete bool) {
	if text := encoded(e); text != "" {
		name, _, _ = strings.Cut(strings.TrimPrefix(text, `{"ietf-yang-push:`), `"`)
		_, patchID, _ = strings.Cut(text, `"patch-id":"`)
		patchID, _, _ = strings.Cut(patchID, `"`)
		return name, patchID, strings.Contains(text, `"incomplete-update":[null]`)
	}
	if e.NamespaceURI() != nsPush {
		return "", "", false
	}
	if id := e.FindElement("./datastore-changes/yang-patch/patch-id"); id != nil {
		patchID = id.Text()
	}
	return e.Tag, patchID, e.SelectElement("incomplete-update") != nil
}
