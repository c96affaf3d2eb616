package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/beevik/etree"

	"incidentd/cmd/incctl/internal/datapath"
	"incidentd/netconf/client"
	"incidentd/yang"
)

// Capabilities that commands ask for.
const (
	capabilityXPath      = "urn:ietf:params:netconf:capability:xpath:1.0"
	capabilityCandidate  = "urn:ietf:params:netconf:capability:candidate:1.0"
	capabilityStartup    = "urn:ietf:params:netconf:capability:startup:1.0"
	capabilityDefaults   = "urn:ietf:params:netconf:capability:with-defaults:1.0"
	capabilityPagination = "urn:ietf:params:netconf:capability:list-pagination:1.0"
	capabilityValidate   = "urn:ietf:params:netconf:capability:validate:1.1"
	capabilityConfirmed  = "urn:ietf:params:netconf:capability:confirmed-commit:1.1"
)

// reading is what get and get-config have in common.
type reading struct {
	Path      []string `arg:"" optional:"" help:"What to read: paths, or one XPath expression. Everything by default." complete:"path"`
	Format    string   `short:"f" help:"How to show it: tree, table, xml or json. At a terminal tree, else xml." enum:",tree,table,xml,json" default:"" placeholder:"FORMAT"`
	Defaults  string   `help:"Which default values to show: report-all, report-all-tagged, trim or explicit." enum:",report-all,report-all-tagged,trim,explicit" default:"" placeholder:"MODE"`
	Depth     int      `help:"How many levels to show." placeholder:"N"`
	Limit     uint32   `help:"How many entries of the list to show." placeholder:"N" group:"Pages of a list"`
	Offset    uint32   `help:"How many entries to pass over." placeholder:"N" group:"Pages of a list"`
	SortBy    string   `help:"The leaf to sort the entries by." placeholder:"NODE" group:"Pages of a list"`
	Where     string   `help:"An XPath expression that the entries fulfil." placeholder:"XPATH" group:"Pages of a list"`
	Backwards bool     `help:"Begin with the last entry." group:"Pages of a list"`
	Cursor    string   `help:"Go on where a page has ended." placeholder:"CURSOR" group:"Pages of a list"`
}

type getCommand struct {
	reading
	Datastore string `help:"A datastore to read by get-data: running, candidate, startup, intended, operational or factory-default." enum:",running,candidate,startup,intended,operational,factory-default" default:"" placeholder:"NAME"`
	Origin    bool   `help:"Show where each value comes from."`
}

// Help is shown by `incctl get --help`.
func (*getCommand) Help() string {
	return `Reads configuration and state. A path names nodes from the top, an entry of a list by its keys:

  incctl get /system
  incctl get /system/authentication/user=admin
  incctl get "/networks/network[network-id='ip']/node" --format table
  incctl get "//ietf-system:user[starts-with(ietf-system:name, 'a')]"
  incctl get /incidents/incident --sort-by raise-time --backwards --limit 10 -f table
  incctl get /system --datastore operational --origin`
}

// Run reads and prints.
func (c *getCommand) Run(ctx context.Context, a *app) error {
	return c.run(ctx, a, func(ctx context.Context, s *session, f client.Filter) (*client.Reply, error) {
		if c.Datastore == "" && c.Depth == 0 && !c.Origin {
			options, err := c.options(s, client.WithDefaults)
			if err != nil {
				return nil, err
			}
			return s.c.Get(ctx, f, options...)
		}
		datastore := c.Datastore
		if datastore == "" {
			datastore = "operational"
		}
		return c.getData(ctx, s, datastore, f, c.Origin)
	})
}

type getConfigCommand struct {
	reading
	Source string `help:"The datastore: running, candidate or startup." enum:"running,candidate,startup" default:"running" placeholder:"NAME"`
}

// Help is shown by `incctl get-config --help`.
func (*getConfigCommand) Help() string {
	return `Reads the configuration of a datastore. What it writes to a file, incctl edit reads again:

  incctl get-config
  incctl get-config /system --source candidate
  incctl get-config > saved.xml
  incctl get-config /networks --json`
}

// Run reads and prints.
func (c *getConfigCommand) Run(ctx context.Context, a *app) error {
	return c.run(ctx, a, func(ctx context.Context, s *session, f client.Filter) (*client.Reply, error) {
		if c.Depth > 0 {
			return c.getData(ctx, s, c.Source, f, false)
		}
		options, err := c.options(s, client.WithDefaults)
		if err != nil {
			return nil, err
		}
		return s.c.GetConfig(ctx, c.Source, f, options...)
	})
}

func (c *reading) getData(ctx context.Context, s *session, datastore string, f client.Filter, origin bool) (*client.Reply, error) {
	options, err := c.options(s, client.NMDADefaults)
	if err != nil {
		return nil, err
	}
	if c.Depth > 0 {
		options = append(options, client.MaxDepth(c.Depth))
	}
	if origin {
		options = append(options, client.WithOrigin())
	}
	return s.c.GetData(ctx, datastore, f, options...)
}

// options are those that every way of reading has.
func (c *reading) options(s *session, defaults func(mode string) client.Option) (list []client.Option, err error) {
	if c.Defaults != "" {
		if err := s.wants(capabilityDefaults, "--defaults"); err != nil {
			return nil, err
		}
		list = append(list, defaults(c.Defaults))
	}
	p := client.Page{
		Where: c.Where, SortBy: c.SortBy, Backwards: c.Backwards, Cursor: c.Cursor,
		Offset: c.Offset, Limit: c.Limit, Namespaces: namespaces(s.schema, c.Where+" "+c.SortBy),
	}
	if p.Where != "" || p.SortBy != "" || p.Backwards || p.Cursor != "" || p.Offset > 0 || p.Limit > 0 {
		if s.schema != nil && s.schema.Module("ietf-list-pagination-nc") == nil && !s.c.HasCapability(capabilityPagination) {
			return nil, errors.New("the server does not do pages of a list (ietf-list-pagination-nc): leave out --limit, --offset, --sort-by, --where, --backwards and --cursor")
		}
		list = append(list, p.Option())
	}
	return list, nil
}

