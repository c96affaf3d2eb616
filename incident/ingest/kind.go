package ingest

import (
	"context"

	"incidentd/yang/data"
)

// Kind is a kind of source.
type Kind struct {
	// Module and Name are those of its container in the choice kind of
	// incidentd-sources.
	Module, Name string
	// New makes a source as its container configures it, with the way to it. It opens
	// nothing and has no effect: it is called to check a configuration that is about to
	// be committed, too. An error, an *rpcerr.Error, refuses the commit.
	New func(config *data.Loc) (Source, error)
}

// Source receives messages.
type Source interface {
	// Run receives until ctx is done, and hands what it gets to the feed. It calls Up as
	// soon as it receives. When it returns all that it has begun has ended. Whatever it
	// returns before ctx is done is a failure, after which the source is made and run
	// again.
	Run(ctx context.Context, f *Feed) error
}
