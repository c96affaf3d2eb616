package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// screen is where tables and texts go, and what it can show.
type screen struct {
	w io.Writer
	// width is the number of columns; 0 means that nothing is cut.
	width int
	// colour is true on a terminal that wants colours.
	colour bool
	// relative shows ages instead of times.
	relative bool
}

// newScreen finds out what w can show. Only a terminal has a width and colours, and no
// colours when NO_COLOR is set.
func newScreen(w io.Writer) screen {
	s := screen{w: w}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return s
	}
	s.colour = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		s.width = width
	}
	return s
}

// style is an SGR parameter, empty for plain.
type style string

const (
	plain  style = ""
	bold   style = "1"
	dim    style = "2"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
	blue   style = "34"
	alert  style = "1;31"
)

func (s screen) paint(text string, with style) string {
	if !s.colour || with == plain {
		return text
	}
	return "\x1b[" + string(with) + "m" + text + "\x1b[0m"
}

// priorityStyle is the colour of a priority.
func priorityStyle(p string) style {
	switch p {
	case "critical":
		return alert
	case "high":
		return red
	case "medium":
		return yellow
	case "low":
		return blue
	}
	return plain
}

func statusStyle(s string) style {
	switch s {
	case "cleared":
		return green
	case "raised":
		return bold
	}
	return plain
}

func severityStyle(s string) style {
	switch s {
	case "critical", "major":
		return red
	case "minor":
		return yellow
	case "warning":
		return blue
	}
	return plain
}

// clean makes text from the network safe to show: one line, and no control characters
// with which a device could write over the screen.
func clean(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		default:
			b.WriteRune('�')
		}
	}
	return b.String()
}

// when shows a time of the server on the clock of the reader, or its age. On a terminal
// it leaves out what goes without saying: the day when it is today, or the year.
func (s screen) when(stamp string) string {
	t := parseTime(stamp)
	if t.IsZero() {
		return clean(stamp)
	}
	if s.relative {
		return age(time.Since(t))
	}
	t, now := t.Local(), time.Now()
	switch {
	case s.width == 0:
		return t.Format(time.DateTime)
	case t.Year() != now.Year():
		return t.Format(time.DateOnly)
	case t.YearDay() != now.YearDay():
		return t.Format("Jan 02 15:04")
	}
	return t.Format(time.TimeOnly)
}

// whenLong is when with both the time and the age.
func (s screen) whenLong(stamp string) string {
	t := parseTime(stamp)
	if t.IsZero() {
		return clean(stamp)
	}
	return fmt.Sprintf("%s (%s)", t.Local().Format("2006-01-02 15:04:05 MST"), age(time.Since(t)))
}

// age says how long ago something was, in its two greatest units.
func age(d time.Duration) string {
	switch {
	case d < 0:
		return "in " + strings.TrimSuffix(age(-d), " ago")
	case d < time.Second:
		return "just now"
	case d < time.Minute:
		return fmt.Sprintf("%ds ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds ago", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm ago", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%02dh ago", int(d.Hours())/24, int(d.Hours())%24)
}

// cell is one field of a table.
type cell struct {
	text string
	with style
}

// column is a table's column. One with give may be cut down to least so that the table
// fits; what is given up is shared in proportion to what the columns have too much.
type column struct {
	title string
	give  bool
	least int
}

// table writes rows under their titles, cut to the width of the screen.
func (s screen) table(indent string, columns []column, rows [][]cell) error {
	widths := make([]int, len(columns))
	for i, c := range columns {
		widths[i] = utf8.RuneCountInString(c.title)
		for _, r := range rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(r[i].text))
		}
	}
	s.fit(widths, columns, utf8.RuneCountInString(indent))
	head := make([]cell, len(columns))
	for i, c := range columns {
		head[i] = cell{c.title, bold}
	}
	var b strings.Builder
	for _, r := range append([][]cell{head}, rows...) {
		b.WriteString(indent)
		last := len(r) - 1
		for last > 0 && r[last].text == "" {
			last--
		}
		for i, c := range r[:last+1] {
			text := cut(c.text, widths[i])
			b.WriteString(s.paint(text, c.with))
			if i < last {
				b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text)+2))
			}
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(s.w, b.String())
	return err
}

func (s screen) fit(widths []int, columns []column, indent int) {
	if s.width == 0 {
		return
	}
	total, spare := indent+2*(len(columns)-1), 0
	for i, c := range columns {
		total += widths[i]
		if c.give {
			spare += max(0, widths[i]-c.least)
		}
	}
	over := min(total-s.width, spare)
	for i, c := range columns {
		if excess := widths[i] - c.least; over > 0 && c.give && excess > 0 {
			less := (over*excess + spare - 1) / spare
			widths[i] -= less
			over -= less
			spare -= excess
		}
	}
}

// cut shortens text to a number of characters.
func cut(text string, to int) string {
	if utf8.RuneCountInString(text) <= to {
		return text
	}
	if to <= 1 {
		return "…"
	}
	n := 0
	for i := range text {
		if n == to-1 {
			return strings.TrimRight(text[:i], " ") + "…"
		}
		n++
	}
	return text
}

// wrap breaks text into lines behind an indent, at most as wide as the screen or, off a
// terminal, 100 columns.
func (s screen) wrap(indent, text string) string {
	width := s.width
	if width == 0 {
		width = 100
	}
	width = max(20, width-utf8.RuneCountInString(indent))
	var b strings.Builder
	for _, par := range strings.Split(strings.TrimSpace(text), "\n") {
		line := 0
		b.WriteString(indent)
		for i, word := range strings.Fields(par) {
			word = clean(word)
			n := utf8.RuneCountInString(word)
			if i > 0 && line+1+n > width {
				b.WriteString("\n" + indent)
				line = 0
			} else if i > 0 {
				b.WriteByte(' ')
				line++
			}
			b.WriteString(word)
			line += n
		}
		b.WriteByte('\n')
	}
	return b.String()
}
