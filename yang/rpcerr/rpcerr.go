// Package rpcerr is the rpc-error of NETCONF [RFC 6241 section 4.3 and
// appendix A] as a Go error. Every package above returns it for what a peer may
// see; anything else that reaches the wire becomes operation-failed, and its
// cause stays in our log.
package rpcerr

import (
	"errors"
	"fmt"
	"strings"
)

// Type is the conceptual layer on which the error occurred.
type Type string

// The layers [RFC 6241 section 4.3].
const (
	Transport   Type = "transport"
	RPC         Type = "rpc"
	Protocol    Type = "protocol"
	Application Type = "application"
)

// Tag names the error condition.
type Tag string

// The tags [RFC 6241 appendix A].
const (
	TagInUse                 Tag = "in-use"
	TagInvalidValue          Tag = "invalid-value"
	TagTooBig                Tag = "too-big"
	TagMissingAttribute      Tag = "missing-attribute"
	TagBadAttribute          Tag = "bad-attribute"
	TagUnknownAttribute      Tag = "unknown-attribute"
	TagMissingElement        Tag = "missing-element"
	TagBadElement            Tag = "bad-element"
	TagUnknownElement        Tag = "unknown-element"
	TagUnknownNamespace      Tag = "unknown-namespace"
	TagAccessDenied          Tag = "access-denied"
	TagLockDenied            Tag = "lock-denied"
	TagResourceDenied        Tag = "resource-denied"
	TagRollbackFailed        Tag = "rollback-failed"
	TagDataExists            Tag = "data-exists"
	TagDataMissing           Tag = "data-missing"
	TagOperationNotSupported Tag = "operation-not-supported"
	TagOperationFailed       Tag = "operation-failed"
	TagMalformedMessage      Tag = "malformed-message"
)

// The app-tags of RFC 7950 section 15 and of the incident operations.
const (
	AppDataNotUnique           = "data-not-unique"
	AppTooManyElements         = "too-many-elements"
	AppTooFewElements          = "too-few-elements"
	AppMustViolation           = "must-violation"
	AppInstanceRequired        = "instance-required"
	AppMissingChoice           = "missing-choice"
	AppMissingInstance         = "missing-instance"
	AppRepeatedAcknowledge     = "repeated-acknowledge"
	AppProbableCauseUnresolved = "probable-cause-unresolved"
)

// Namespaces that error-info elements come from.
const (
	BaseNamespace = "urn:ietf:params:xml:ns:netconf:base:1.0"
	YANGNamespace = "urn:ietf:params:xml:ns:yang:1"
)

// Error is one rpc-error. Its severity is always "error": RFC 6241 defines no
// warning. An Error is immutable once it has been returned.
type Error struct {
	Type    Type
	Tag     Tag
	AppTag  string
	Path    Path
	Message string
	Info    []Info
}

// Path is an error-path: an XPath expression and the prefixes it uses.
type Path struct {
	Expr     string
	Prefixes []Prefix
}

// Prefix binds an XML prefix that a Path uses.
type Prefix struct{ Prefix, Namespace string }

// Info is one element of error-info. Space is its namespace; empty means that of
// the base protocol. Prefixes are those that Value uses when it is a path. An element
// has a Value or Children, whose empty Space means that of their parent.
type Info struct {
	Space, Name, Value string
	Prefixes           []Prefix
	Children           []Info
}

// Error reads as "tag (app-tag): message [path]".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Tag))
	if e.AppTag != "" {
		b.WriteString(" (" + e.AppTag + ")")
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if e.Path.Expr != "" {
		b.WriteString(" [" + e.Path.Expr + "]")
	}
	return b.String()
}

// New makes an error of a layer, a tag and a formatted message.
func New(t Type, tag Tag, format string, args ...any) *Error {
	return &Error{Type: t, Tag: tag, Message: fmt.Sprintf(format, args...)}
}

// At returns a copy of the error with the path.
func (e *Error) At(p Path) *Error {
	c := *e
	c.Path = p
	return &c
}

// WithAppTag returns a copy of the error with the app-tag.
func (e *Error) WithAppTag(tag string) *Error {
	c := *e
	c.AppTag = tag
	return &c
}

// WithInfo returns a copy of the error with one more element of error-info.
func (e *Error) WithInfo(space, name, value string) *Error {
	return e.WithElement(Info{Space: space, Name: name, Value: value})
}

// WithElement is WithInfo for any element.
func (e *Error) WithElement(i Info) *Error {
	c := *e
	c.Info = append(c.Info[:len(c.Info):len(c.Info)], i)
	return &c
}

// Errors are several rpc-errors of one operation: every error found is reported.
type Errors []*Error

// Error joins the texts of all errors.
func (es Errors) Error() string {
	texts := make([]string, len(es))
	for i, e := range es {
		texts[i] = e.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap lets errors.As find the first.
func (es Errors) Unwrap() []error {
	out := make([]error, len(es))
	for i, e := range es {
		out[i] = e
	}
	return out
}

// Err returns the errors as an error, nil when there are none.
func (es Errors) Err() error {
	switch len(es) {
	case 0:
		return nil
	case 1:
		return es[0]
	}
	return es
}

// List returns what a peer is told of err: its rpc-errors, or one
// operation-failed that hides an internal cause. known is false in the latter
// case; whoever answers the peer then logs err.
func List(err error) (list []*Error, known bool) {
	if err == nil {
		return nil, true
	}
	var many Errors
	if errors.As(err, &many) && len(many) > 0 {
		return many, true
	}
	var one *Error
	if errors.As(err, &one) {
		return []*Error{one}, true
	}
	return []*Error{New(Application, TagOperationFailed, "internal error; the server's log has the cause")}, false
}
