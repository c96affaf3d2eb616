package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/beevik/etree"
	"golang.org/x/term"

	"incidentd/cmd/incctl/internal/datapath"
	"incidentd/netconf/client"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/xmltext"
)

// editing is what the commands have in common that change a configuration.
type editing struct {
	Target   string `help:"The datastore to change: candidate, running or startup. The candidate where the server has one." enum:",candidate,running,startup" default:"" placeholder:"NAME"`
	TestOnly bool   `help:"Check the change, and do not make it."`
	Comment  string `short:"m" help:"Why, for the history, when running is the target." placeholder:"TEXT"`
}

// target is the datastore that is meant.
func (c *editing) target(s *session) string {
	switch {
	case c.Target != "":
		return c.Target
	case s.c.HasCapability(capabilityCandidate):
		return "candidate"
	}
	return "running"
}

// send makes a change and says so.
func (c *editing) send(ctx context.Context, a *app, s *session, config []byte, operation string) error {
	target := c.target(s)
	var options []client.Option
	if c.TestOnly {
		if err := s.wants(capabilityValidate, "--test-only"); err != nil {
			return err
		}
		options = append(options, client.TestOption("test-only"))
	}
	comment, err := a.comment(ctx, s, "edit-config", c.Comment)
	if err != nil {
		return err
	}
	options = append(options, comment...)
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, s.slow())
	defer cancel()
	if err := s.c.EditConfig(ctx, target, config, operation, options...); err != nil {
		return err
	}
	if c.TestOnly {
		return a.done(fmt.Sprintf("The change is good for %s; nothing was changed.", target), "target", target)
	}
	a.changed(target)
	if a.interactive {
		return nil // the prompt shows it
	}
	text := fmt.Sprintf("Changed %s.", target)
	if target == "candidate" {
		text = "Changed the candidate; incctl diff shows the change, incctl commit makes it running."
	}
	return a.done(text, "target", target)
}

// done says what was done: a sentence, or with --json the names and values.
func (a *app) done(text string, pairs ...string) error {
	if a.json {
		out := map[string]string{"result": "ok"}
		for i := 0; i+1 < len(pairs); i += 2 {
			out[pairs[i]] = pairs[i+1]
		}
		return a.writeJSON(out)
	}
	_, err := fmt.Fprintln(a.stdout, text)
	return err
}

type editCommand struct {
	editing
	File        string `arg:"" help:"The change in XML or in the JSON of RFC 7951; - reads standard input. With --interactive the path to edit."`
	Operation   string `help:"What to do with what the change does not say itself: merge, replace or none." enum:"merge,replace,none" default:"merge" placeholder:"OPERATION"`
	Interactive bool   `short:"i" help:"Open the configuration below a path in $EDITOR."`
	Yes         bool   `short:"y" help:"With --interactive: send without asking."`
	XML         bool   `name:"xml" help:"With --interactive: edit XML instead of JSON."`
}

// Help is shown by `incctl edit --help`.
func (*editCommand) Help() string {
	return `Changes a configuration by a file, or in an editor. In XML, elements may carry nc:operation.

  incctl edit change.xml
  incctl get-config /system --json | sed s/old/new/ | incctl edit -
  incctl edit --target running --test-only change.json
  incctl edit -i /system/authentication`
}

