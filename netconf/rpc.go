package netconf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"incidentd/netconf/transport"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xmltext"
)

// handle answers one message.
func (s *Session) handle(msg []byte) {
	begin := time.Now()
	c, err := s.decode(msg)
	if e := data.AsSyntaxError(err); e != nil || errors.Is(err, errNoRPC) {
		s.bad()
		if !s.modern {
			s.end(ending{as: Other, why: "a message that is no rpc", err: err, gentle: true})
			return
		}
		s.log.Warn("a message that is no rpc", "err", err)
		s.refuse(replyHead{}, rpcerr.MalformedMessage("%v", err))
		return
	}
	if err != nil {
		s.bad()
		s.audited(c, err)
		s.refuse(c.head, err)
		return
	}
	s.counters.inRPCs.Add(1)
	s.server.counters.inRPCs.Add(1)
	reply, err := s.answer(c)
	s.audited(c, err)
	if err != nil {
		s.refuse(c.head, err)
	} else {
		s.send(c.head, c.rpc, reply)
	}
	took := time.Since(begin)
	if s.server.measure != nil {
		s.server.measure(c.rpc, took, err != nil)
	}
	s.log.Debug("rpc", "name", c.rpc.QName(), "duration", took, "err", err)
}

// audited tells the audit what came of an rpc, unless the record with its changes says
// so already.
func (s *Session) audited(c *call, err error) {
	if s.server.audit == nil {
		return
	}
	r := c.request
	if r == nil || r.Input == nil {
		r = &Request{Session: s, RPC: c.rpc}
	}
	if r.recorded && (err == nil) == (r.incomplete == nil) {
		return
	}
	s.server.audit.RPC(&Record{Request: r, Err: err})
}

// call is an rpc that has been read.
type call struct {
	head    replyHead
	rpc     *yang.Node
	request *Request
}

// errNoRPC is for a message that is XML but no <rpc>.
var errNoRPC = errors.New("the message is no <rpc>")

// decode reads a message. Its errors are those of the XML, errNoRPC, and what a
// client is told about its rpc.
func (s *Session) decode(msg []byte) (*call, error) {
	limits := xmltext.Limits{Depth: s.limits.Depth}
	d := xmltext.NewDecoder(msg, limits)
	t, err := d.Next()
	if err != nil {
		return nil, err
	}
	if t.Local != "rpc" || t.Space != rpcerr.BaseNamespace {
		return nil, fmt.Errorf("%w but a <%s> of the namespace %q", errNoRPC, t.Local, t.Space)
	}
	c := &call{head: replyHead{attrs: slices.Clone(t.Attrs), bindings: slices.Clone(d.Bindings())}}
	var errs rpcerr.Errors
	tell := func(err error) {
		list, _ := rpcerr.List(err)
		errs = append(errs, list...)
	}
	if !slices.ContainsFunc(t.Attrs, func(a xmltext.Attr) bool { return a.Space == "" && a.Local == "message-id" }) {
		tell(rpcerr.MissingAttribute("rpc", "message-id"))
	}
	operations := 0
	for depth := d.Depth(); d.Depth() >= depth; {
		t, err := d.Next()
		if err != nil {
			return nil, err
		}
		switch t.Kind {
		case xmltext.Text:
			if len(strings.TrimSpace(string(t.Text))) > 0 {
				tell(rpcerr.New(rpcerr.RPC, rpcerr.TagBadElement, "text where an operation belongs").WithInfo("", "bad-element", "rpc"))
			}
		case xmltext.Start:
			if operations++; operations > 1 {
				tell(rpcerr.New(rpcerr.Protocol, rpcerr.TagUnknownElement, "an <rpc> has one operation, this is another").WithInfo("", "bad-element", t.Local))
				if _, err := d.ReadRaw(); err != nil {
					return nil, err
				}
				continue
			}
			if err := s.operation(c, d, t); data.AsSyntaxError(err) != nil {
				return nil, err
			} else if err != nil {
				tell(err)
			}
		}
	}
	if _, err := d.Next(); err != nil { // what follows the rpc
		return nil, err
	}
	if operations == 0 {
		tell(rpcerr.MissingElement("operation", "the <rpc> has no operation"))
	}
	return c, errs.Err()
}

