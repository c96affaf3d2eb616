package yang

import (
	"encoding/base64"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Base is a built-in type [RFC 7950 section 4.2.4].
type Base uint8

// The built-in types.
const (
	Unknown Base = iota
	Binary
	Bits
	Boolean
	Decimal64
	Empty
	Enumeration
	IdentityRef
	InstanceIdentifier
	Int8
	Int16
	Int32
	Int64
	Leafref
	String
	Uint8
	Uint16
	Uint32
	Uint64
	Union
)

var baseNames = map[string]Base{
	"binary": Binary, "bits": Bits, "boolean": Boolean, "decimal64": Decimal64, "empty": Empty,
	"enumeration": Enumeration, "identityref": IdentityRef, "instance-identifier": InstanceIdentifier,
	"int8": Int8, "int16": Int16, "int32": Int32, "int64": Int64, "leafref": Leafref, "string": String,
	"uint8": Uint8, "uint16": Uint16, "uint32": Uint32, "uint64": Uint64, "union": Union,
}

// Type is a resolved type: a built-in one and all restrictions on it.
type Type struct {
	Base Base
	// Name is the name that the leaf's type statement gives, for messages.
	Name            string
	Ranges          []Restriction // of numbers, in units of 10^-FractionDigits
	Lengths         []Restriction
	Patterns        []*Pattern
	Enums           []Enum
	BitNames        []Enum
	Identities      []*Identity // the bases of an identityref
	Members         []*Type     // of a union
	FractionDigits  int
	Path            *LeafrefPath
	RequireInstance bool

	pattern     bool // a node-instance-identifier, which has the base of what it extends
	size        int  // of a union: the members, those of its unions counted
	defaultFrom *statement
	units       string
	pathStmt    *statement
}

// Restriction is one range or length statement. Every one of a type's must hold.
type Restriction struct {
	Parts           []Interval
	Text            string
	Message, AppTag string
}

// Interval is a closed interval. Unsigned 64-bit numbers need big ones.
type Interval struct{ Min, Max *big.Int }

// Enum is a named value: of an enumeration, or a bit with its position.
type Enum struct {
	Name  string
	Value int64
}

// Pattern is one pattern statement, translated from XSD to RE2.
type Pattern struct {
	Text            string
	Invert          bool
	Message, AppTag string
	re              *regexp.Regexp
}

// ValueError says why a text is no value of a type. AppTag and Message are those
// of the restriction that refused it, if it has any.
type ValueError struct{ Message, AppTag string }

func (e *ValueError) Error() string { return e.Message }

func badValue(format string, args ...any) *ValueError {
	return &ValueError{Message: fmt.Sprintf(format, args...)}
}

// Prefixes resolves the prefix of a qualified value, "" for none, as the place
// where the value stands does: XML namespaces, JSON module names, or a module's
// imports. It returns nil for an unknown one.
type Prefixes func(prefix string) *Module

// Canonical checks a lexical value against the type and returns its canonical
// form [RFC 7950 section 9]. Identities and instance-identifiers become
// module:name. resolve may be nil when the text is known to have no prefix.
func (t *Type) Canonical(text string, schema *Schema, resolve Prefixes) (string, *ValueError) {
	switch t.Base {
	case String:
		if err := t.checkString(text); err != nil {
			return "", err
		}
		return text, nil
	case Int8, Int16, Int32, Int64, Uint8, Uint16, Uint32, Uint64:
		return t.canonicalInteger(text)
	case Decimal64:
		return t.canonicalDecimal(text)
	case Boolean:
		s := strings.TrimSpace(text)
		if s != "true" && s != "false" {
			return "", badValue("%q is neither true nor false", text)
		}
		return s, nil
	case Empty:
		if text != "" {
			return "", badValue("it has the type empty and can hold no value")
		}
		return "", nil
	case Enumeration:
		s := strings.TrimSpace(text)
		for _, e := range t.Enums {
			if e.Name == s {
				return s, nil
			}
		}
		return "", badValue("%q is none of %s", text, names(t.Enums))
	case Bits:
		return t.canonicalBits(text)
	case Binary:
		return t.canonicalBinary(text)
	case IdentityRef:
		return t.canonicalIdentity(text, schema, resolve)
	case InstanceIdentifier:
		return rewriteInstanceIdentifier(text, schema, t.pattern, resolve, (*Module).name)
	case Leafref:
		if t.Path == nil || t.Path.Target == nil || t.Path.Target.Type == nil {
			return text, nil
		}
		return t.Path.Target.Type.Canonical(text, schema, resolve)
	case Union:
		var first *ValueError
		for _, m := range t.Members {
			s, err := m.Canonical(text, schema, resolve)
			if err == nil {
				return s, nil
			}
			if first == nil {
				first = err
			}
		}
		if len(t.Members) == 1 {
			return "", first
		}
		return "", badValue("%q fits no member of the union (%s)", abbreviateValue(text), first.Message)
	}
	return text, nil
}

// Resolve returns the member type that a canonical value of a union has, and the
// type of a leafref's target; t itself otherwise.
func (t *Type) Resolve(text string, schema *Schema) *Type {
	switch t.Base {
	case Leafref:
		if t.Path != nil && t.Path.Target != nil {
			return t.Path.Target.Type.Resolve(text, schema)
		}
	case Union:
		byModule := func(p string) *Module { return schema.Module(p) }
		for _, m := range t.Members {
			if _, err := m.Canonical(text, schema, byModule); err == nil {
				return m.Resolve(text, schema)
			}
		}
	}
	return t
}

func abbreviateValue(s string) string {
	if utf8.RuneCountInString(s) > 80 {
		return string([]rune(s)[:77]) + "..."
	}
	return s
}

func names(enums []Enum) string {
	all := make([]string, 0, len(enums))
	for _, e := range enums {
		if len(all) == 12 {
			all = append(all, "...")
			break
		}
		all = append(all, e.Name)
	}
	return strings.Join(all, ", ")
}

func (t *Type) checkString(s string) *ValueError {
	if len(t.Lengths) > 0 {
		if err := t.checkLength(utf8.RuneCountInString(s), "characters"); err != nil {
			return err
		}
	}
	for _, p := range t.Patterns {
		if p.re.MatchString(s) != p.Invert {
			continue
		}
		if p.Message != "" {
			return &ValueError{Message: p.Message, AppTag: p.AppTag}
		}
		verb := "does not match"
		if p.Invert {
			verb = "matches"
		}
		return &ValueError{Message: fmt.Sprintf("%q %s the pattern %s", abbreviateValue(s), verb, p.Text), AppTag: p.AppTag}
	}
	return nil
}

func (t *Type) checkLength(n int, unit string) *ValueError {
	return within(t.Lengths, big.NewInt(int64(n)), func(r Restriction) string {
		return fmt.Sprintf("it has %d %s, the length must be %s", n, unit, r.Text)
	})
}

func within(rs []Restriction, v *big.Int, message func(Restriction) string) *ValueError {
	for _, r := range rs {
		ok := slices.ContainsFunc(r.Parts, func(i Interval) bool { return i.Min.Cmp(v) <= 0 && v.Cmp(i.Max) <= 0 })
		if ok {
			continue
		}
		if r.Message != "" {
			return &ValueError{Message: r.Message, AppTag: r.AppTag}
		}
		return &ValueError{Message: message(r), AppTag: r.AppTag}
	}
	return nil
}

var integerBounds = map[Base]Interval{
	Int8:   {big.NewInt(math.MinInt8), big.NewInt(math.MaxInt8)},
	Int16:  {big.NewInt(math.MinInt16), big.NewInt(math.MaxInt16)},
	Int32:  {big.NewInt(math.MinInt32), big.NewInt(math.MaxInt32)},
	Int64:  {big.NewInt(math.MinInt64), big.NewInt(math.MaxInt64)},
	Uint8:  {big.NewInt(0), big.NewInt(math.MaxUint8)},
	Uint16: {big.NewInt(0), big.NewInt(math.MaxUint16)},
	Uint32: {big.NewInt(0), big.NewInt(math.MaxUint32)},
	Uint64: {big.NewInt(0), new(big.Int).SetUint64(math.MaxUint64)},
}

// canonicalInteger accepts decimal notation [RFC 7950 section 9.2.1].
func (t *Type) canonicalInteger(text string) (string, *ValueError) {
	s := strings.TrimSpace(text)
	sign := 0
	if s != "" && (s[0] == '+' || s[0] == '-') {
		sign = 1
	}
	if s[sign:] == "" || strings.Trim(s[sign:], "0123456789") != "" {
		return "", badValue("%q is no integer", abbreviateValue(text))
	}
	b := integerBounds[t.Base]
	if v, err := strconv.ParseInt(s, 10, 64); err == nil && len(t.Ranges) == 0 && t.Base != Uint64 {
		if b.Min.Int64() > v || b.Max.Int64() < v {
			return "", badValue("%s is outside %s..%s of %s", s, b.Min, b.Max, t.Name)
		}
		return strconv.FormatInt(v, 10), nil
	}
	v, ok := new(big.Int).SetString(s[:min(len(s), 1000)], 10)
	if !ok || len(s) > 1000 {
		return "", badValue("%q is no integer", abbreviateValue(text))
	}
	if b.Min.Cmp(v) > 0 || b.Max.Cmp(v) < 0 {
		return "", badValue("%s is outside %s..%s of %s", abbreviateValue(s), b.Min, b.Max, t.Name)
	}
	if err := within(t.Ranges, v, func(r Restriction) string { return fmt.Sprintf("%s is outside the range %s", s, r.Text) }); err != nil {
		return "", err
	}
	return v.String(), nil
}

// canonicalDefault is Canonical for a default statement, where integers may be
// hexadecimal or octal as well [RFC 7950 section 9.2.1].
func (t *Type) canonicalDefault(text string, schema *Schema, resolve Prefixes) (string, *ValueError) {
	if s := strings.TrimSpace(text); t.Base >= Int8 && t.Base <= Uint64 && !strings.ContainsAny(s, "_bBoO") {
		if v, ok := new(big.Int).SetString(s, 0); ok {
			text = v.String()
		}
	}
	if t.Base == Union {
		var last *ValueError
		for _, m := range t.Members {
			v, err := m.canonicalDefault(text, schema, resolve)
			if err == nil {
				return v, nil
			}
			last = err
		}
		if len(t.Members) == 1 {
			return "", last
		}
	}
	return t.Canonical(text, schema, resolve)
}

// canonicalDecimal leaves at least one digit after the point [RFC 7950 section
// 9.3.2].
func (t *Type) canonicalDecimal(text string) (string, *ValueError) {
	s := strings.TrimSpace(text)
	v, ok := parseDecimal(s, t.FractionDigits)
	if !ok {
		return "", badValue("%q is no decimal number with at most %d fraction digits", abbreviateValue(text), t.FractionDigits)
	}
	if !v.IsInt64() {
		return "", badValue("%s is too large for a decimal64 with %d fraction digits", s, t.FractionDigits)
	}
	if err := within(t.Ranges, v, func(r Restriction) string { return fmt.Sprintf("%s is outside the range %s", s, r.Text) }); err != nil {
		return "", err
	}
	return formatDecimal(v, t.FractionDigits), nil
}

func parseDecimal(s string, digits int) (*big.Int, bool) {
	whole, frac, dot := strings.Cut(s, ".")
	if dot && frac == "" || strings.TrimLeft(whole, "+-") == "" || len(frac) > digits || len(s) > 40 {
		return nil, false
	}
	for i, c := range whole + frac {
		if (c < '0' || c > '9') && !(i == 0 && (c == '-' || c == '+')) {
			return nil, false
		}
	}
	return new(big.Int).SetString(whole+frac+strings.Repeat("0", digits-len(frac)), 10)
}

func formatDecimal(v *big.Int, digits int) string {
	sign := ""
	if v.Sign() < 0 {
		sign, v = "-", new(big.Int).Neg(v)
	}
	s := v.String()
	if len(s) <= digits {
		s = strings.Repeat("0", digits+1-len(s)) + s
	}
	whole, frac := s[:len(s)-digits], strings.TrimRight(s[len(s)-digits:], "0")
	if frac == "" {
		frac = "0"
	}
	return sign + whole + "." + frac
}

func (t *Type) canonicalBits(text string) (string, *ValueError) {
	given := strings.Fields(text)
	var out []string
	for _, b := range t.BitNames {
		if n := count(given, b.Name); n > 1 {
			return "", badValue("the bit %q stands there twice", b.Name)
		} else if n == 1 {
			out = append(out, b.Name)
		}
	}
	if len(out) != len(given) {
		for _, g := range given {
			if !slices.Contains(out, g) {
				return "", badValue("%q is none of the bits %s", g, names(t.BitNames))
			}
		}
	}
	return strings.Join(out, " "), nil
}

func count(list []string, s string) (n int) {
	for _, x := range list {
		if x == s {
			n++
		}
	}
	return n
}

func (t *Type) canonicalBinary(text string) (string, *ValueError) {
	s := strings.Join(strings.Fields(text), "")
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return "", badValue("it is no base64 text: %v", err)
	}
	if len(t.Lengths) > 0 {
		if err := t.checkLength(len(raw), "octets"); err != nil {
			return "", err
		}
	}
	return base64.StdEncoding.EncodeToString(raw), nil
}

