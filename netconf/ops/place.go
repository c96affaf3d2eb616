package ops

import (
	"context"
	"strings"

	"incidentd/datastore"
	"incidentd/netconf"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// place is what the source or the target of an operation names: a datastore, a URL, or
// a configuration that stands in the request itself. One of the fields is set. Places
// compare by what they name.
type place struct {
	store  datastore.Name
	url    location
	config *data.Node
}

// place reads a choice of places, of which the schema wants one. It stands in the
// parameter of a name, or among all of them when that is empty.
func (o *operations) place(input *data.Node, choice string) (p place, err error) {
	at := &data.Loc{Node: input}
	if choice != "" {
		at = at.Down(input.Child(choice))
	}
	for c := range at.Node.Children() {
		switch c.Name() {
		case "datastore":
			p.store, err = datastoreOf(c.Value())
		case "url":
			if p.url, err = o.location(c.Value()); err != nil {
				err = located(err, at.Down(c))
			}
		case "config":
			p.config = c
		case "candidate", "running", "startup", "factory-default":
			p.store = datastore.Name(c.Name())
		}
	}
	return p, err
}

// located gives the errors of a parameter its place.
func located(err error, at *data.Loc) error {
	list, known := rpcerr.List(err)
	if !known {
		return err
	}
	var errs rpcerr.Errors
	for _, e := range list {
		errs = append(errs, e.At(at.Path()).WithInfo("", "bad-element", at.Node.Name()))
	}
	return errs.Err()
}

// writable is place for a target that has to be a datastore which takes edits.
func (o *operations) writable(input *data.Node, choice string) (datastore.Name, error) {
	p, err := o.place(input, choice)
	if err == nil && !p.store.Writable() {
		err = datastoreError(string(p.store))
	}
	return p.store, err
}

// datastoreOf is the datastore of an identity. Those that are not there are
// refused as RFC 8526 section 3 says.
func datastoreOf(identity string) (datastore.Name, error) {
	_, local, _ := strings.Cut(identity, ":")
	name := datastore.Name(local)
	if !name.Known() {
		return "", datastoreError(string(name))
	}
	return name, nil
}

// author is who makes the transaction of a request.
func author(r *netconf.Request) datastore.Author {
	by := r.Author()
	by.Comment = r.Input.Leaf("comment")
	return by
}

// parse reads what stands at a place that is no datastore.
func (o *operations) parse(ctx context.Context, p place, how data.Parser) (*data.Node, error) {
	how.Schema = o.schema
	if p.config != nil {
		return how.ParseRaw(p.config.Raw(), o.schema.Root)
	}
	return o.load(ctx, p.url, how)
}
