package ops

import (
	"errors"

	"incidentd/datastore"
	"incidentd/yang"
	"incidentd/yang/data"
)

// provideLibrary provides the YANG library [RFC 8525], and the older form of it
// that the same module has [RFC 7895]. Both are made once: a schema never changes.
func (o *operations) provideLibrary() error {
	m := o.schema.Module("ietf-yang-library")
	if m == nil || !m.Implemented {
		return errors.New("ops: the schema does not implement ietf-yang-library")
	}
	library := o.yangLibrary(o.schema.Root.Child(m, "yang-library"))
	o.store.Provide(library.Schema(), func(*datastore.Snapshot) *data.Node { return library })
	if s := o.schema.Root.Child(m, "modules-state"); s != nil {
		older := o.modulesState(s)
		o.store.Provide(s, func(*datastore.Snapshot) *data.Node { return older })
	}
	return nil
}

// The names of the one module-set and the one schema: all datastores have the
// same.
const libraryName = "incidentd"

func (o *operations) yangLibrary(top *yang.Node) *data.Node {
	b := data.Build(top)
	set := b.Entry("module-set", libraryName)
	for _, m := range o.schema.Modules {
		if !m.Implemented {
			set.Entry("import-only-module", m.Name, m.Revision).Leaf("namespace", m.Namespace)
			continue
		}
		e := set.Entry("module", m.Name).Text("revision", m.Revision).Leaf("namespace", m.Namespace)
		for _, f := range m.Features {
			e.Leaf("feature", f)
		}
	}
	b.Entry("schema", libraryName).Leaf("module-set", libraryName)
	for _, d := range []string{"running", "candidate", "startup", "intended", "operational"} {
		b.Entry("datastore", "ietf-datastores:"+d).Leaf("schema", libraryName)
	}
	b.Entry("datastore", "ietf-factory-default:factory-default").Leaf("schema", libraryName)
	return b.Leaf("content-id", o.server.ContentID()).Node()
}

func (o *operations) modulesState(top *yang.Node) *data.Node {
	b := data.Build(top).Leaf("module-set-id", o.server.ContentID())
	for _, m := range o.schema.Modules {
		e := b.Entry("module", m.Name, m.Revision).Leaf("namespace", m.Namespace)
		if !m.Implemented {
			e.Leaf("conformance-type", "import")
			continue
		}
		for _, f := range m.Features {
			e.Leaf("feature", f)
		}
		e.Leaf("conformance-type", "implement")
	}
	return b.Node()
}