// operation reads the operation whose start tag is t, to its end.
func (s *Session) operation(c *call, d *xmltext.Decoder, t xmltext.Token) error {
	if t.Space == actionNamespace && t.Local == "action" {
		return s.action(c, d)
	}
	name := t.Local
	rpc, err := s.server.find(t.Space, name)
	if err == nil {
		for _, a := range t.Attrs {
			err = rpcerr.UnknownAttribute(name, a.Local)
		}
	}
	if err == nil && s.server.handlers[rpc] == nil {
		err = rpcerr.OperationNotSupported("the operation " + name)
	}
	if err != nil {
		if _, err := d.ReadRaw(); err != nil {
			return err
		}
		return err
	}
	in := inputOf(rpc)
	c.rpc = rpc
	c.request = &Request{Session: s, RPC: rpc, Access: s.Access()}
	limits := xmltext.Limits{Depth: s.limits.Depth}
	p := data.Parser{Schema: s.server.schema, State: true, Limits: limits}
	input, err := p.Parse(d, in)
	if err != nil {
		return err
	}
	c.request.Input = input
	return nil
}

func inputOf(rpc *yang.Node) *yang.Node {
	return rpc.Children[slices.IndexFunc(rpc.Children, func(n *yang.Node) bool { return n.Kind == yang.Input })]
}

func outputOf(rpc *yang.Node) *yang.Node {
	return rpc.Children[slices.IndexFunc(rpc.Children, func(n *yang.Node) bool { return n.Kind == yang.Output })]
}

// find is the rpc of an operation's name.
func (s *Server) find(space, name string) (*yang.Node, error) {
	m := s.schema.ByNamespace(space)
	if m == nil {
		return nil, protocol(rpcerr.UnknownNamespace(name, space))
	}
	if n := s.schema.RPC(m.Name, name); n != nil {
		return n, nil
	}
	return nil, protocol(rpcerr.UnknownElement(name, "the module %s has no operation %q", m.Name, name))
}

// protocol moves an error to the layer of the operations themselves.
func protocol(e *rpcerr.Error) *rpcerr.Error {
	c := *e
	c.Type = rpcerr.Protocol
	return &c
}

// answer has a call handled, if its user may make it and its input is valid. A panic of the handler
// is an error that the client is told nothing about.
func (s *Session) answer(c *call) (reply *Reply, err error) {
	defer func() {
		if p := recover(); p != nil {
			reply, err = nil, fmt.Errorf("panic in %s: %v\n%s", c.rpc.QName(), p, debug.Stack())
		}
	}()
	if err := c.permitted(); err != nil {
		return nil, err
	}
	if at := c.request.At; at != nil {
		if c.request.At, err = s.server.instance(at); err != nil {
			return nil, err
		}
	}
	store := s.server.store
	if err := store.Validator().Input(c.request.Input, store.Snapshot().Operational()); err != nil {
		return nil, below(c.request.At, err)
	}
	return s.server.handlers[c.rpc](s.ctx, c.request)
}

// permitted asks for the right to make the call. Of an action it is asked before the
// instance is looked for, so that nobody learns what he may not read.
func (c *call) permitted() error {
	if c.request.At != nil {
		return c.request.Access.Action(c.request.At, c.rpc)
	}
	return c.request.Access.Exec(c.rpc)
}

// replyHead is what an <rpc-reply> takes over from its <rpc> [RFC 6241 section
// 4.2]: the attributes, and the prefixes that they use.
type replyHead struct {
	attrs    []xmltext.Attr
	bindings []xmltext.Binding
}

