package push

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"incidentd/netconf/subscribe"
	"incidentd/yang/rpcerr"
)

// The identities of RFC 8641 and RFC 8639 that are told, by the app-tag of an error or as
// a reason [RFC 8640 section 7].
const (
	datastoreNotSubscribable = module + ":datastore-not-subscribable"
	noSuchSubscriptionResync = module + ":no-such-subscription-resync"
	onChangeUnsupported      = module + ":on-change-unsupported"
	onChangeSyncUnsupported  = module + ":on-change-sync-unsupported"
	periodUnsupported        = module + ":period-unsupported"
	updateTooBig             = module + ":update-too-big"
	syncTooBig               = module + ":sync-too-big"
	unchangingSelection      = module + ":unchanging-selection"

	filterUnsupported     = "ietf-subscribed-notifications:filter-unsupported"
	insufficientResources = "ietf-subscribed-notifications:insufficient-resources"
)

// hint is one of the grouping hints.
type hint struct{ name, value string }

func hintOf(name string, n int64) hint { return hint{name, strconv.FormatInt(n, 10)} }

// withHints adds what may help to an error. structure is the container that goes with
// errors of the operation. It repeats no reason, which the app-tag is [RFC 8640 section
// 7].
func withHints(err *rpcerr.Error, structure string, hints ...hint) *rpcerr.Error {
	info := rpcerr.Info{Space: namespace, Name: structure}
	for _, h := range hints {
		info.Children = append(info.Children, rpcerr.Info{Name: h.name, Value: h.value})
	}
	return err.WithElement(info)
}

// structureOf is the container that goes with errors of an operation on a datastore.
func structureOf(request string) string { return request + "-datastore-error-info" }

// invalidFilter refuses a filter, with what is wrong with it.
func invalidFilter(t *subscribe.Terms, cause error) *rpcerr.Error {
	refused := subscribe.Refuse(rpcerr.TagInvalidValue, filterUnsupported, "the filter cannot be used: %v", cause)
	for _, leaf := range []string{"datastore-xpath-filter", "datastore-subtree-filter", "selection-filter-ref"} {
		if t.Policy.Has(leaf) {
			refused = refused.At(pathOf(t, leaf))
		}
	}
	return withHints(refused,
		structureOf(t.Request), hint{"filter-failure-hint", fmt.Sprint(cause)})
}

// tooCostly refuses a filter that takes too long to be applied to what there is.
func tooCostly(t *subscribe.Terms, cause error) error {
	refused := new(rpcerr.Error)
	if !errors.As(cause, &refused) || refused.Tag != rpcerr.TagResourceDenied {
		return cause
	}
	return withHints(subscribe.Refuse(rpcerr.TagResourceDenied, insufficientResources, "the filter cannot be applied: %s", refused.Message),
		structureOf(t.Request), hint{"filter-failure-hint", refused.Message})
}

// tooMany refuses an update of too many nodes.
func tooMany(identity, structure string, have, most int) *rpcerr.Error {
	return withHints(subscribe.Refuse(rpcerr.TagTooBig, identity, "the filter selects %d nodes; an update can have %d", have, most),
		structure, hintOf("object-count-estimate", int64(have)), hintOf("object-count-limit", int64(most)))
}

// reasoned adds its reason to what goes with an error of resync-subscription, where it is
// mandatory.
func reasoned(err *rpcerr.Error) *rpcerr.Error {
	info := &err.Info[len(err.Info)-1]
	_, identity, _ := strings.Cut(err.AppTag, ":")
	info.Children = append([]rpcerr.Info{{Name: "reason", Value: "yp:" + identity, Prefixes: []rpcerr.Prefix{{Prefix: "yp", Namespace: namespace}}}}, info.Children...)
	return err
}

// invalid refuses a parameter.
func invalid(t *subscribe.Terms, parameter, format string, args ...any) *rpcerr.Error {
	return rpcerr.New(rpcerr.Application, rpcerr.TagInvalidValue, format, args...).At(pathOf(t, parameter))
}

// pathOf is the place of a parameter in the request.
func pathOf(t *subscribe.Terms, parameter string) rpcerr.Path {
	return rpcerr.Path{Expr: "/sn:" + t.Request + "/yp:" + parameter, Prefixes: []rpcerr.Prefix{
		{Prefix: "sn", Namespace: "urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"}, {Prefix: "yp", Namespace: namespace}}}
}
