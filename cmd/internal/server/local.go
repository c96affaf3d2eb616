package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"

	"incidentd/datastore"
	"incidentd/netconf/audit"
	"incidentd/yang/rpcerr"
)

// local is a command of this machine that works on the store: the running server's, or
// that of a stopped one. It takes and gives what json knows.
type local struct {
	do func(ctx context.Context, s *store, in []byte) (out any, err error)
	// subject tells the audit what a command with this input is about. Commands that
	// change nothing have none, and are not audited.
	subject func(in []byte) string
}

// locals are the commands by name. The socket takes a line with the name, a blank and
// the input as JSON, and answers with a localAnswer.
var locals = map[string]local{
	"user-add":     {localOf(addUser), nameOf},
	"user-remove":  {localOf(removeUser), nameOf},
	"user-list":    {do: localOf(listUsers)},
	"nacm-enable":  {localOf(switchNACM(true)), nothing},
	"nacm-disable": {localOf(switchNACM(false)), nothing},
	"nacm-show":    {do: localOf(showNACM)},
	"audit-verify": {do: localOf(verifyAudit)},
	"audit-list":   {do: localOf(listAudit)},
}

// nameOf is the name in a command's input.
func nameOf(in []byte) string {
	var named struct{ Name string }
	if json.Unmarshal(in, &named) != nil {
		return ""
	}
	return named.Name
}

// nothing is the subject of a command that its name tells all of.
func nothing([]byte) string { return "" }

// localAnswer is what the socket answers to a local command.
type localAnswer struct {
	Error string          `json:"error,omitempty"`
	Value json.RawMessage `json:"value,omitempty"`
}

// localOf gives a command its types.
func localOf[In, Out any](do func(context.Context, *store, In) (Out, error)) func(context.Context, *store, []byte) (any, error) {
	return func(ctx context.Context, s *store, text []byte) (any, error) {
		var in In
		if err := json.Unmarshal(text, &in); err != nil {
			return nil, fmt.Errorf("the command cannot be read: %w", err)
		}
		return do(ctx, s, in)
	}
}

// onStore has the command name do its work in a data directory, by the server that uses
// it if there is one. Errors of the directory are those of Check.
func onStore[Out any](path, name string, in any) (out Out, err error) {
	text, err := json.Marshal(in)
	if err != nil {
		return out, err
	}
	d, err := openDirectory(path)
	if errors.Is(err, ErrInUse) {
		return askServer[Out](path, name, text, err)
	}
	if err != nil {
		return out, err
	}
	defer d.close()
	s, err := openStore(d.file(storeFile), true, nil)
	if err != nil {
		return out, err
	}
	defer s.close()
	if _, err := s.adoptAccess(context.Background()); err != nil {
		return out, err
	}
	v, err := s.local(name, text)
	if err != nil {
		if _, refused := rpcerr.List(err); refused {
			err = errors.New(err.Error()) // the same text as from a running server
		}
		return out, err
	}
	return v.(Out), nil
}

// local does a command in a store that no server uses.
func (s *store) local(name string, in []byte) (out any, err error) {
	c := locals[name]
	if c.subject == nil {
		return c.do(context.Background(), s, in)
	}
	log, err := audit.Open(audit.Config{Store: s.data, DB: s.db})
	if err != nil {
		return nil, err
	}
	defer log.Close()
	out, err = c.do(context.Background(), s, in)
	log.Command(name, c.subject(in), err)
	return out, err
}

// askServer has the server that uses a directory do it. inUse is the error when no
// server answers, as another command has the directory then.
func askServer[Out any](path, name string, in []byte, inUse error) (out Out, err error) {
	addr, dir, err := controlAddr(path)
	if err != nil {
		return out, err
	}
	defer dir.Close()
	conn, err := net.Dial("unix", addr)
	if err != nil {
		return out, inUse
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "%s %s\n", name, in); err != nil {
		return out, fmt.Errorf("the running server: %w", err)
	}
	text, err := io.ReadAll(conn)
	if err != nil {
		return out, fmt.Errorf("the running server broke off: %w", err)
	}
	var a localAnswer
	if err := json.Unmarshal(text, &a); err != nil {
		return out, fmt.Errorf("the running server, which may be of another version, gave no answer: %w", err)
	}
	if a.Error != "" {
		return out, errors.New(a.Error)
	}
	err = json.Unmarshal(a.Value, &out)
	return out, err
}

// answerLocal does a local command in the running server.
func (s *Server) answerLocal(ctx context.Context, line []byte, w io.Writer) error {
	name, in, _ := bytes.Cut(line, []byte(" "))
	c, known := locals[string(name)]
	if !known {
		return fmt.Errorf("unknown command %q", name)
	}
	var a localAnswer
	v, err := c.do(ctx, s.store, in)
	if c.subject != nil {
		s.audit.Command(string(name), c.subject(in), err)
	}
	if err == nil {
		a.Value, err = json.Marshal(v)
	}
	if err != nil {
		a.Error = err.Error()
	}
	text, err := json.Marshal(a)
	if err == nil {
		_, err = w.Write(text)
	}
	return err
}

// byLocal is the author of what local commands change.
func byLocal(comment string) datastore.Author {
	return datastore.Author{Source: audit.LocalSource, Comment: comment}
}