// append appends the start tag without its end.
func (h replyHead) append(b []byte) []byte {
	b = append(b, `<rpc-reply xmlns="`+rpcerr.BaseNamespace+`"`...)
	for _, x := range h.bindings {
		if x.Prefix != "" && x.Prefix != "xml" {
			b = append(append(append(b, " xmlns:"...), x.Prefix...), `="`...)
			b = append(xmltext.AppendAttr(b, x.Space), '"')
		}
	}
	for _, a := range h.attrs {
		b = append(b, ' ')
		if a.Space != "" {
			i := slices.IndexFunc(h.bindings, func(x xmltext.Binding) bool { return x.Space == a.Space && x.Prefix != "" })
			b = append(append(b, h.bindings[i].Prefix...), ':')
		}
		b = append(append(b, a.Local...), `="`...)
		b = append(xmltext.AppendAttr(b, a.Value), '"')
	}
	return b
}

// refuse answers with the errors in err.
func (s *Session) refuse(h replyHead, err error) {
	list, known := rpcerr.List(err)
	if !known {
		s.log.Error("an operation failed", "err", err)
	}
	b := append(h.append(nil), '>')
	for _, e := range list {
		b = e.AppendXML(b)
	}
	b = append(b, "</rpc-reply>"...)
	s.counters.outRPCErrors.Add(1)
	s.server.counters.outRPCErrors.Add(1)
	s.write(func(m *transport.Message) error {
		_, err := m.Write(b)
		return err
	})
}

// send answers with a handler's reply.
func (s *Session) send(h replyHead, rpc *yang.Node, r *Reply) {
	if r == nil {
		r = new(Reply)
	}
	err := s.write(func(m *transport.Message) error {
		b := append(h.append(make([]byte, 0, 512)), '>')
		switch {
		case r.View != nil:
			space := dataSpace(rpc)
			b = append(b, "<data"...)
			if space != rpcerr.BaseNamespace {
				b = append(append(append(b, ` xmlns="`...), space...), '"')
			}
			content := &content{w: m, head: b}
			if r.Data != nil {
				if err := r.View.Write(content, r.Data, space); err != nil {
					return err
				}
			}
			if content.begun {
				b = append(b[:0], "</data>"...)
			} else {
				b = append(b, "/>"...)
			}
		case r.Output.Empty():
			b = append(b, "<ok/>"...)
		default:
			if _, err := m.Write(b); err != nil {
				return err
			}
			if err := data.WriteChildrenXML(m, r.Output, rpcerr.BaseNamespace); err != nil {
				return err
			}
			b = b[:0]
		}
		_, err := m.Write(append(b, "</rpc-reply>"...))
		return err
	})
	switch {
	case errors.Is(err, transport.ErrDelimiter):
		s.refuse(h, fmt.Errorf("the reply to %s holds what ends a message of base:1.0: %w", rpc.QName(), err))
	case err == nil && r.Then != nil:
		r.Then()
	}
}

// content writes what begins with a start tag that is not closed yet.
type content struct {
	w     io.Writer
	head  []byte
	begun bool
}

func (c *content) Write(p []byte) (int, error) {
	if !c.begun {
		c.begun = true
		if _, err := c.w.Write(append(c.head, '>')); err != nil {
			return 0, err
		}
	}
	return c.w.Write(p)
}

// dataSpace is the namespace of the output parameter "data".
func dataSpace(rpc *yang.Node) string {
	if n := outputOf(rpc).ChildNamed("data"); n != nil {
		return n.Module.Namespace
	}
	return rpc.Module.Namespace
}

// write sends one message in its turn. When that fails the session ends, but for
// transport.ErrDelimiter while nothing has gone out.
func (s *Session) write(f func(m *transport.Message) error) error {
	if err := s.out.take(s.ctx, s.ctx); err != nil {
		return err
	}
	defer s.out.give()
	m := s.out.w.NewMessage()
	err := f(m)
	if err == nil {
		err = m.Close()
	}
	if err == nil {
		return nil
	}
	if m.Discard() && errors.Is(err, transport.ErrDelimiter) {
		return err
	}
	s.end(ending{why: "a reply cannot be sent", err: err})
	return context.Canceled
}