// wants is an error when the server lacks the capability for something.
func (s *session) wants(capability, what string) error {
	if s.c.HasCapability(capability) {
		return nil
	}
	return fmt.Errorf("%s needs the capability %s, which this server does not have", what, capability)
}

// run reads what the paths select and prints it.
func (c *reading) run(ctx context.Context, a *app, read func(context.Context, *session, client.Filter) (*client.Reply, error)) error {
	if c.Depth < 0 || c.Depth > 65535 {
		return errors.New("--depth must be from 1 to 65535")
	}
	s, err := a.dial(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	format := a.format(c.Format)
	schema, err := a.schema(ctx, s)
	if err != nil && (format != formatXML || !c.bare(a)) {
		return fmt.Errorf("%w; without the server's schema only --format xml is possible, of everything or by XPath", err)
	}
	f, paths, err := c.filter(a, s, schema)
	if err != nil {
		return err
	}
	reading, cancel := context.WithTimeoutCause(ctx, s.timeout, s.slow())
	defer cancel()
	r, err := read(reading, s, f)
	if err != nil {
		return err
	}
	elements, err := r.Data()
	if err != nil {
		return err
	}
	ans := &answer{elements: elements}
	if format != formatXML {
		if ans, err = parse(schema, elements); err != nil {
			return err
		}
	}
	if err := a.print(ans, format, paths); err != nil {
		return err
	}
	c.more(a, elements)
	return nil
}

// bare reports whether nothing of the schema is needed to ask.
func (c *reading) bare(a *app) bool {
	return a.at == "" && !slices.ContainsFunc(c.Path, func(text string) bool { return !isXPath(text) })
}

// filter selects what the arguments name; without any, where the user stands.
func (c *reading) filter(a *app, s *session, schema *yang.Schema) (client.Filter, []datapath.Path, error) {
	args := c.Path
	if len(args) == 0 && a.at != "" {
		args = []string{"."}
	}
	var paths []datapath.Path
	var elements strings.Builder
	for _, text := range args {
		if isXPath(text) {
			if len(args) > 1 {
				return client.Filter{}, nil, fmt.Errorf("%s is an XPath expression, which cannot be joined with other paths; a | in it can", text)
			}
			if err := s.wants(capabilityXPath, "an XPath expression"); err != nil {
				return client.Filter{}, nil, err
			}
			return client.XPath(text, namespaces(schema, text)), nil, nil
		}
		p, err := a.path(schema, text)
		if err != nil {
			return client.Filter{}, nil, err
		}
		if len(p.Steps) == 0 {
			return client.Filter{}, nil, nil // everything
		}
		paths = append(paths, p)
		elements.WriteString(p.Filter())
	}
	return client.Subtree(elements.String()), paths, nil
}

// isXPath reports whether a text can only be an expression and no path.
func isXPath(text string) bool {
	outside := bracket.ReplaceAllStringFunc(text, func(in string) string {
		if equals.MatchString(in) {
			return ""
		}
		return in
	})
	return strings.Contains(outside, "//") || strings.Contains(outside, "::") || strings.ContainsAny(outside, "*|()[ ")
}

var (
	bracket = regexp.MustCompile(`\[[^\]'"]*('[^']*'|"[^"]*")?[^\]'"]*\]`)
	equals  = regexp.MustCompile(`^\[[^=<>!()/]+=([^=<>!()/]*|\s*'[^']*'\s*|\s*"[^"]*"\s*)\]$`)
	prefix  = regexp.MustCompile(`([A-Za-z_][\w.-]*):[A-Za-z_*]`)
)

// namespaces binds the prefixes in an expression: to the module of the name, or of the
// prefix.
func namespaces(schema *yang.Schema, expr string) map[string]string {
	if schema == nil {
		return nil
	}
	bound := map[string]string{}
	for _, found := range prefix.FindAllStringSubmatch(expr, -1) {
		name := found[1]
		if m := schema.Module(name); m != nil {
			bound[name] = m.Namespace
			continue
		}
		for _, m := range schema.Modules {
			if m.Prefix == name {
				bound[name] = m.Namespace
				break
			}
		}
	}
	return bound
}

// more says on stderr what a page has left out, and how to get it.
func (c *reading) more(a *app, data *etree.Element) {
	var remaining, next string
	var walk func(e *etree.Element)
	walk = func(e *etree.Element) {
		for _, at := range e.Attr {
			if at.NamespaceURI() != nsPagination {
				continue
			}
			switch at.Key {
			case "remaining":
				remaining = at.Value
			case "next":
				next = at.Value
			}
		}
		for _, c := range e.ChildElements() {
			walk(c)
		}
	}
	if c.Limit == 0 {
		return
	}
	walk(data)
	switch {
	case next != "":
		fmt.Fprintf(a.stderr, "incctl: %s more; --cursor %s goes on\n", clean(remaining), clean(next))
	case remaining != "" && remaining != "0":
		fmt.Fprintf(a.stderr, "incctl: %s more; --offset %d goes on\n", clean(remaining), c.Offset+c.Limit)
	}
}
