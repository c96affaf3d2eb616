package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/beevik/etree"

	"incidentd/cmd/incctl/internal/datapath"
	"incidentd/cmd/incctl/internal/show"
	"incidentd/netconf/client"
	"incidentd/yang"
	"incidentd/yang/data"
)

// interactively lets the user edit what is below a path, shows the difference, asks, and
// sends what has changed.
func (c *editCommand) interactively(ctx context.Context, a *app) error {
	return a.withPath(ctx, c.File, func(s *session, p datapath.Path) error {
		if err := instance(p); err != nil {
			return err
		}
		before, err := a.config(ctx, s, c.target(s), client.Subtree(p.Filter()))
		if err != nil {
			return err
		}
		d := newDocument("", []byte(show.JSON(before, false)))
		if c.XML {
			text, err := show.XML([]*etree.Element{configElement(before)})
			if err != nil {
				return err
			}
			d = newDocument("", []byte(text))
		}
		for {
			if d, err = a.edit(ctx, d); err != nil {
				return err
			}
			after, err := d.tree(p.Schema)
			if err == nil {
				done, sent := c.offer(ctx, a, s, p, before, after)
				if sent == nil && done {
					return nil
				}
				err = sent
			}
			if err != nil {
				fmt.Fprintf(a.stderr, "incctl: %s\n", strings.ReplaceAll(d.locate(err).Error(), "\n", "\nincctl: "))
				if again, asked := a.confirm("Edit again?"); asked != nil || !again {
					return errors.Join(errors.New("nothing was changed"), asked)
				}
			}
		}
	})
}

// offer shows what has changed and sends it if that is wanted; done is false when the
// user wants to go on editing.
func (c *editCommand) offer(ctx context.Context, a *app, s *session, p datapath.Path, before, after *data.Node) (done bool, _ error) {
	out := a.screen()
	change := show.Difference(before, after, out.paintData)
	if change == "" {
		fmt.Fprintln(a.stdout, "Nothing has changed.")
		return true, nil
	}
	config, err := replacement(p, before, after)
	if err != nil {
		return false, err
	}
	fmt.Fprint(a.stdout, change)
	if !c.Yes {
		yes, err := a.confirm(fmt.Sprintf("Send this to %s?", c.target(s)))
		if err != nil {
			return true, err
		}
		if !yes {
			again, err := a.confirm("Edit again?")
			return !again, err
		}
	}
	return true, c.send(ctx, a, s, config, "none")
}

// replacement is the edit that makes one tree of another by replacing the node at a path;
// at the top, each child that differs. It fails when more has changed.
func replacement(p datapath.Path, before, after *data.Node) ([]byte, error) {
	var edit []byte
	if len(p.Steps) == 0 {
		for _, n := range p.Schema.Root.Data {
			if n.Config {
				edit = append(edit, replaced(p.Down(n), before, after)...)
			}
		}
	} else {
		edit = replaced(p, before, after)
	}
	parsed, err := (&data.Parser{Schema: p.Schema, Edit: true}).ParseDocument(fmt.Appendf(nil, `<config xmlns:nc="%s">%s</config>`, nsBase, edit))
	if err != nil {
		return nil, err
	}
	result, err := data.Apply(before, parsed, data.None)
	if err != nil {
		return nil, err
	}
	if other := show.Difference(result, after, show.Bare); other != "" {
		return nil, fmt.Errorf("the text changes more than %s:\n%s", p, strings.TrimRight(other, "\n"))
	}
	return edit, nil
}

// replaced replaces or removes one node, or does nothing when it is the same.
func replaced(p datapath.Path, before, after *data.Node) []byte {
	was, is := p.Find(before), p.Find(after)
	switch {
	case len(is) == 0 && len(was) == 0:
		return nil
	case len(is) == 0:
		return p.Wrap(` nc:operation="remove"`, nil)
	case len(was) > 0 && data.Equal(was[0].Node, is[0].Node):
		return nil
	}
	up, space := p.Up(), ""
	if m := up.Node().Module; m != nil {
		space = m.Namespace
	}
	element := data.AppendXML(nil, is[0].Node, space)
	name := len("<" + p.Node().Name)
	element = append(element[:name:name], append([]byte(` nc:operation="replace"`), element[name:]...)...)
	return up.Wrap("", element)
}

// tree binds a document to the schema.
func (d *document) tree(schema *yang.Schema) (*data.Node, error) {
	p := &data.Parser{Schema: schema}
	switch {
	case len(bytes.TrimSpace(d.text)) == 0:
		return data.New(schema.Root), nil
	case d.json:
		return p.ParseJSON(d.text, schema.Root)
	}
	return p.ParseDocument(d.text)
}

// configElement is a tree as <config>.
func configElement(n *data.Node) *etree.Element {
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(fmt.Appendf(nil, `<config xmlns="%s">%s</config>`, nsBase, data.AppendChildrenXML(nil, n, nsBase))); err != nil {
		panic(err) // the tree writes XML and nothing else
	}
	return doc.Root()
}

// edit opens a document in the user's editor and returns what has become of it.
func (a *app) edit(ctx context.Context, d *document) (*document, error) {
	dir, err := os.MkdirTemp("", "incctl-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	name := "config.xml"
	if d.json {
		name = "config.json"
	}
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, d.text, 0o600); err != nil {
		return nil, err
	}
	editor := os.Getenv("VISUAL")
	if editor == "" {
		editor = os.Getenv("EDITOR")
	}
	if editor == "" {
		editor = "vi"
	}
	// As git does it: the variable may hold options.
	cmd := exec.CommandContext(ctx, "sh", "-c", editor+` "$@"`, editor, file)
	cmd.Stdout, cmd.Stderr = a.stdout, a.stderr
	if in, ok := a.stdin.(*os.File); ok {
		cmd.Stdin = in // what is no terminal or file holds the answers to our questions
	}
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("the editor %s: %w; nothing was changed", editor, err)
	}
	text, err := os.ReadFile(file)
	return newDocument(name, text), err
}

// confirm asks a question that is answered by yes or no.
func (a *app) confirm(question string) (bool, error) {
	fmt.Fprintf(a.stderr, "%s [y/n] ", question)
	for {
		text, err := a.answer(a.stdin)
		switch strings.ToLower(text) {
		case "y", "yes":
			return true, nil
		case "n", "no":
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("%s nobody has answered: %w", question, err)
		}
		fmt.Fprint(a.stderr, "y or n? ")
	}
}

// answer reads one line, and nothing beyond it.
func (a *app) answer(in io.Reader) (string, error) {
	if b, ok := in.(*bufio.Reader); ok {
		text, err := b.ReadString('\n')
		return strings.TrimSpace(text), err
	}
	var text []byte
	for one := make([]byte, 1); ; {
		n, err := in.Read(one)
		if n == 1 && one[0] == '\n' {
			return strings.TrimSpace(string(text)), nil
		}
		text = append(text, one[:n]...)
		if err != nil {
			return strings.TrimSpace(string(text)), err
		}
	}
}
