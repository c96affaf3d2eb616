package subscribe

import (
	"fmt"

	"incidentd/yang/rpcerr"
)

// Terminated is the error of a Target that cannot go on: the subscription ends, and its
// receiver is told why.
type Terminated struct {
	// Reason is an identity derived from subscription-terminated-reason, with its
	// module.
	Reason string
}

// The reasons of RFC 8639 [section 2.7.3].
var (
	// NoSuchSubscription says that the subscription was killed or unconfigured.
	NoSuchSubscription = &Terminated{module + ":no-such-subscription"}
	// StreamUnavailable says that there is no such stream.
	StreamUnavailable = &Terminated{module + ":stream-unavailable"}
	// FilterUnavailable says that the filter it refers to is gone.
	FilterUnavailable = &Terminated{module + ":filter-unavailable"}
	// SuspensionTimeout says that what comes next for it is kept no longer.
	SuspensionTimeout = &Terminated{module + ":suspension-timeout"}
)

// Error implements error.
func (t *Terminated) Error() string { return "subscription terminated: " + t.Reason }

// Refuse makes the error that stands for an error identity of RFC 8639 or RFC 8641,
// given with its module [RFC 8640 section 7].
func Refuse(tag rpcerr.Tag, identity, format string, args ...any) *rpcerr.Error {
	return rpcerr.New(rpcerr.Application, tag, format, args...).WithAppTag(identity)
}

func insufficientResources(format string, args ...any) *rpcerr.Error {
	return Refuse(rpcerr.TagResourceDenied, module+":insufficient-resources", format, args...)
}

func noSuchSubscription(id uint32) *rpcerr.Error {
	return Refuse(rpcerr.TagInvalidValue, module+":no-such-subscription", "there is no subscription %d", id)
}

// filterUnsupported refuses a filter, with what is wrong as a hint. request is the
// operation's name.
func filterUnsupported(request string, cause error) *rpcerr.Error {
	return Refuse(rpcerr.TagInvalidValue, module+":filter-unsupported", "the filter cannot be used: %v", cause).
		WithElement(rpcerr.Info{Space: namespace, Name: request + "-stream-error-info",
			Children: []rpcerr.Info{{Space: namespace, Name: "filter-failure-hint", Value: fmt.Sprint(cause)}}})
}