func (t *Type) canonicalIdentity(text string, schema *Schema, resolve Prefixes) (string, *ValueError) {
	s := strings.TrimSpace(text)
	prefix, name, ok := strings.Cut(s, ":")
	if !ok {
		prefix, name = "", s
	}
	var m *Module
	if resolve != nil {
		m = resolve(prefix)
	}
	if m == nil {
		if prefix == "" {
			return "", badValue("the identity %q has no prefix and no module is known for it", s)
		}
		return "", badValue("the prefix of the identity %q stands for no module here", s)
	}
	id := schema.Identity(m.Name + ":" + name)
	if id == nil {
		return "", badValue("the module %s has no identity %q", m.Name, name)
	}
	for _, base := range t.Identities {
		if !id.DerivedFrom(base) {
			return "", badValue("the identity %s is not derived from %s", id.QName(), base.QName())
		}
	}
	return id.QName(), nil
}

// Qualified reports whether values of the type may hold module names, which each
// encoding writes in its own way.
func (t *Type) Qualified() bool {
	switch t.Base {
	case IdentityRef, InstanceIdentifier:
		return true
	case Leafref:
		return t.Path != nil && t.Path.Target != nil && t.Path.Target.Type.Qualified()
	case Union:
		return slices.ContainsFunc(t.Members, (*Type).Qualified)
	}
	return false
}

// Requalify rewrites the module names in a canonical value of a type of the module's
// schema, if it holds any; what the schema does not know stays.
func (m *Module) Requalify(t *Type, text string, rename func(*Module) string) string {
	return t.Resolve(text, m.schema).requalify(text, m.schema, rename)
}

// requalify is Requalify for a type that is no union and no leafref.
func (t *Type) requalify(text string, schema *Schema, rename func(*Module) string) string {
	switch t.Base {
	case IdentityRef:
		module, name, _ := strings.Cut(text, ":")
		if m := schema.Module(module); m != nil {
			return rename(m) + ":" + name
		}
	case InstanceIdentifier:
		if out, err := rewriteInstanceIdentifier(text, schema, t.pattern, schema.Module, rename); err == nil {
			return out
		}
	}
	return text
}
