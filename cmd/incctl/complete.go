package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"github.com/beevik/etree"

	"incidentd/cmd/incctl/internal/datapath"
	"incidentd/cmd/internal/manual"
	"incidentd/netconf/client"
	"incidentd/yang"
)

// completer finds out how a command line can go on. What it needs of the server it asks
// for only then; without an answer there are no candidates.
type completer struct {
	app *app
	// builtins are the shell's own commands.
	builtins []datapath.Candidate
	model    *kong.Node
}

func newCompleter(a *app) *completer {
	silent := *a
	silent.stdout, silent.stderr = io.Discard, io.Discard
	_, parser := silent.parser(context.Background())
	return &completer{app: &silent, model: parser.Model.Node}
}

// position is where in the command line the last word stands.
type position struct {
	node   *kong.Node
	flag   *kong.Flag // whose value it is, or nil
	index  int        // of the positional
	before []string   // the positionals before it
	flags  map[string]string
}

// find walks the words before the last one.
func (c *completer) find(words []string) position {
	p := position{node: c.model, flags: map[string]string{}}
	for _, w := range words {
		switch {
		case p.flag != nil:
			p.flags[p.flag.Name] = w
			p.flag = nil
		case w == "--":
			if p.node.Name == "lock" {
				p.node, p.index, p.before = c.model, 0, nil
			}
		case strings.HasPrefix(w, "-") && len(w) > 1:
			name, value, inline := strings.Cut(strings.TrimLeft(w, "-"), "=")
			for _, f := range flagsOf(p.node) {
				if f.Name != name && string(f.Short) != name {
					continue
				}
				if inline {
					p.flags[f.Name] = value
				} else if !f.IsBool() {
					p.flag = f
				}
			}
		default:
			if next := child(p.node, w); next != nil {
				p.node, p.index, p.before = next, 0, nil
				continue
			}
			p.index++
			p.before = append(p.before, w)
		}
	}
	return p
}

// flagsOf are the flags of a command and of those above it.
func flagsOf(n *kong.Node) (list []*kong.Flag) {
	for ; n != nil; n = n.Parent {
		list = append(list, n.Flags...)
	}
	return list
}

