package xpath

import (
	"math"
	"strconv"
	"strings"
)

// Levels of precedence, loosest first.
const (
	levelOr = iota
	levelAnd
	levelEquality
	levelRelational
	levelAdditive
	levelMultiplicative
	levelUnary
	levelUnion
	levelPath
)

// opLevel is the level of a binary operator.
func opLevel(op string) int {
	switch op {
	case "=", "!=":
		return levelEquality
	case "<", "<=", ">", ">=":
		return levelRelational
	case "+", "-":
		return levelAdditive
	}
	return levelMultiplicative
}

// appendIn appends what body writes, in parentheses if it binds looser than level.
func appendIn(b []byte, own, level int, body func([]byte) []byte) []byte {
	if own >= level {
		return body(b)
	}
	return append(body(append(b, '(')), ')')
}

func appendBinary(b []byte, op string, l, r expr, level int) []byte {
	own := opLevel(op)
	return appendIn(b, own, level, func(b []byte) []byte {
		b = l.appendTo(b, own)
		b = append(b, ' ')
		b = append(b, op...)
		b = append(b, ' ')
		return r.appendTo(b, own+1)
	})
}

func appendList(b []byte, xs []expr, sep string, level int) []byte {
	for i, x := range xs {
		if i > 0 {
			b = append(b, sep...)
		}
		b = x.appendTo(b, level)
	}
	return b
}

func (e number) appendTo(b []byte, _ int) []byte {
	if s := formatNumber(float64(e)); s != "Infinity" {
		return append(b, s...)
	}
	// A literal beyond the range of a double.
	return append(append(b, '1'), strings.Repeat("0", 309)...)
}

func (e literal) appendTo(b []byte, _ int) []byte {
	quote := byte('\'')
	if strings.IndexByte(string(e), quote) >= 0 {
		quote = '"'
	}
	b = append(b, quote)
	b = append(b, e...)
	return append(b, quote)
}

func (e *negation) appendTo(b []byte, level int) []byte {
	return appendIn(b, levelUnary, level, func(b []byte) []byte {
		b = append(b, '-')
		if e.even {
			b = append(b, '-')
		}
		return e.x.appendTo(b, levelUnion)
	})
}

func (e *arithmetic) appendTo(b []byte, level int) []byte {
	return appendBinary(b, e.op, e.l, e.r, level)
}

func (e *comparison) appendTo(b []byte, level int) []byte {
	return appendBinary(b, e.op, e.l, e.r, level)
}

func (e *logic) appendTo(b []byte, level int) []byte {
	own, sep := levelAnd, " and "
	if e.or {
		own, sep = levelOr, " or "
	}
	return appendIn(b, own, level, func(b []byte) []byte {
		return appendList(b, e.xs, sep, own+1)
	})
}

func (e *union) appendTo(b []byte, level int) []byte {
	return appendIn(b, levelUnion, level, func(b []byte) []byte {
		return appendList(b, e.xs, " | ", levelPath)
	})
}

func (e *call) appendTo(b []byte, _ int) []byte {
	b = append(b, e.fn.name...)
	b = append(b, '(')
	b = appendList(b, e.args, ", ", levelOr)
	return append(b, ')')
}

func (e *path) appendTo(b []byte, level int) []byte {
	if e.from == fromRoot && len(e.steps) == 0 && level > levelOr {
		return append(b, "(/)"...) // a name or "*" behind a bare slash would be a step
	}
	slash := true // a step needs a slash before it
	switch e.from {
	case fromContext:
		slash = false
	case fromRoot:
		b = append(b, '/')
		slash = false
		if len(e.steps) > 1 && e.steps[0].isDescendantOrSelfNode() {
			b = b[:len(b)-1]
			slash = true
		}
	case fromCurrent:
		b = append(b, "current()"...)
	case fromExpr:
		if _, ok := e.start.(*call); ok {
			b = e.start.appendTo(b, levelPath)
		} else {
			b = e.start.appendTo(append(b, '('), levelOr)
			b = append(b, ')')
		}
		b = appendPreds(b, e.preds)
	}
	for i := range e.steps {
		s := &e.steps[i]
		if slash && s.isDescendantOrSelfNode() && i+1 < len(e.steps) {
			b = append(b, '/', '/')
			slash = false
			continue
		}
		if slash {
			b = append(b, '/')
		}
		b = s.appendTo(b)
		slash = true
	}
	return b
}

func (s *step) appendTo(b []byte) []byte {
	if s.test.kind == testNode && len(s.preds) == 0 {
		switch s.axis {
		case self:
			return append(b, '.')
		case parent:
			return append(b, '.', '.')
		}
	}
	switch s.axis {
	case child:
	case attribute:
		b = append(b, '@')
	default:
		b = append(b, axisNames[s.axis]...)
		b = append(b, ':', ':')
	}
	b = s.test.appendTo(b)
	return appendPreds(b, s.preds)
}

func (t *test) appendTo(b []byte) []byte {
	if t.prefix != "" {
		b = append(append(b, t.prefix...), ':')
	}
	switch t.kind {
	case testName:
		return append(b, t.name.Local...)
	case testText:
		return append(b, "text()"...)
	case testNode:
		return append(b, "node()"...)
	case testNothing:
		return append(b, t.arg...)
	}
	return append(b, '*')
}

func appendPreds(b []byte, preds []pred) []byte {
	for _, p := range preds {
		b = p.x.appendTo(append(b, '['), levelOr)
		b = append(b, ']')
	}
	return b
}

// formatNumber is the string value of a number [XPath 1.0 section 4.2].
func formatNumber(v float64) string {
	switch {
	case v != v:
		return "NaN"
	case math.IsInf(v, 1):
		return "Infinity"
	case math.IsInf(v, -1):
		return "-Infinity"
	case v == 0:
		return "0" // the negative zero too
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
