package ops

import (
	"errors"
	"log/slog"
	"net/http"
	"os"
	"strings"

	"incidentd/datastore"
	"incidentd/netconf"
	"incidentd/netconf/nacm"
	"incidentd/yang"
)

// Config is what the operations need. Server must be given.
type Config struct {
	Server *netconf.Server
	// Files is the directory that URLs of the scheme file lead into; they never lead out
	// of it. Nil: there are none.
	Files *os.Root
	// HTTP asks the servers of URLs of the scheme https. Nil: there are none.
	HTTP *http.Client
	// Access has the rules that explain-access tells of; nil: it is not supported.
	Access *nacm.Controller
	// Stored says, for leafs that are not stored as they are sent, what is stored
	// for a value, such as the hash for a password. It is called before the
	// transaction and may take its time. Its error is told to the client as
	// invalid-value, so it must not hold what is secret.
	Stored map[*yang.Node]func(value string) (string, error)
}

// Features are those of the protocol's modules that the operations implement, for
// yang.Options: without the others the schema neither announces nor accepts them.
func Features() map[string][]string {
	return map[string][]string{
		"ietf-factory-default": {"factory-default-datastore"},
		"ietf-netconf":         {"candidate", "confirmed-commit", "rollback-on-error", "startup", "url", "validate", "writable-running", "xpath"},
		"ietf-netconf-nmda":    {"origin", "with-defaults"},
	}
}

type operations struct {
	server *netconf.Server
	store  *datastore.Store
	schema *yang.Schema
	log    *slog.Logger
	files  *os.Root
	http   *http.Client
	stored map[*yang.Node]func(string) (string, error)
	access *nacm.Controller
}

// Register adds the handlers of the operations to the server, and the state that
// describes the server to its store. It fails when the schema lacks what the
// operations need.
func Register(c Config) error {
	store := c.Server.Store()
	o := &operations{server: c.Server, store: store, schema: store.Schema(), log: c.Server.Log(), files: c.Files, http: c.HTTP, stored: c.Stored, access: c.Access}
	c.Server.Observe(newSessionEvents(store, o.log))
	if schemes := o.schemes(); len(schemes) > 0 {
		c.Server.Offer("urn:ietf:params:netconf:capability:url:1.0?scheme=" + strings.Join(schemes, ","))
	}
	var errs []error
	for _, h := range []struct {
		module, rpc string
		handler     netconf.Handler
	}{
		{"ietf-netconf", "get", o.get},
		{"ietf-netconf", "get-config", o.getConfig},
		{"ietf-netconf", "edit-config", o.editConfig},
		{"ietf-netconf", "copy-config", o.copyConfig},
		{"ietf-netconf", "delete-config", o.deleteConfig},
		{"ietf-netconf", "commit", o.commit},
		{"ietf-netconf", "cancel-commit", o.cancelCommit},
		{"ietf-netconf", "discard-changes", o.discardChanges},
		{"ietf-netconf", "validate", o.validate},
		{"ietf-netconf", "lock", o.lock},
		{"ietf-netconf", "unlock", o.unlock},
		{"ietf-netconf", "close-session", o.closeSession},
		{"ietf-netconf", "kill-session", o.killSession},
		{"ietf-factory-default", "factory-reset", o.factoryReset},
		{"ietf-netconf-monitoring", "get-schema", o.getSchema},
		{"ietf-netconf-partial-lock", "partial-lock", o.partialLock},
		{"ietf-netconf-partial-lock", "partial-unlock", o.partialUnlock},
		{"ietf-netconf-nmda", "get-data", o.getData},
		{"ietf-netconf-nmda", "edit-data", o.editData},
		{"incidentd-history", "compare", o.compare},
		{"incidentd-history", "rollback", o.rollback},
	} {
		errs = append(errs, c.Server.Handle(h.module, h.rpc, h.handler))
	}
	if c.Access != nil {
		errs = append(errs, c.Server.Handle("incidentd-access", "explain-access", o.explainAccess))
	}
	errs = append(errs, o.provideLibrary(), o.provideMonitoring(), o.provideCapabilities(), o.provideHistory())
	return errors.Join(errs...)
}
