package client

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Lock locks a datastore [RFC 6241 section 7.5].
func (c *Client) Lock(ctx context.Context, target string) error {
	return c.ok(ctx, []byte("<lock><target><"+target+"/></target></lock>"))
}

// Unlock releases a lock [RFC 6241 section 7.6].
func (c *Client) Unlock(ctx context.Context, target string) error {
	return c.ok(ctx, []byte("<unlock><target><"+target+"/></target></unlock>"))
}

// PartialLock locks parts of running: the nodes that the expressions select,
// whose prefixes stand for the namespaces [RFC 5717 section 2.4.1]. It returns the
// number of the lock, for PartialUnlock, and the instance-identifiers of what is
// locked now.
func (c *Client) PartialLock(ctx context.Context, selects []string, namespaces map[string]string) (id uint32, nodes []string, err error) {
	b := []byte(`<partial-lock xmlns="` + partialLockNamespace + `"`)
	for _, p := range slices.Sorted(maps.Keys(namespaces)) {
		b = append(b, " xmlns:"+p+`="`...)
		b = appendText(b, namespaces[p])
		b = append(b, '"')
	}
	b = append(b, '>')
	for _, s := range selects {
		b = appendLeaf(b, "select", s)
	}
	r, err := c.Call(ctx, append(b, "</partial-lock>"...))
	if err != nil {
		return 0, nil, err
	}
	doc, err := r.Doc()
	if err != nil {
		return 0, nil, err
	}
	found := false
	for _, el := range doc.Root().ChildElements() {
		switch text := strings.TrimSpace(el.Text()); el.Tag {
		case "lock-id":
			n, err := strconv.ParseUint(text, 10, 32)
			if err != nil {
				return 0, nil, fmt.Errorf("%w: the lock-id %q", ErrProtocol, text)
			}
			id, found = uint32(n), true
		case "locked-node":
			nodes = append(nodes, text)
		}
	}
	if !found {
		return 0, nil, fmt.Errorf("%w: a partial-lock without lock-id", ErrProtocol)
	}
	return id, nodes, nil
}

// PartialUnlock releases a partial lock by its number [RFC 5717 section 2.4.2].
func (c *Client) PartialUnlock(ctx context.Context, id uint32) error {
	b := []byte(`<partial-unlock xmlns="` + partialLockNamespace + `">`)
	b = appendLeaf(b, "lock-id", strconv.FormatUint(uint64(id), 10))
	return c.ok(ctx, append(b, "</partial-unlock>"...))
}
