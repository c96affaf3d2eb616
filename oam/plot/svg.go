package plot

import (
	"fmt"
	"html"
	"strings"
)

// The room around the plot of an SVG, for the marks of its axes.
const (
	left, right, above, below = 44.0, 10.0, 16.0, 30.0
	lossHeight                = 24.0
	charWidth                 = 5.6 // of the labels
)

// SVG draws the chart as an element svg of a size in pixels, to stand in a page. Colours are
// classes that the page defines: axis, grid, band, mean, bound, loss; name is for those who
// cannot see it. Nothing is drawn of an empty chart.
func (c *Chart) SVG(name string, width, height int) string {
	if c.Empty() {
		return ""
	}
	d := drawing{chart: c, width: float64(width), height: float64(height)}
	d.y, d.unit = c.delays(5)
	d.x, d.seconds, d.label = c.times(6)
	fmt.Fprintf(&d.b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s">`, width, height, html.EscapeString(name))
	d.axes()
	d.losses()
	d.delays()
	d.bound()
	d.b.WriteString(`</svg>`)
	return d.b.String()
}

// drawing is a chart on its way to SVG.
type drawing struct {
	b             strings.Builder
	chart         *Chart
	width, height float64
	x, y          axis
	unit          delayUnit
	seconds       string
	label         func(float64) string
}

func (d *drawing) atX(v float64) float64 { return left + d.x.at(v)*(d.width-left-right) }

func (d *drawing) atY(v float64) float64 {
	return d.height - below - d.y.at(v)*(d.height-above-below)
}

func (d *drawing) text(class, anchor string, x, y float64, text string) {
	fmt.Fprintf(&d.b, `<text class="%s" text-anchor="%s" x="%.1f" y="%.1f">%s</text>`, class, anchor, x, y, html.EscapeString(text))
}

func (d *drawing) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(&d.b, `<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, class, x1, y1, x2, y2)
}

func (d *drawing) axes() {
	value, bottom := number(d.y), d.height-below
	for _, v := range d.y.ticks {
		d.line("grid", left, d.atY(v), d.width-right, d.atY(v))
		d.text("axis", "end", left-5, d.atY(v)+3, value(v))
	}
	d.text("axis unit", "start", 4, 9, d.unit.name)
	free := 0.0 // right of the last label
	for _, v := range d.x.ticks {
		text := d.label(v)
		x, half := d.atX(v), float64(len([]rune(text)))*charWidth/2
		d.line("grid", x, bottom, x, bottom+3)
		if middle := min(x, d.width-half); middle-half > free {
			d.text("axis", "middle", middle, bottom+14, text)
			free = middle + half + charWidth
		}
	}
	d.line("base", left, bottom, d.width-right, bottom)
	what := "time, " + d.seconds
	d.text("axis unit", "middle", left+(d.width-left-right)/2, d.height-4, what)
}

// losses are bars that stand on the axis, as high as what was lost.
func (d *drawing) losses() {
	n := len(d.chart.Points)
	width := max(2, min(10, 0.8*(d.width-left-right)/float64(n)))
	for _, p := range d.chart.Points {
		if p.Loss > 0 {
			h := max(5, p.Loss*lossHeight)
			fmt.Fprintf(&d.b, `<rect class="loss" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, d.atX(p.X)-width/2, d.height-below-h, width, h)
		}
	}
}

// delays are the mean as a line, over the range as an area. Both have a gap where nothing was
// answered.
func (d *drawing) delays() {
	for _, part := range d.chart.parts() {
		spread := false
		var band, mean strings.Builder
		for i, p := range part {
			command := 'L'
			if i == 0 {
				command = 'M'
			}
			spread = spread || p.High > p.Low
			fmt.Fprintf(&band, "%c%.1f %.1f", command, d.atX(p.X), d.atY(float64(p.High)/d.unit.size))
			fmt.Fprintf(&mean, "%c%.1f %.1f", command, d.atX(p.X), d.atY(float64(p.Mean)/d.unit.size))
		}
		for i := len(part) - 1; i >= 0; i-- {
			fmt.Fprintf(&band, "L%.1f %.1f", d.atX(part[i].X), d.atY(float64(part[i].Low)/d.unit.size))
		}
		if spread {
			fmt.Fprintf(&d.b, `<path class="band" d="%sZ"/>`, &band)
		}
		if len(part) == 1 || len(d.chart.Points) <= 40 {
			for _, p := range part {
				fmt.Fprintf(&d.b, `<circle class="dot" cx="%.1f" cy="%.1f" r="1.8"/>`, d.atX(p.X), d.atY(float64(p.Mean)/d.unit.size))
			}
		}
		if len(part) > 1 {
			fmt.Fprintf(&d.b, `<path class="mean" d="%s"/>`, &mean)
		}
	}
}

// parts are the points in a row that have delays.
func (c *Chart) parts() (list [][]Point) {
	begin := -1
	for i, p := range c.Points {
		switch {
		case p.Answered && begin < 0:
			begin = i
		case !p.Answered && begin >= 0:
			list, begin = append(list, c.Points[begin:i]), -1
		}
	}
	if begin >= 0 {
		list = append(list, c.Points[begin:])
	}
	return list
}

func (d *drawing) bound() {
	v := float64(d.chart.Bound) / d.unit.size
	if v <= 0 || v < d.y.low || v > d.y.high {
		return
	}
	d.line("bound", left, d.atY(v), d.width-right, d.atY(v))
	d.text("bound-name", "end", d.width-right, d.atY(v)-3, "limit")
}
