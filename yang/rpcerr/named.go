package rpcerr

import "strconv"

// LockDenied says which session holds the lock; 0 means another entity than a
// NETCONF session [RFC 6241 section 7.5].
func LockDenied(holder uint32) *Error {
	return New(Protocol, TagLockDenied, "the lock is held by session %d", holder).
		WithInfo("", "session-id", strconv.FormatUint(uint64(holder), 10))
}

// InUse says that another session's lock forbids a change [RFC 6241 appendix A].
func InUse(holder uint32) *Error {
	return New(Protocol, TagInUse, "session %d has locked the datastore", holder)
}

// OperationNotSupported names what this server does not implement.
func OperationNotSupported(what string) *Error {
	return New(Protocol, TagOperationNotSupported, "%s is not supported", what)
}

// OperationFailed is for the conditions where an RFC asks for this tag and for
// nothing else.
func OperationFailed(format string, args ...any) *Error {
	return New(Application, TagOperationFailed, format, args...)
}

// MalformedMessage is the answer to a message that is not well formed [RFC 6241
// appendix A].
func MalformedMessage(format string, args ...any) *Error {
	return New(RPC, TagMalformedMessage, format, args...)
}

// MissingAttribute names an attribute that an element must have.
func MissingAttribute(element, attribute string) *Error {
	return New(RPC, TagMissingAttribute, "<%s> has no attribute %q", element, attribute).
		WithInfo("", "bad-attribute", attribute).WithInfo("", "bad-element", element)
}

// BadAttribute names an attribute whose value is not allowed.
func BadAttribute(element, attribute, why string) *Error {
	return New(Protocol, TagBadAttribute, "attribute %q of <%s>: %s", attribute, element, why).
		WithInfo("", "bad-attribute", attribute).WithInfo("", "bad-element", element)
}

// UnknownAttribute names an attribute that is not expected there.
func UnknownAttribute(element, attribute string) *Error {
	return New(Protocol, TagUnknownAttribute, "<%s> may not have the attribute %q", element, attribute).
		WithInfo("", "bad-attribute", attribute).WithInfo("", "bad-element", element)
}

// MissingElement names an element that must be present.
func MissingElement(element, format string, args ...any) *Error {
	return New(Protocol, TagMissingElement, format, args...).WithInfo("", "bad-element", element)
}

// BadElement names an element whose value is not allowed there.
func BadElement(element, format string, args ...any) *Error {
	return New(Protocol, TagBadElement, format, args...).WithInfo("", "bad-element", element)
}

// UnknownElement names an element that the schema does not have there.
func UnknownElement(element, format string, args ...any) *Error {
	return New(Application, TagUnknownElement, format, args...).WithInfo("", "bad-element", element)
}

// UnknownNamespace names a namespace that no module of the schema has.
func UnknownNamespace(element, namespace string) *Error {
	return New(Application, TagUnknownNamespace, "no module here has the namespace %q of <%s>", namespace, element).
		WithInfo("", "bad-element", element).WithInfo("", "bad-namespace", namespace)
}

// InvalidValue says why a value is not allowed.
func InvalidValue(format string, args ...any) *Error {
	return New(Application, TagInvalidValue, format, args...)
}

// DataExists refuses a create of what is there [RFC 6241 section 7.2].
func DataExists() *Error {
	return New(Application, TagDataExists, "it exists already, so it cannot be created")
}

// DataMissing refuses a change of what is not there [RFC 6241 section 7.2].
func DataMissing(format string, args ...any) *Error {
	return New(Application, TagDataMissing, format, args...)
}

// InstanceRequired is a leafref or instance-identifier without its target [RFC
// 7950 section 15.5].
func InstanceRequired(format string, args ...any) *Error {
	return DataMissing(format, args...).WithAppTag(AppInstanceRequired)
}

// MustViolation is a must expression that is false [RFC 7950 section 15.4].
func MustViolation(message, appTag string) *Error {
	if appTag == "" {
		appTag = AppMustViolation
	}
	return OperationFailed("%s", message).WithAppTag(appTag)
}

// NotUnique is a unique statement that is violated; the paths are those of the
// leafs that make the entries collide [RFC 7950 section 15.1].
func NotUnique(paths ...Path) *Error {
	e := OperationFailed("entries have the same values where they must be unique").WithAppTag(AppDataNotUnique)
	for _, p := range paths {
		e.Info = append(e.Info, Info{Space: YANGNamespace, Name: "non-unique", Value: p.Expr, Prefixes: p.Prefixes})
	}
	return e
}

// TooManyElements is more entries than max-elements [RFC 7950 section 15.2].
func TooManyElements(have, most int) *Error {
	return OperationFailed("%d entries, at most %d are allowed", have, most).WithAppTag(AppTooManyElements)
}

// TooFewElements is fewer entries than min-elements [RFC 7950 section 15.3].
func TooFewElements(have, least int) *Error {
	return OperationFailed("%d entries, at least %d are needed", have, least).WithAppTag(AppTooFewElements)
}

// MissingChoice is a mandatory choice of which no case is there [RFC 7950
// section 15.6].
func MissingChoice(choice string) *Error {
	return DataMissing("no case of the mandatory choice %q is there", choice).
		WithAppTag(AppMissingChoice).WithInfo(YANGNamespace, "missing-choice", choice)
}

// MissingInstance is the insert attribute that names an entry which is not there
// [RFC 7950 section 15.7].
func MissingInstance(format string, args ...any) *Error {
	return New(Application, TagBadAttribute, format, args...).WithAppTag(AppMissingInstance)
}

// AccessDenied refuses an operation or a change [RFC 8341 section 3.2].
func AccessDenied(format string, args ...any) *Error {
	return New(Application, TagAccessDenied, format, args...)
}

// ResourceDenied says that the server lacks the resources.
func ResourceDenied(format string, args ...any) *Error {
	return New(Application, TagResourceDenied, format, args...)
}

// TooBig says that a request or its answer is larger than the server handles.
func TooBig(format string, args ...any) *Error {
	return New(RPC, TagTooBig, format, args...)
}