func child(n *kong.Node, name string) *kong.Node {
	for _, c := range n.Children {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// complete returns candidates for the last word.
func (c *completer) complete(ctx context.Context, words []string, last string) []datapath.Candidate {
	p := c.find(words)
	if p.flag != nil {
		return c.value(ctx, p, p.flag.Value, last)
	}
	if strings.HasPrefix(last, "-") {
		return c.flags(ctx, p, last)
	}
	if len(p.node.Children) > 0 && p.node == c.model {
		out := slices.Clone(c.builtins)
		for _, n := range p.node.Children {
			if !n.Hidden {
				out = append(out, datapath.Candidate{Text: n.Name, Description: n.Help})
			}
		}
		return beginning(out, last)
	}
	positional := p.node.Positional
	if len(positional) == 0 {
		return nil
	}
	at := positional[min(p.index, len(positional)-1)]
	if p.index >= len(positional) && !at.IsSlice() {
		return nil
	}
	return c.value(ctx, p, at, last)
}

func beginning(list []datapath.Candidate, with string) []datapath.Candidate {
	return slices.DeleteFunc(list, func(c datapath.Candidate) bool { return !strings.HasPrefix(c.Text, with) })
}

// flags completes the name of a flag, or the value behind its equals sign.
func (c *completer) flags(ctx context.Context, p position, last string) (out []datapath.Candidate) {
	name, value, inline := strings.Cut(strings.TrimPrefix(last, "--"), "=")
	for _, f := range flagsOf(p.node) {
		switch {
		case inline && f.Name == name:
			for _, v := range c.value(ctx, p, f.Value, value) {
				v.Text = "--" + name + "=" + v.Text
				out = append(out, v)
			}
		case !inline && !f.Hidden && strings.HasPrefix("--"+f.Name, last):
			out = append(out, datapath.Candidate{Text: "--" + f.Name, Description: f.Help})
		}
	}
	return out
}

// value completes that of a flag or a positional: by its enumeration, or by what its tag
// complete names.
func (c *completer) value(ctx context.Context, p position, v *kong.Value, last string) []datapath.Candidate {
	if kind := v.Tag.Get("complete"); kind != "" {
		return c.server(ctx, p, kind, last)
	}
	var out []datapath.Candidate
	if v.Enum != "" {
		for _, text := range v.EnumSlice() {
			if text != "" {
				out = append(out, datapath.Candidate{Text: text})
			}
		}
	}
	return beginning(out, last)
}

// server completes what the server knows.
func (c *completer) server(ctx context.Context, p position, kind, last string) (out []datapath.Candidate) {
	if kind == "datastore" {
		for _, name := range []string{"running", "candidate", "startup"} {
			out = append(out, datapath.Candidate{Text: name})
		}
		return beginning(out, last)
	}
	s, err := c.app.dial(ctx)
	if err != nil {
		return nil
	}
	defer s.close()
	switch kind {
	case "session":
		list, err := s.sessions(ctx)
		if err != nil {
			return nil
		}
		for _, o := range list {
			if !o.Own {
				out = append(out, datapath.Candidate{Text: strconv.FormatUint(uint64(o.ID), 10), Description: o.User + " " + o.Host})
			}
		}
		return beginning(out, last)
	case "subscription":
		list, err := s.subscriptions(ctx)
		if err != nil {
			return nil
		}
		for _, i := range list {
			out = append(out, datapath.Candidate{Text: strconv.FormatUint(uint64(i.ID), 10), Description: i.Stream + i.Datastore + " " + i.Receiver})
		}
		return beginning(out, last)
	case "source":
		list, err := s.sources(ctx, "")
		if err != nil {
			return nil
		}
		for _, h := range list {
			out = append(out, datapath.Candidate{Text: h.Name, Description: h.Kind + " " + h.State})
		}
		return beginning(out, last)
	case "window":
		list, err := s.windows(ctx, "")
		if err != nil {
			return nil
		}
		for _, w := range list {
			word, _ := w.standing()
			out = append(out, datapath.Candidate{Text: w.Name, Description: word})
		}
		return beginning(out, last)
	case "alarm":
		_, list, err := s.alarms(ctx, false, []*etree.Element{etree.NewElement("resource")}, func(*alarmEntry) bool { return true })
		if err != nil {
			return nil
		}
		for _, n := range list {
			if len(out) == 0 || out[len(out)-1].Text != n.resource {
				out = append(out, datapath.Candidate{Text: n.resource, Description: n.typeName()})
			}
		}
		return beginning(out, last)
	case "shelf":
		_, parts, err := s.alarmsPart(ctx, "control")
		if err != nil {
			return nil
		}
		for _, c := range children(parts["control"], nsAlarms, "alarm-shelving") {
			for _, e := range children(c, nsAlarms, "shelf") {
				out = append(out, datapath.Candidate{Text: leaf(e, nsAlarms, "name"), Description: leaf(e, nsAlarms, "description")})
			}
		}
		return beginning(out, last)
	case "incident":
		data, err := s.get(ctx, listFilter([]string{"raised", "updated"}, nil))
		if err != nil {
			return nil
		}
		list := decodeIncidents(data)
		newestFirst(list)
		for _, i := range list {
			out = append(out, datapath.Candidate{Text: i.ID, Description: i.Name})
		}
		return beginning(out, last)
	case "proposal":
		list, err := s.proposals(ctx)
		if err != nil {
			return nil
		}
		for _, p := range list {
			out = append(out, datapath.Candidate{Text: p.ID, Description: p.Explanation})
		}
		return beginning(out, last)
	case "oam":
		list, err := s.oamTests(ctx, "")
		if err != nil {
			return nil
		}
		for _, t := range list {
			out = append(out, datapath.Candidate{Text: t.Name, Description: t.Status})
		}
		return beginning(out, last)
	case "node":
		return beginning(s.nodes(ctx), last)
	}
	schema, err := c.app.schema(ctx, s)
	if err != nil {
		return nil
	}
	top, err := c.app.path(schema, ".")
	if err != nil {
		return nil
	}
	switch kind {
	case "module":
		if strings.ContainsRune(last, '/') {
			return datapath.Complete(top, last, datapath.Options{})
		}
		for _, m := range schema.Modules {
			out = append(out, datapath.Candidate{Text: m.Name, Description: m.Revision})
		}
		return beginning(out, last)
	case "value":
		if len(p.before) > 0 {
			return c.leafValues(ctx, s, top, p.before[len(p.before)-1], last)
		}
		return nil
	}
	return datapath.Complete(top, last, datapath.Options{
		Config: kind == "config",
		Keys:   func(list datapath.Path) [][]string { return c.entries(ctx, s, list) },
		Targets: func(leaf *yang.Node) []string {
			if kind != "config" {
				return nil // what is there is enough to read
			}
			return c.targets(ctx, s, schema, leaf)
		},
	})
}

// entries are the keys of a list's entries, those of the candidate before running's.
func (c *completer) entries(ctx context.Context, s *session, list datapath.Path) (out [][]string) {
	var content []byte
	for _, k := range list.Node().Keys {
		content = append(content, "<"+k.Name+"/>"...)
	}
	for _, l := range c.keysAt(ctx, s, list, string(list.Wrap("", content))) {
		if list.Node().Kind == yang.LeafList {
			out = append(out, []string{l})
		} else {
			out = append(out, strings.Split(l, "\x00"))
		}
	}
	return out
}

// keysAt reads what a filter selects, and returns the keys or values at a path.
func (c *completer) keysAt(ctx context.Context, s *session, p datapath.Path, filter string) (out []string) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	read := func() (*client.Reply, error) { return s.c.Get(ctx, client.Subtree(filter)) }
	if p.Node().Config && s.c.HasCapability(capabilityCandidate) {
		read = func() (*client.Reply, error) { return s.c.GetConfig(ctx, "candidate", client.Subtree(filter)) }
	}
	r, err := read()
	if err != nil {
		return nil
	}
	data, err := r.Data()
	if err != nil {
		return nil
	}
	ans, err := parse(p.Schema, data)
	if err != nil {
		return nil
	}
	for _, l := range p.Find(ans.tree) {
		out = append(out, l.Node.Key())
	}
	return out
}

// leafValues are the values that a leaf may be set to: those of its type, those that a
// leafref may point to, and the one it has.
func (c *completer) leafValues(ctx context.Context, s *session, at datapath.Path, text, typed string) []datapath.Candidate {
	p, err := datapath.Parse(at, text)
	if err != nil || !p.Node().HasValue() {
		return nil
	}
	n := p.Node()
	out := datapath.Values(p.Schema, n, typed)
	if n.Type.Base == yang.Leafref {
		for _, v := range c.targets(ctx, s, p.Schema, n) {
			if !slices.ContainsFunc(out, func(have datapath.Candidate) bool { return have.Text == v }) {
				out = append(out, datapath.Candidate{Text: v})
			}
		}
	} else if !secret(n) && p.Instance() {
		for _, v := range c.values(ctx, s, p) {
			if !slices.ContainsFunc(out, func(have datapath.Candidate) bool { return have.Text == v }) {
				out = append(out, datapath.Candidate{Text: v, Description: "as it is"})
			}
		}
	}
	for i := range out {
		if strings.ContainsAny(out[i].Text, " \t\"'\\") {
			out[i].Text = strconv.Quote(out[i].Text)
		}
	}
	return beginning(out, typed)
}

// targets are the values that a leafref may have, nil for other types.
func (c *completer) targets(ctx context.Context, s *session, schema *yang.Schema, leaf *yang.Node) []string {
	if leaf.Type == nil || leaf.Type.Path == nil || leaf.Type.Path.Target == nil {
		return nil
	}
	values := c.values(ctx, s, pathTo(schema, leaf.Type.Path.Target))
	slices.Sort(values)
	return slices.Compact(values)
}

func (c *completer) values(ctx context.Context, s *session, p datapath.Path) (out []string) {
	return c.keysAt(ctx, s, p, p.Filter())
}

// pathTo is the path of a schema node, of all its instances.
func pathTo(s *yang.Schema, n *yang.Node) datapath.Path {
	if n == nil || n.Kind == yang.Root {
		return datapath.Top(s)
	}
	up := n.DataParent()
	if up == nil {
		return datapath.Top(s).Down(n)
	}
	return pathTo(s, up).Down(n)
}

// lastWord splits a command line into the words before the last one, and that one.
func lastWord(line string) (words []string, last string) {
	words, open, _ := splitWords(line) // an open quote is a word that goes on
	if open && len(words) > 0 {
		return words[:len(words)-1], words[len(words)-1]
	}
	return words, ""
}

// completeTime bounds what a person waits for candidates.
const completeTime = 3 * time.Second

type completeCommand struct {
	Line string `arg:"" help:"The command line up to the cursor."`
}

// Run prints the candidates, one a line, with a tab before the description. One that may
// go on at once ends in no blank, others do.
func (c *completeCommand) Run(ctx context.Context, a *app, connect *connection) error {
	ctx, cancel := context.WithTimeout(ctx, completeTime)
	defer cancel()
	words, last := lastWord(c.Line)
	if len(words) == 0 {
		return nil
	}
	done := newCompleter(a)
	connect.override(done.find(words[1:]).flags)
	connect.Timeout = completeTime
	for _, k := range done.complete(ctx, words[1:], last) {
		text := k.Text
		if !k.Open {
			text += " "
		}
		if _, err := fmt.Fprintf(a.stdout, "%s\t%s\n", text, clean(k.Description)); err != nil {
			return err
		}
	}
	return nil
}

// override takes over what a command line says of the connection.
func (c *connection) override(flags map[string]string) {
	for name, field := range map[string]*string{
		"server": &c.Server, "user": &c.User, "password-file": &c.PasswordFile, "key": &c.Key, "known-hosts": &c.KnownHosts,
	} {
		if v := flags[name]; v != "" {
			*field = v
		}
	}
}

type completionCommand struct {
	Shell string `arg:"" help:"bash, zsh or fish." enum:"bash,zsh,fish"`
}

// Help is shown by `incctl completion --help`.
func (*completionCommand) Help() string {
	return `Prints a script that makes a shell complete commands, flags, paths, keys and values.

  source <(incctl completion bash)       # in ~/.bashrc
  source <(incctl completion zsh)        # in ~/.zshrc
  incctl completion fish | source        # in ~/.config/fish/config.fish`
}

// Run prints the script.
func (c *completionCommand) Run(a *app) error {
	_, err := io.WriteString(a.stdout, manual.Completion(c.Shell, "incctl"))
	return err
}
