package resolve

import (
	"context"
	"fmt"
	"net"
	"slices"
	"time"

	"incidentd/netconf/client"
	"incidentd/yang/rpcerr"
)

const (
	// answerTime is how long a device may take for one operation.
	answerTime = 30 * time.Second
	// afterTime is how much longer than the incident has to clear a device waits for the
	// confirmation: in it the commit is confirmed, also when the connection was lost.
	afterTime = 2 * time.Minute
)

// The capabilities that a device must have [RFC 6241 section 8].
var needed = []struct{ uri, name string }{
	{"urn:ietf:params:netconf:capability:candidate:1.0", ":candidate"},
	{"urn:ietf:params:netconf:capability:confirmed-commit:1.1", ":confirmed-commit:1.1"},
	{"urn:ietf:params:netconf:capability:validate:1.1", ":validate:1.1"},
}

// deviceCure is a change of the configuration of a device by a confirmed commit that
// outlives its session [RFC 6241 section 8.4].
type deviceCure struct {
	device  *device
	plan    *Plan
	token   string // the persist-id
	dial    Dialer
	session *client.Client // nil without one
	locked  bool
}

// Dialer opens a connection to a device's address.
type Dialer func(ctx context.Context, address string) (net.Conn, error)

// connect logs in.
func (d *deviceCure) connect(ctx context.Context) error {
	if d.session != nil && d.session.Err() == nil {
		return nil
	}
	d.close()
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	conn, err := d.dial(ctx, d.device.address)
	if err != nil {
		return d.about(err)
	}
	s, err := client.NewSSH(ctx, conn, d.device.address, d.device.login)
	if err != nil {
		return d.about(err)
	}
	for _, c := range needed {
		if !s.HasCapability(c.uri) {
			s.Close()
			return d.about(fmt.Errorf("it does not offer the capability %s", c.name))
		}
	}
	d.session = s
	return nil
}

// call has the device do one operation.
func (d *deviceCure) call(ctx context.Context, what string, f func(context.Context, *client.Client) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, answerTime, fmt.Errorf("it did not answer within %s", answerTime))
	defer cancel()
	err := f(ctx, d.session)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return d.about(fmt.Errorf("%s: %w", what, err))
	}
	return nil
}

func (d *deviceCure) about(err error) error {
	return fmt.Errorf("the device %s: %w", d.device.name, err)
}

// prepare changes the candidate of the device and has it validated. Nobody else's changes can
// get in between, because the lock is refused when there are any.
func (d *deviceCure) prepare(ctx context.Context) error {
	if err := d.connect(ctx); err != nil {
		return err
	}
	if err := d.call(ctx, "lock", func(ctx context.Context, s *client.Client) error { return s.Lock(ctx, "candidate") }); err != nil {
		return err
	}
	d.locked = true
	if err := d.call(ctx, "edit-config", func(ctx context.Context, s *client.Client) error {
		return s.EditConfig(ctx, "candidate", []byte(d.plan.Edit), d.plan.DefaultOp)
	}); err != nil {
		return err
	}
	return d.call(ctx, "validate", func(ctx context.Context, s *client.Client) error {
		return s.Validate(ctx, client.Location{Datastore: "candidate"})
	})
}

// test asks the device whether the change is possible, without any effect.
func (d *deviceCure) test(ctx context.Context) error {
	if err := d.connect(ctx); err != nil {
		return err
	}
	return d.call(ctx, "edit-config", func(ctx context.Context, s *client.Client) error {
		return s.EditConfig(ctx, "candidate", []byte(d.plan.Edit), d.plan.DefaultOp, client.TestOption("test-only"))
	})
}

// apply commits what is to be confirmed. From then on others may change the candidate again.
func (d *deviceCure) apply(ctx context.Context) error {
	err := d.call(ctx, "commit", func(ctx context.Context, s *client.Client) error {
		return s.Commit(ctx, client.Commit{Confirmed: true, Timeout: d.plan.Within + afterTime, Persist: d.token})
	})
	if err != nil {
		return err
	}
	d.unlock(ctx)
	return nil
}

// unlock gives the candidate back, with what of it was not committed.
func (d *deviceCure) unlock(ctx context.Context) {
	if d.locked && d.session != nil {
		d.locked = false
		d.call(ctx, "unlock", func(ctx context.Context, s *client.Client) error { return s.Unlock(ctx, "candidate") })
	}
}

// confirm makes the commit stay.
func (d *deviceCure) confirm(ctx context.Context) error {
	if err := d.connect(ctx); err != nil {
		return err
	}
	return d.call(ctx, "commit", func(ctx context.Context, s *client.Client) error {
		return s.Commit(ctx, client.Commit{PersistID: d.token})
	})
}

// rollBack cancels the commit.
func (d *deviceCure) rollBack(ctx context.Context) (string, error) {
	if err := d.connect(ctx); err != nil {
		return "", err
	}
	err := d.call(ctx, "cancel-commit", func(ctx context.Context, s *client.Client) error { return s.CancelCommit(ctx, d.token) })
	if refused(err, rpcerr.TagOperationFailed, rpcerr.TagInvalidValue) {
		// There is no such commit: it was never made, or is taken back by now.
		return "the device " + d.device.name + " has no confirmed commit of this run that waits any more", nil
	}
	return "the device " + d.device.name + " has cancelled the commit", err
}

// close ends the session, and with it what is locked and not committed.
func (d *deviceCure) close() {
	if d.session != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		d.unlock(ctx)
		d.session.CloseSession(ctx)
		cancel()
	}
	d.session, d.locked = nil, false
}

// refused reports whether the device has answered with an rpc-error of one of these tags.
func refused(err error, tags ...rpcerr.Tag) bool {
	list, known := rpcerr.List(err)
	return known && slices.ContainsFunc(list, func(e *rpcerr.Error) bool { return slices.Contains(tags, e.Tag) })
}

// final reports whether the device has answered with an error that will not pass.
func final(err error) bool {
	list, known := rpcerr.List(err)
	return known && len(list) > 0 && !refused(err, rpcerr.TagInUse, rpcerr.TagLockDenied, rpcerr.TagResourceDenied)
}
