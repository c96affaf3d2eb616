package yang

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

type patternResult struct {
	re  *regexp.Regexp
	err error
}

// pattern translates a pattern once for all who state it.
func (c *compiler) pattern(text string) (*regexp.Regexp, error) {
	p := c.patterns[text]
	if p == nil {
		re, err := translatePattern(text)
		p = &patternResult{re, err}
		c.patterns[text] = p
	}
	return p.re, p.err
}

// maxMembers bounds unions of unions, whose members can grow exponentially.
const maxMembers = 10_000

// typedef is the type that a typedef statement defines.
func (c *compiler) typedef(def *statement, depth int) (*Type, error) {
	if t := c.typedefs[def]; t != nil {
		return t, nil
	}
	if depth > 64 {
		return nil, def.errorf("typedefs nest too deep or refer to themselves")
	}
	below, err := c.resolveType(def.sub("type"), depth+1)
	if err != nil {
		return nil, err
	}
	t := *below
	t.Name = def.arg
	if isPathPattern(def) {
		t.Base, t.pattern, t.RequireInstance = InstanceIdentifier, true, false
	}
	if d := def.sub("default"); d != nil {
		t.defaultFrom = d
	}
	if u := def.value("units"); u != "" {
		t.units = u
	}
	c.typedefs[def] = &t
	return &t, nil
}

// resolveType follows typedefs down to the built-in type and gathers the
// restrictions of every level.
func (c *compiler) resolveType(s *statement, depth int) (*Type, error) {
	if base, ok := baseNames[s.arg]; ok {
		t := &Type{Base: base, Name: s.arg, RequireInstance: true}
		return t, c.restrict(t, s, depth, false)
	}
	def, err := s.definition("typedef", s.arg)
	if err != nil {
		return nil, err
	}
	below, err := c.typedef(def, depth)
	if err != nil {
		return nil, err
	}
	if len(s.subs) == 0 && s.arg == below.Name {
		return below, nil
	}
	t := *below
	t.Name = s.arg
	return &t, c.restrict(&t, s, depth, true)
}

// restrictions are the substatements that a built-in type takes; true for those
// that a type derived from it takes too [RFC 7950 section 9].
func restrictions(b Base) map[string]bool {
	switch b {
	case Binary:
		return map[string]bool{"length": true}
	case String:
		return map[string]bool{"length": true, "pattern": true}
	case Bits:
		return map[string]bool{"bit": true}
	case Enumeration:
		return map[string]bool{"enum": true}
	case Decimal64:
		return map[string]bool{"fraction-digits": false, "range": true}
	case IdentityRef:
		return map[string]bool{"base": false}
	case InstanceIdentifier:
		return map[string]bool{"require-instance": true}
	case Leafref:
		return map[string]bool{"path": false, "require-instance": true}
	case Union:
		return map[string]bool{"type": false}
	case Boolean, Empty:
		return nil
	}
	return map[string]bool{"range": true}
}

func (c *compiler) restrict(t *Type, s *statement, depth int, derived bool) error {
	old := s.src.version == "1"
	if len(s.subs) > 0 {
		may := restrictions(t.Base)
		for _, sub := range s.subs {
			if strings.Contains(sub.keyword, ":") {
				continue
			}
			again, ok := may[sub.keyword]
			if derived {
				ok = again && !(old && (sub.keyword == "enum" || sub.keyword == "bit" || sub.keyword == "require-instance" && t.Base == Leafref))
			} else if old && t.Base == Leafref && sub.keyword == "require-instance" {
				ok = false
			}
			if !ok {
				return sub.errorf("%s takes no %s here", s.arg, sub.keyword)
			}
		}
		// fraction-digits goes before the range, which is read with it.
		if f := s.sub("fraction-digits"); f != nil {
			t.FractionDigits, _ = strconv.Atoi(f.arg)
		}
	}
	for _, sub := range s.subs {
		if err := c.restriction(t, sub, depth); err != nil {
			return err
		}
	}
	for _, named := range []struct {
		keyword string
		list    *[]Enum
	}{{"enum", &t.Enums}, {"bit", &t.BitNames}} {
		if s.sub(named.keyword) == nil {
			continue
		}
		list, err := c.enums(s, named.keyword, *named.list, derived)
		if err != nil {
			return err
		}
		*named.list = list
	}
	if derived {
		return nil
	}
	for _, needs := range []struct {
		base    Base
		keyword string
	}{{Decimal64, "fraction-digits"}, {Union, "type"}, {Enumeration, "enum"}, {Bits, "bit"}, {IdentityRef, "base"}, {Leafref, "path"}} {
		if t.Base == needs.base && s.sub(needs.keyword) == nil {
			return s.errorf("the type needs a %s", needs.keyword)
		}
	}
	return nil
}

// restriction reads one substatement of a type.
func (c *compiler) restriction(t *Type, s *statement, depth int) error {
	switch s.keyword {
	case "range", "length":
		parts, err := intervals(t, s)
		if err != nil {
			return err
		}
		r := Restriction{Parts: parts, Text: s.arg, Message: s.text("error-message"), AppTag: s.value("error-app-tag")}
		if s.keyword == "range" {
			t.Ranges = append(slices.Clip(t.Ranges), r)
		} else {
			t.Lengths = append(slices.Clip(t.Lengths), r)
		}
	case "pattern":
		re, err := c.pattern(s.arg)
		if err != nil {
			return s.errorf("%v", err)
		}
		t.Patterns = append(slices.Clip(t.Patterns), &Pattern{Text: s.arg, Invert: s.sub("modifier") != nil,
			Message: s.text("error-message"), AppTag: s.value("error-app-tag"), re: re})
	case "base":
		id, err := c.identity(s)
		if err != nil {
			return err
		}
		t.Identities = append(slices.Clip(t.Identities), id)
	case "path":
		if _, err := parsePath(s); err != nil {
			return err
		}
		t.pathStmt = s
	case "require-instance":
		t.RequireInstance = s.arg == "true"
	case "type":
		if depth > 64 {
			return s.errorf("typedefs nest too deep or refer to themselves")
		}
		member, err := c.resolveType(s, depth+1)
		if err != nil {
			return err
		}
		if s.src.version == "1" && (member.Base == Empty || member.Base == Leafref) {
			return s.errorf("a union can have a member %s in YANG 1.1 only", member.Base)
		}
		if t.size += max(1, member.size); t.size > maxMembers {
			return s.errorf("unions within unions have more than %d members", maxMembers)
		}
		t.Members = append(slices.Clip(t.Members), member)
	}
	return nil
}

