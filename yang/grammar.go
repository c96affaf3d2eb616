package yang

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The grammar of RFC 7950 section 14: of each statement the kind of argument and
// the substatements. A substatement may stand "?" at most once, "!" once, "*" any
// number of times, "+" at least once; "^" before its name says YANG 1.1 only, "%"
// that it may stand more than once in YANG 1.1 only.
const grammarTable = `
module id: anydata*^ anyxml* augment* choice* contact? container* description? deviation* extension* feature* grouping* identity* import* include* leaf* leaf-list* list* namespace! notification* organization? prefix! reference? revision* rpc* typedef* uses* yang-version?
submodule id: anydata*^ anyxml* augment* belongs-to! choice* contact? container* description? deviation* extension* feature* grouping* identity* import* include* leaf* leaf-list* list* notification* organization? reference? revision* rpc* typedef* uses* yang-version?
yang-version version:
import id: description?^ prefix! reference?^ revision-date?
include id: description?^ reference?^ revision-date?
namespace uri:
prefix id:
belongs-to id: prefix!
organization text:
contact text:
description text:
reference text:
units text:
revision date: description? reference?
revision-date date:
extension id: argument? description? reference? status?
argument id: yin-element?
yin-element bool:
feature id: description? if-feature* reference? status?
if-feature text:
identity id: base% description? if-feature*^ reference? status?
base ref:
typedef id: default? description? reference? status? type! units?
type ref: base% bit* enum* fraction-digits? length? path? pattern* range? require-instance? type*
range text: description? error-app-tag? error-message? reference?
length text: description? error-app-tag? error-message? reference?
pattern text: description? error-app-tag? error-message? modifier?^ reference?
modifier modifier:
default text:
enum text: description? if-feature*^ reference? status? value?
value integer:
bit id: description? if-feature*^ position? reference? status?
position natural:
path text:
require-instance bool:
fraction-digits digits:
status status:
config bool:
mandatory bool:
presence text:
ordered-by order:
must text: description? error-app-tag? error-message? reference?
error-message text:
error-app-tag text:
min-elements natural:
max-elements most:
grouping id: action*^ anydata*^ anyxml* choice* container* description? grouping* leaf* leaf-list* list* notification*^ reference? status? typedef* uses*
container id: action*^ anydata*^ anyxml* choice* config? container* description? grouping* if-feature* leaf* leaf-list* list* must* notification*^ presence? reference? status? typedef* uses* when?
leaf id: config? default? description? if-feature* mandatory? must* reference? status? type! units? when?
leaf-list id: config? default*^ description? if-feature* max-elements? min-elements? must* ordered-by? reference? status? type! units? when?
list id: action*^ anydata*^ anyxml* choice* config? container* description? grouping* if-feature* key? leaf* leaf-list* list* max-elements? min-elements? must* notification*^ ordered-by? reference? status? typedef* unique* uses* when?
key text:
unique text:
choice id: anydata*^ anyxml* case* choice*^ config? container* default? description? if-feature* leaf* leaf-list* list* mandatory? reference? status? when?
case id: anydata*^ anyxml* choice* container* description? if-feature* leaf* leaf-list* list* reference? status? uses* when?
anydata id: config? description? if-feature* mandatory? must* reference? status? when?
anyxml id: config? description? if-feature* mandatory? must* reference? status? when?
uses ref: augment* description? if-feature* reference? refine* status? when?
refine descendant: config? default% description? if-feature*^ mandatory? max-elements? min-elements? must* presence? reference?
augment schema: action*^ anydata*^ anyxml* case* choice* container* description? if-feature* leaf* leaf-list* list* notification*^ reference? status? uses* when?
when text: description? reference?
rpc id: description? grouping* if-feature* input? output? reference? status? typedef*
action id: description? grouping* if-feature* input? output? reference? status? typedef*
input none: anydata*^ anyxml* choice* container* grouping* leaf* leaf-list* list* must*^ typedef* uses*
output none: anydata*^ anyxml* choice* container* grouping* leaf* leaf-list* list* must*^ typedef* uses*
notification id: anydata*^ anyxml* choice* container* description? grouping* if-feature* leaf* leaf-list* list* must*^ reference? status? typedef* uses*
deviation absolute: description? deviate+ reference?
deviate deviate: config? default* mandatory? max-elements? min-elements? must* type? unique* units?
`

