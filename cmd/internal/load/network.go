package load

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// NetworkID is the network of RFC 8345 that all happens in.
const NetworkID = "ncload"

const networksOpen = `<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network"><network><network-id>` + NetworkID + `</network-id>`
const networksClose = `</network></networks>`

// MaxNodes is how many nodes have a name of their own.
const MaxNodes = 10_000_000

// nodePrefix is what the name of a node begins with; its number follows in nodeDigits digits.
const (
	nodePrefix = "node-"
	nodeDigits = 7
)

// appendNodeID appends the name of a node.
func appendNodeID(b []byte, i int) []byte {
	b = append(b, nodePrefix...)
	var digits [nodeDigits]byte
	for k := nodeDigits - 1; k >= 0; k-- {
		digits[k] = byte('0' + i%10)
		i /= 10
	}
	return append(b, digits[:]...)
}

// nodeIn finds the first node that a message names.
func nodeIn(msg []byte) (int, bool) {
	for {
		at := bytes.Index(msg, []byte(nodePrefix))
		if at < 0 || len(msg) < at+len(nodePrefix)+nodeDigits {
			return 0, false
		}
		msg = msg[at+len(nodePrefix):]
		if i, err := strconv.Atoi(string(msg[:nodeDigits])); err == nil {
			return i, true
		}
	}
}

// appendNode appends a node with a termination point, whose name is the version: another
// version is another value.
func appendNode(b []byte, i, version int, attributes string) []byte {
	b = append(b, `<node`...)
	b = append(b, attributes...)
	b = append(b, `><node-id>`...)
	b = appendNodeID(b, i)
	b = append(b, `</node-id><termination-point xmlns="urn:ietf:params:xml:ns:yang:ietf-network-topology"><tp-id>v`...)
	b = strconv.AppendInt(b, int64(version), 10)
	return append(b, `</tp-id></termination-point></node>`...)
}

// edit is an <edit-config> of a datastore.
func edit(target, config string) string {
	return `<edit-config><target><` + target + `/></target><config>` + config + `</config></edit-config>`
}

// nodes is the configuration of the nodes from to below to.
func nodes(from, to, version int) string {
	b := make([]byte, 0, 64+(to-from)*160)
	b = append(b, networksOpen...)
	for i := from; i < to; i++ {
		b = appendNode(b, i, version, "")
	}
	return string(append(b, networksClose...))
}

const replaceAttribute = ` xmlns:nc="` + baseNamespace + `" nc:operation="replace"`

// changed is the configuration that makes one node another version.
func changed(i, version int) string {
	b := make([]byte, 0, 512)
	b = append(b, networksOpen...)
	b = appendNode(b, i, version, replaceAttribute)
	return string(append(b, networksClose...))
}

// changedRange is the configuration that makes several nodes another version.
func changedRange(from, to, version int) string {
	b := make([]byte, 0, 64+(to-from)*240)
	b = append(b, networksOpen...)
	for i := from; i < to; i++ {
		b = appendNode(b, i, version, replaceAttribute)
	}
	return string(append(b, networksClose...))
}

const removed = `<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network"><network xmlns:nc="` + baseNamespace +
	`" nc:operation="delete"><network-id>` + NetworkID + `</network-id></network></networks>`

// getOne reads one node by its key.
func getOne(i int) string {
	b := make([]byte, 0, 256)
	b = append(b, `<get-config><source><running/></source><filter type="subtree">`+networksOpen+`<node><node-id>`...)
	b = appendNodeID(b, i)
	return string(append(b, `</node-id></node>`+networksClose+`</filter></get-config>`...))
}

// getAll reads every node.
const getAll = `<get-config><source><running/></source><filter type="subtree">` + networksOpen + `<node/>` + networksClose + `</filter></get-config>`

// write makes a change of running, over the candidate where the server wants that.
func (ss *Session) write(config string) error {
	if ss.has(writableRunning) {
		_, err := ss.Call(edit("running", config))
		return err
	}
	if _, err := ss.Call(edit("candidate", config)); err != nil {
		return err
	}
	_, err := ss.Call("<commit/>")
	return err
}

// clear deletes the network, if it is there.
func (ss *Session) clear() error {
	err := ss.write(removed)
	var no *Refusal
	if errors.As(err, &no) && no.Tag == "data-missing" {
		return nil
	}
	return err
}

// Fill makes the network one of count nodes.
func (ss *Session) Fill(count int) error {
	if err := ss.clear(); err != nil {
		return fmt.Errorf("delete the network %s: %w", NetworkID, err)
	}
	const most = 10000
	for from := 0; from < count; from += most {
		if err := ss.write(nodes(from, min(count, from+most), 0)); err != nil {
			return fmt.Errorf("load %d nodes: %w", count, err)
		}
	}
	return nil
}

// versions counts the nodes of a reply, and which version each of them has.
func versions(reply []byte) map[int]int {
	list := make(map[int]int)
	for part := range bytes.SplitSeq(reply, []byte("</node>")) {
		at := bytes.LastIndex(part, []byte("node-id>"+nodePrefix))
		tp := bytes.LastIndex(part, []byte("tp-id>v"))
		if at < 0 || tp < at {
			continue
		}
		i, ok := nodeIn(part[at:])
		text, _, _ := strings.Cut(string(part[tp+len("tp-id>v"):]), "<")
		version, err := strconv.Atoi(text)
		if ok && err == nil {
			list[i] = version
		}
	}
	return list
}
