package xpath

import (
	"math"
	"strconv"
	"strings"
)

// parseNumber is the number that a text spells: an optional minus, digits, at most
// one point, white space around; else NaN [XPath 1.0 section 4.4].
func parseNumber(s string) float64 {
	s = strings.Trim(s, " \t\r\n")
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || digits == "." || numeral(digits) != len(digits) {
		return math.NaN()
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(v, 0) {
		return math.NaN()
	}
	return v
}

func calculate(op string, l, r float64) float64 {
	switch op {
	case "+":
		return l + r
	case "-":
		return l - r
	case "*":
		return l * r
	case "div":
		return l / r
	}
	return math.Mod(l, r) // mod truncates, as XPath's does
}

// round is the closest integer, of two the greater [XPath 1.0 section 4.4].
func round(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return v
	}
	down := math.Floor(v)
	if v-down >= 0.5 {
		down++
	}
	return math.Copysign(down, v)
}