type cardinality struct {
	min, max int // max 0: any number
	new      bool
	manyNew  bool
}

type rule struct {
	argument string
	subs     map[string]cardinality
	needed   []string
}

var grammarRules = sync.OnceValue(func() map[string]rule {
	rules := map[string]rule{}
	for line := range strings.Lines(strings.TrimSpace(grammarTable)) {
		head, tail, _ := strings.Cut(line, ":")
		keyword, argument, _ := strings.Cut(head, " ")
		r := rule{argument: argument, subs: map[string]cardinality{}}
		for _, word := range strings.Fields(tail) {
			name := strings.TrimRight(word, "?!*+^%")
			var card cardinality
			for _, mark := range word[len(name):] {
				switch mark {
				case '?':
					card.max = 1
				case '!':
					card.min, card.max = 1, 1
				case '+':
					card.min = 1
				case '^':
					card.new = true
				case '%':
					card.manyNew = true
				}
			}
			if card.min > 0 {
				r.needed = append(r.needed, name)
			}
			r.subs[name] = card
		}
		rules[keyword] = r
	}
	return rules
})

// deviateSubs are the substatements of each kind of deviate; "?" at most once.
var deviateSubs = map[string]map[string]bool{
	"not-supported": {},
	"add":           {"config": true, "default": true, "mandatory": true, "max-elements": true, "min-elements": true, "must": true, "unique": true, "units": true},
	"replace":       {"config": true, "default": true, "mandatory": true, "max-elements": true, "min-elements": true, "type": true, "units": true},
	"delete":        {"default": true, "must": true, "unique": true, "units": true},
}

// grammar holds a text to the grammar: substatements that are unknown, have no
// place, are missing or stand too often, arguments of the wrong form, and the
// order of a module's sections.
func (c *compiler) grammar(src *source) bool {
	before := len(c.errs)
	top := src.stmt
	switch {
	case top.keyword != "module" && top.keyword != "submodule":
		c.fail(top.errorf("a file holds a module or a submodule"))
	case src.version != "1" && src.version != "1.1":
		c.fail(top.sub("yang-version").errorf("is neither 1 nor 1.1"))
	default:
		c.grammarOf(top, src.version == "1")
		c.sections(top)
	}
	return len(c.errs) == before
}

func (c *compiler) grammarOf(s *statement, old bool) {
	if strings.Contains(s.keyword, ":") {
		return // what an extension holds is its own matter
	}
	r := grammarRules()[s.keyword]
	if reason := checkArgument(s, r.argument); reason != "" {
		c.fail(s.errorf("%s", reason))
	}
	for i, sub := range s.subs {
		if strings.Contains(sub.keyword, ":") {
			c.grammarOf(sub, old)
			continue
		}
		card, ok := r.subs[sub.keyword]
		if s.keyword == "deviate" && ok {
			_, ok = deviateSubs[s.arg][sub.keyword]
		}
		_, known := grammarRules()[sub.keyword]
		switch {
		case !known:
			c.fail(sub.errorf("there is no such statement"))
			continue
		case !ok:
			c.fail(sub.errorf("has no place in %s %s", s.keyword, abbreviate(s.arg)))
			continue
		case card.new && old:
			c.fail(sub.errorf("has no place in %s before YANG 1.1", s.keyword))
		case card.max == 1 || card.manyNew && old:
			for _, earlier := range s.subs[:i] {
				if earlier.keyword == sub.keyword {
					c.fail(sub.errorf("stands a second time in %s %s", s.keyword, abbreviate(s.arg)))
					break
				}
			}
		}
		c.grammarOf(sub, old)
	}
	for _, name := range r.needed {
		if s.sub(name) == nil {
			c.fail(s.errorf("has no %s", name))
		}
	}
}

