package mapping

import "regexp/syntax"

const (
	// leastLiteral is the length from which on a text is worth looking for.
	leastLiteral = 3
	// mostLiterals is how many alternatives of one pattern are looked for.
	mostLiterals = 32
)

// literals returns texts of which one must be in whatever a pattern fits, without regard
// to the case of ASCII letters; nil when there are none worth looking for.
func literals(pattern string) []string {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil
	}
	set := required(re.Simplify())
	if len(set) > mostLiterals || shortest(set) < leastLiteral {
		return nil
	}
	return set
}

// required returns texts of which one must be in whatever re fits; nil for none.
func required(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase == 0 {
			return []string{string(re.Rune)}
		}
		return longestFolded(re.Rune)
	case syntax.OpCapture, syntax.OpPlus:
		return required(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return required(re.Sub[0])
		}
	case syntax.OpConcat:
		var best []string
		for _, sub := range re.Sub {
			if set := required(sub); shortest(set) > shortest(best) {
				best = set
			}
		}
		return best
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			set := required(sub)
			if set == nil {
				return nil
			}
			all = append(all, set...)
		}
		return all
	}
	return nil
}

// longestFolded is the longest part of a text that fits in any case, in which only ASCII
// letters have other cases: k and s have others, such as the sign of the kelvin.
func longestFolded(runes []rune) []string {
	var best, run []rune
	for _, r := range append(runes[:len(runes):len(runes)], 0) {
		if r != 0 && r < 0x80 && r|0x20 != 'k' && r|0x20 != 's' {
			run = append(run, r)
			continue
		}
		if len(run) > len(best) {
			best = run
		}
		run = nil
	}
	if best == nil {
		return nil
	}
	return []string{string(best)}
}

// shortest is the length of the shortest of the texts, 0 without any.
func shortest(set []string) int {
	if len(set) == 0 {
		return 0
	}
	n := len(set[0])
	for _, s := range set[1:] {
		n = min(n, len(s))
	}
	return n
}
