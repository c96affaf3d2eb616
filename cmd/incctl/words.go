package main

import (
	"errors"
	"strings"
	"unicode"
)

// splitWords takes a line apart as a shell does: at blanks, which quotes and backslashes
// protect. open is true when the last word has begun and may go on.
func splitWords(line string) (words []string, open bool, err error) {
	var word strings.Builder
	quote := rune(0)
	escaped := false
	for _, r := range line {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, open = true, true
		case quote != 0:
			if r == quote {
				quote = 0
			} else {
				word.WriteRune(r)
			}
		case r == '\'' || r == '"':
			quote, open = r, true
		case unicode.IsSpace(r):
			if open {
				words = append(words, word.String())
				word.Reset()
			}
			open = false
		default:
			word.WriteRune(r)
			open = true
		}
	}
	if open {
		words = append(words, word.String())
	}
	if quote != 0 || escaped {
		err = errors.New("a quote is not closed")
	}
	return words, open, err
}