// section is where a statement stands in a module: header, linkage, meta,
// revisions, body.
func section(keyword string) int {
	switch keyword {
	case "yang-version", "namespace", "prefix", "belongs-to":
		return 1
	case "import", "include":
		return 2
	case "organization", "contact", "description", "reference":
		return 3
	case "revision":
		return 4
	}
	return 5
}

func (c *compiler) sections(top *statement) {
	at := 0
	seen := map[string]bool{}
	for _, s := range top.subs {
		if strings.Contains(s.keyword, ":") {
			continue
		}
		n := section(s.keyword)
		if n < at {
			c.fail(s.errorf("stands too late in the %s", top.keyword))
		}
		at = max(at, n)
		if s.keyword == "revision" {
			if seen[s.arg] {
				c.fail(s.errorf("stands there twice"))
			}
			seen[s.arg] = true
		}
	}
}

// checkArgument says what is wrong with a statement's argument, "" if nothing.
func checkArgument(s *statement, kind string) string {
	if kind == "none" {
		if s.hasArg {
			return "takes no argument"
		}
		return ""
	}
	if !s.hasArg {
		return "has no argument"
	}
	oneOf := func(words ...string) string {
		for _, w := range words {
			if s.arg == w {
				return ""
			}
		}
		return "is none of " + strings.Join(words, ", ")
	}
	switch kind {
	case "id":
		if !isIdentifier(s.arg) {
			return "is no identifier"
		}
	case "ref":
		if !isReference(s.arg) {
			return "is no identifier with or without a prefix"
		}
	case "descendant", "absolute", "schema":
		return checkSchemaPath(s, kind)
	case "uri":
		if s.arg == "" || strings.ContainsAny(s.arg, " \t\n") {
			return "is no URI"
		}
	case "date":
		if _, err := time.Parse(time.DateOnly, s.arg); err != nil {
			return "is no date YYYY-MM-DD"
		}
	case "version":
		return oneOf("1", "1.1")
	case "bool":
		return oneOf("true", "false")
	case "status":
		return oneOf("current", "deprecated", "obsolete")
	case "order":
		return oneOf("user", "system")
	case "modifier":
		return oneOf("invert-match")
	case "deviate":
		return oneOf("not-supported", "add", "replace", "delete")
	case "integer", "natural", "most", "digits":
		return checkNumber(s, kind)
	}
	return ""
}

// checkNumber checks decimal numbers without sign, leading zeros or blanks, as the
// grammar has them.
func checkNumber(s *statement, kind string) string {
	low, high := int64(0), int64(1<<32-1)
	switch {
	case kind == "most" && s.arg == "unbounded":
		return ""
	case kind == "integer":
		low, high = -1<<31, 1<<31-1
	case kind == "most":
		low = 1
	case kind == "digits":
		low, high = 1, 18
	}
	n, err := strconv.ParseInt(s.arg, 10, 64)
	if err != nil || n < low || n > high || strconv.FormatInt(n, 10) != s.arg {
		return fmt.Sprintf("is not %d to %d", low, high)
	}
	return ""
}

// checkSchemaPath checks the syntax of a schema node identifier. That of an
// augment is absolute at the top of a module and descendant in a uses.
func checkSchemaPath(s *statement, kind string) string {
	path := s.arg
	absolute := kind == "absolute" || kind == "schema" && (s.parent == nil || s.parent.keyword != "uses")
	if absolute {
		rest, ok := strings.CutPrefix(path, "/")
		if !ok {
			return "does not begin with a slash"
		}
		path = rest
	}
	for part := range strings.SplitSeq(path, "/") {
		if !isReference(part) {
			if !absolute && strings.HasPrefix(path, "/") {
				return "begins with a slash"
			}
			return fmt.Sprintf("is no path of identifiers: %q", part)
		}
	}
	return ""
}

func isIdentifier(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isNameStart(c) && (i == 0 || !(c >= '0' && c <= '9' || c == '-' || c == '.')) {
			return false
		}
	}
	return s != ""
}

func isReference(s string) bool {
	prefix, name, ok := strings.Cut(s, ":")
	return isIdentifier(prefix) && (!ok || isIdentifier(name))
}
