package plot

import (
	"math"
	"strings"
	"unicode/utf8"
)

// Ink is what a terminal can draw with.
type Ink uint8

// The inks. Braille has eight dots a character, ASCII is for terminals that have nothing else.
const (
	Braille Ink = iota
	ASCII
)

// The least size of the plot itself, in characters.
const (
	leastWidth  = 16
	leastHeight = 3
)

// Text draws the chart with characters, in lines that are no wider than width, and as many for
// the delays as height. The line below the delays shows what was lost.
func (c *Chart) Text(width, height int, ink Ink) string {
	if c.Empty() {
		return ""
	}
	y, unit := c.delays(max(2, height/2))
	value := number(y)
	margin := len("loss") - 1
	for _, v := range y.ticks {
		margin = max(margin, utf8.RuneCountInString(value(v)))
	}
	columns, rows := max(leastWidth, width-margin-2), max(leastHeight, height)
	x, seconds, label := c.times(max(2, columns/12))
	g := newGrid(columns, rows, ink)
	for _, part := range c.parts() {
		for i, p := range part {
			at := func(p Point) (int, int) {
				return g.column(x.at(p.X)), g.row(y.at(float64(p.Mean) / unit.size))
			}
			px, py := at(p)
			g.bar(px, g.row(y.at(float64(p.Low)/unit.size)), g.row(y.at(float64(p.High)/unit.size)))
			g.dot(px, py)
			if i > 0 {
				qx, qy := at(part[i-1])
				g.line(qx, qy, px, py)
			}
		}
	}
	marks := map[int]string{}
	for _, v := range y.ticks {
		marks[int(math.Round((1-y.at(v))*float64(rows-1)))] = value(v)
	}
	border, corner, rule := "│", "└", "─"
	if ink == ASCII {
		border, corner, rule = "|", "+", "-"
	}
	var b strings.Builder
	b.WriteString(pad(ascii(unit.name, ink), margin) + "\n")
	for r := range rows {
		b.WriteString(pad(marks[r], margin) + " " + border + strings.TrimRight(g.text(r), " ⠀") + "\n")
	}
	b.WriteString(strings.Repeat(" ", margin+1) + corner + strings.Repeat(rule, columns) + "\n")
	if lost := c.losses(x, columns, ink); lost != "" {
		b.WriteString(pad("loss", margin+1) + " " + lost + "\n")
	}
	b.WriteString(strings.Repeat(" ", margin+2) + labels(x, label, columns, seconds) + "\n")
	return b.String()
}

// pad fills a text up to a width from the left; one that is longer stays.
func pad(text string, width int) string {
	return strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text))) + text
}

func ascii(unit string, ink Ink) string {
	if ink == ASCII {
		return strings.ReplaceAll(unit, "µ", "u")
	}
	return unit
}

// losses is a line of what was lost in each column, empty when that is nothing.
func (c *Chart) losses(x axis, columns int, ink Ink) string {
	levels := []rune("▁▂▃▄▅▆▇█")
	if ink == ASCII {
		levels = []rune(".:xX")
	}
	most := make([]float64, columns)
	for _, p := range c.Points {
		at := int(math.Round(x.at(p.X) * float64(columns-1)))
		most[at] = max(most[at], p.Loss)
	}
	line := make([]rune, columns)
	any := false
	for i, v := range most {
		line[i] = ' '
		if v > 0 {
			any = true
			line[i] = levels[min(len(levels)-1, int(v*float64(len(levels))))]
		}
	}
	if !any {
		return ""
	}
	return strings.TrimRight(string(line), " ")
}

// labels is the line of the marks of X, with the unit behind the last.
func labels(x axis, label func(float64) string, columns int, unit string) string {
	line := []rune(strings.Repeat(" ", columns))
	free := 0
	for i, v := range x.ticks {
		text := label(v)
		if i == len(x.ticks)-1 && free > 0 {
			text += " " + unit
		}
		n := utf8.RuneCountInString(text)
		at := int(math.Round(x.at(v)*float64(columns-1))) - n/2
		at = max(0, min(at, columns-n))
		if at < free || n > columns {
			continue
		}
		copy(line[at:], []rune(text))
		free = at + n + 1
	}
	return strings.TrimRight(string(line), " ")
}