// enums numbers the enums or bits; a restriction of a typedef keeps the numbers
// that the typedef gave.
func (c *compiler) enums(s *statement, keyword string, inherited []Enum, derived bool) ([]Enum, error) {
	value, least, most := "value", int64(-1<<31), int64(1<<31-1)
	if keyword == "bit" {
		value, least, most = "position", 0, 1<<32-1
	}
	var list []Enum
	names, values := map[string]bool{}, map[int64]bool{}
	top := int64(-1) // the highest value so far
	for e := range s.all(keyword) {
		if names[e.arg] {
			return nil, e.errorf("stands there twice")
		}
		names[e.arg] = true
		if e.arg == "" || strings.TrimSpace(e.arg) != e.arg {
			return nil, e.errorf("is empty or has blanks around it")
		}
		v := top + 1
		if len(list) == 0 {
			v = 0
		}
		if derived {
			i := slices.IndexFunc(inherited, func(x Enum) bool { return x.Name == e.arg })
			if i < 0 {
				return nil, e.errorf("is not in the type that is restricted")
			}
			v = inherited[i].Value
		}
		if text := e.value(value); text != "" {
			given, _ := strconv.ParseInt(text, 10, 64) // its grammar was checked
			if derived && given != v {
				return nil, e.errorf("has the %s %d in the type that is restricted", value, v)
			}
			v = given
		}
		switch {
		case v < least || v > most:
			return nil, e.errorf("its %s has to be given: %d is the highest", value, most)
		case values[v]:
			return nil, e.errorf("the %s %d stands there twice", value, v)
		}
		values[v] = true
		if top = max(top, v); len(list) == 0 {
			top = v
		}
		list = append(list, Enum{e.arg, v})
	}
	// Features take values away after the numbering [RFC 7950 section 9.6.4].
	kept := list[:0]
	i := 0
	for e := range s.all(keyword) {
		if c.ifFeatures(e) {
			kept = append(kept, list[i])
		}
		i++
	}
	if keyword == "bit" {
		slices.SortFunc(kept, func(a, b Enum) int { return int(a.Value - b.Value) })
	}
	return kept, nil
}

// intervals parses a range or length [RFC 7950 section 9.2.4].
func intervals(t *Type, s *statement) ([]Interval, error) {
	var bounds Interval
	switch {
	case s.keyword == "length":
		bounds = Interval{new(big.Int), new(big.Int).SetUint64(1<<64 - 1)}
	case t.Base == Decimal64:
		bounds = integerBounds[Int64]
	default:
		bounds = integerBounds[t.Base]
	}
	outer := []Interval{bounds}
	inherited := t.Ranges
	if s.keyword == "length" {
		inherited = t.Lengths
	}
	if len(inherited) > 0 {
		outer = inherited[len(inherited)-1].Parts
	}
	number := func(text string) (*big.Int, error) {
		switch text = strings.TrimSpace(text); text {
		case "min":
			return outer[0].Min, nil
		case "max":
			return outer[len(outer)-1].Max, nil
		}
		if v, ok := parseDecimal(text, t.FractionDigits); ok {
			return v, nil
		}
		if v, ok := new(big.Int).SetString(text, 0); ok && t.FractionDigits == 0 && len(text) < 40 {
			return v, nil
		}
		return nil, s.errorf("%q is no number", text)
	}
	var out []Interval
	for part := range strings.SplitSeq(s.arg, "|") {
		low, high, ranged := strings.Cut(part, "..")
		if !ranged {
			high = low
		}
		lo, err := number(low)
		if err != nil {
			return nil, err
		}
		hi, err := number(high)
		if err != nil {
			return nil, err
		}
		within := func(i Interval) bool { return i.Min.Cmp(lo) <= 0 && hi.Cmp(i.Max) <= 0 }
		switch {
		case lo.Cmp(hi) > 0, len(out) > 0 && out[len(out)-1].Max.Cmp(lo) >= 0:
			return nil, s.errorf("its parts do not ascend")
		case !slices.ContainsFunc(outer, within) && !covered(outer, lo, hi):
			return nil, s.errorf("is wider than %s", t.Name)
		}
		out = append(out, Interval{lo, hi})
	}
	return out, nil
}

// covered reports whether lo to hi lies within intervals that touch each other.
func covered(outer []Interval, lo, hi *big.Int) bool {
	one := big.NewInt(1)
	at := lo
	for _, i := range outer {
		if i.Min.Cmp(at) <= 0 && at.Cmp(i.Max) <= 0 {
			if hi.Cmp(i.Max) <= 0 {
				return true
			}
			at = new(big.Int).Add(i.Max, one)
		}
	}
	return false
}

// String is the name of the built-in type.
func (b Base) String() string {
	for name, base := range baseNames {
		if base == b {
			return name
		}
	}
	return fmt.Sprintf("type %d", uint8(b))
}
