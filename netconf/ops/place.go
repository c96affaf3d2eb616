package ops

import (
	"strings"

	"incidentd/datastore"
	"incidentd/netconf"
	"incidentd/yang/data"
)

// place is what the source or the target of an operation names: a datastore, a URL, or
// a configuration that stands in the request itself. One of the fields is set.
type place struct {
	store  datastore.Name
	url    string
	config *data.Node
}

// place reads a choice of places, of which the schema wants one.
func (o *operations) place(input *data.Node, choice string) (p place, err error) {
	for c := range input.Child(choice).Children() {
		switch c.Name() {
		case "datastore":
			p.store, err = datastoreOf(c.Value())
		case "url":
			p.url = c.Value()
		case "config":
			p.config = c
		default:
			p.store = datastore.Name(c.Name())
		}
	}
	return p, err
}

// writable is place for a target that has to be a datastore which takes edits.
func (o *operations) writable(input *data.Node, choice string) (datastore.Name, error) {
	p, err := o.place(input, choice)
	if err == nil && !p.store.Writable() {
		err = datastoreError(string(p.store))
	}
	return p.store, err
}

// datastoreOf is the datastore of an identity of ietf-datastores. The others are
// refused as RFC 8526 section 3 says.
func datastoreOf(identity string) (datastore.Name, error) {
	name := datastore.Name(strings.TrimPrefix(identity, "ietf-datastores:"))
	if !name.Known() {
		return "", datastoreError(string(name))
	}
	return name, nil
}

// author is who makes the transaction of a request.
func author(r *netconf.Request) datastore.Author {
	return datastore.Author{User: r.Session.User(), Session: r.Session.ID(), Host: host(r.Session.RemoteAddr()),
		Source: "netconf", Comment: r.Input.Leaf("comment")}
}

// parse reads a whole configuration: that of a request, or of a URL.
func (o *operations) parse(config *data.Node) (*data.Node, error) {
	p := data.Parser{Schema: o.schema}
	return p.ParseRaw(config.Raw(), o.schema.Root)
}