// Run reads the change and sends it.
func (c *editCommand) Run(ctx context.Context, a *app) error {
	if c.Interactive {
		return c.interactively(ctx, a)
	}
	name, text, err := a.read(c.File)
	if err != nil {
		return err
	}
	s, err := a.dial(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	d := newDocument(name, text)
	config, err := d.config(func() (*yang.Schema, error) { return a.schema(ctx, s) })
	if err == nil {
		operation := c.Operation
		if operation == "merge" {
			operation = "" // which is the default
		}
		err = c.send(ctx, a, s, config, operation)
	}
	return d.locate(err)
}

// read reads a file, or standard input for -.
func (a *app) read(file string) (name string, text []byte, err error) {
	if file == "-" {
		text, err = io.ReadAll(a.stdin)
		return "standard input", text, err
	}
	text, err = os.ReadFile(file)
	return file, text, err
}

// config is the document as the content of <config>.
func (d *document) config(schema func() (*yang.Schema, error)) ([]byte, error) {
	if len(bytes.TrimSpace(d.text)) == 0 {
		return nil, fmt.Errorf("%s is empty", d.name)
	}
	if d.json {
		s, err := schema()
		if err != nil {
			return nil, err
		}
		tree, err := (&data.Parser{Schema: s, Edit: true}).ParseJSON(d.text, s.Root)
		if err != nil {
			return nil, err
		}
		return data.AppendChildrenXML(nil, tree, ""), nil
	}
	if _, err := xmltext.ParseElement(d.text, xmltext.Limits{}); err != nil {
		return nil, err
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(d.text); err != nil {
		return nil, fmt.Errorf("%s: %w", d.name, err)
	}
	root := doc.Root()
	if root.Tag != "config" && root.Tag != "data" {
		return marshal(root), nil
	}
	var b []byte
	for _, e := range root.ChildElements() {
		c := e.Copy()
		inherit(e, c)
		b = append(b, marshal(c)...)
	}
	return b, nil
}

type setCommand struct {
	editing
	Path  string `arg:"" help:"The leaf; or a list's entry or a container with presence, to make it." complete:"config"`
	Value string `arg:"" optional:"" help:"Its value; without one it is asked for where somebody is there to answer." complete:"value"`
}

// Help is shown by `incctl set --help`.
func (*setCommand) Help() string {
	return `Sets a leaf, adds a value to a leaf-list, or makes an entry.

  incctl set /system/hostname nms1
  incctl set /system/authentication/user=noc
  incctl set /system/authentication/user=noc/password      # asks, and shows nothing`
}

// Run sends the change.
func (c *setCommand) Run(ctx context.Context, a *app) error {
	return a.withPath(ctx, c.Path, func(s *session, p datapath.Path) error {
		edit, err := c.edit(a, p)
		if err != nil {
			return err
		}
		return c.send(ctx, a, s, edit, "")
	})
}

func (c *setCommand) edit(a *app, p datapath.Path) ([]byte, error) {
	n := p.Node()
	switch {
	case len(p.Steps) == 0:
		return nil, errors.New("the top is no node that could be set")
	case !n.Config:
		return nil, fmt.Errorf("%s is state: the server sets it, nobody else", p)
	case n.HasValue() && p.Steps[len(p.Steps)-1].Keys == nil:
		value := c.Value
		if err := instance(p.Up()); err != nil {
			return nil, err
		}
		if value == "" && n.Type.Base != yang.Empty {
			var err error
			if value, err = a.askValue(p); err != nil {
				return nil, err
			}
		}
		canonical, err := datapath.Value(p.Schema, n, value)
		if err != nil && strings.HasSuffix(n.Type.Name, "crypt-hash") {
			return nil, fmt.Errorf("%s takes a hash, or $0$ and a password in the clear; without a value it is asked for", p)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w; incctl schema %s tells more", p, err, p)
		}
		attributes, text := datapath.Encode(n, canonical)
		return p.Wrap(attributes, text), nil
	case c.Value != "":
		return nil, fmt.Errorf("%s is a %s and has no value", p, n.Kind)
	case n.Kind == yang.List && p.Steps[len(p.Steps)-1].Keys == nil:
		return nil, fmt.Errorf("%s is a list: name an entry, as in %s", p, example(p))
	case n.Kind == yang.Container && !n.Presence:
		return nil, fmt.Errorf("%s is a container: it is there when something in it is; set a leaf below it", p)
	}
	return p.Wrap("", nil), instance(p)
}

// instance is an error for a path that names more than one node.
func instance(p datapath.Path) error {
	if p.Instance() {
		return nil
	}
	for i, s := range p.Steps {
		if s.Node.Multiple() && s.Keys == nil {
			up := datapath.Path{Schema: p.Schema, Steps: p.Steps[:i+1]}
			return fmt.Errorf("%s is a %s: name one entry, as in %s", up, s.Node.Kind, example(up))
		}
	}
	return nil
}

// example is how an entry of the list is named.
func example(p datapath.Path) string {
	keys := []string{strings.ToUpper(p.Node().Name)}
	if p.Node().Kind == yang.List {
		keys = nil
		for _, k := range p.Node().Keys {
			keys = append(keys, strings.ToUpper(k.Name))
		}
	}
	return p.Up().Down(p.Node(), keys...).String()
}

// askValue asks for a value on the terminal; one that is a secret is not shown.
func (a *app) askValue(p datapath.Path) (string, error) {
	in, ok := a.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return "", fmt.Errorf("the value of %s is missing", p)
	}
	fmt.Fprintf(a.stderr, "Value of %s: ", p)
	if secret(p.Node()) {
		b, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(a.stderr)
		text := string(b)
		if strings.HasSuffix(p.Node().Type.Name, "crypt-hash") && text != "" && !strings.HasPrefix(text, "$") {
			text = "$0$" + text // in the clear, for the server to hash [RFC 7317 section 3.5]
		}
		return text, err
	}
	return a.answer(in)
}

// secret reports whether a leaf's value is not to be seen by others.
func secret(n *yang.Node) bool {
	if n.Type == nil {
		return false
	}
	for _, word := range []string{"crypt-hash", "password", "passphrase", "secret", "private-key", "cleartext"} {
		if strings.Contains(n.Type.Name, word) || strings.Contains(n.Name, word) {
			return true
		}
	}
	return n.Deny == "all"
}

type deleteCommand struct {
	editing
	Path string `arg:"" help:"What to delete." complete:"config"`
}

// Help is shown by `incctl delete --help`.
func (*deleteCommand) Help() string {
	return `Deletes a node and all below it; it has to be there.

  incctl delete /system/authentication/user=noc`
}

// Run sends the change.
func (c *deleteCommand) Run(ctx context.Context, a *app) error {
	return a.withPath(ctx, c.Path, func(s *session, p datapath.Path) error {
		switch {
		case len(p.Steps) == 0:
			return errors.New("to delete everything, say so: incctl edit --operation replace with an empty <config/>")
		case !p.Node().Config:
			return fmt.Errorf("%s is state, which nobody deletes", p)
		}
		if err := instance(p); err != nil {
			return err
		}
		return c.send(ctx, a, s, p.Wrap(` nc:operation="delete"`, nil), "none")
	})
}
