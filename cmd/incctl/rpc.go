package main

import (
	"context"
	"fmt"

	"github.com/beevik/etree"

	"incidentd/cmd/incctl/internal/show"
	"incidentd/yang/xmltext"
)

type rpcCommand struct {
	File string `arg:"" help:"The operation in XML, with or without <rpc> around it; - reads standard input."`
}

// Help is shown by `incctl rpc --help`.
func (*rpcCommand) Help() string {
	return `Sends any operation and shows the whole reply, for what no command does.

  echo '<get-schema xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"><identifier>ietf-system</identifier></get-schema>' | incctl rpc -`
}

// Run sends the operation.
func (c *rpcCommand) Run(ctx context.Context, a *app) error {
	name, text, err := a.read(c.File)
	if err != nil {
		return err
	}
	d := newDocument(name, text)
	if _, err := xmltext.ParseElement(text, xmltext.Limits{}); err != nil {
		return d.locate(err)
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(text); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	op := doc.Root()
	if op.Tag == "rpc" && op.NamespaceURI() == nsBase {
		inner := op.ChildElements()
		if len(inner) != 1 {
			return fmt.Errorf("%s: an <rpc> with %d operations, where one belongs", name, len(inner))
		}
		op = inner[0].Copy()
		inherit(inner[0], op)
	}
	return a.with(ctx, func(ctx context.Context, s *session) error {
		r, err := s.c.Call(ctx, marshal(op))
		if r == nil {
			return err
		}
		reply, broken := r.Doc()
		if broken != nil {
			return broken
		}
		out, broken := show.XML([]*etree.Element{reply.Root()})
		if broken != nil {
			return broken
		}
		fmt.Fprint(a.stdout, out)
		return err
	})
}
