package plot

import "math"

// grid is a raster of dots, some in each character.
type grid struct {
	ink           Ink
	columns, rows int // characters
	across, down  int // dots of a character
	dots          []bool
	bars          []bool // behind the dots, where the ink tells both apart
}

func newGrid(columns, rows int, ink Ink) *grid {
	g := &grid{ink: ink, columns: columns, rows: rows, across: 2, down: 4}
	if ink == ASCII {
		g.across, g.down = 1, 1
	}
	g.dots = make([]bool, g.width()*g.height())
	g.bars = make([]bool, len(g.dots))
	return g
}

func (g *grid) width() int  { return g.columns * g.across }
func (g *grid) height() int { return g.rows * g.down }

// column is that of a part of the width.
func (g *grid) column(v float64) int { return clamp(v, g.width()) }

// row is that of a part of the height, counted from above.
func (g *grid) row(v float64) int { return clamp(1-v, g.height()) }

func clamp(v float64, size int) int {
	return max(0, min(size-1, int(math.Round(v*float64(size-1)))))
}

func (g *grid) dot(x, y int) { g.dots[y*g.width()+x] = true }

// bar marks a column from a row to another.
func (g *grid) bar(x, y1, y2 int) {
	for y := min(y1, y2); y <= max(y1, y2); y++ {
		g.bars[y*g.width()+x] = true
	}
}

// line joins two dots.
func (g *grid) line(x1, y1, x2, y2 int) {
	n := max(abs(x2-x1), abs(y2-y1))
	for i := 1; i < n; i++ {
		g.dot(x1+(x2-x1)*i/n, y1+(y2-y1)*i/n)
	}
}

func abs(v int) int { return max(v, -v) }

// weights are the bits of the dots of a Braille character, row by row [Unicode 8.8].
var weights = [4][2]rune{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}

// text is a row of characters.
func (g *grid) text(row int) string {
	line := make([]rune, g.columns)
	for c := range line {
		if g.ink == ASCII {
			line[c] = ' '
			switch at := row*g.width() + c; {
			case g.dots[at]:
				line[c] = '*'
			case g.bars[at]:
				line[c] = ':'
			}
			continue
		}
		for y, bits := range weights {
			for x, bit := range bits {
				// Every other dot of a bar is left out, so that the line before it is seen.
				if at := (row*4+y)*g.width() + c*2 + x; g.dots[at] || g.bars[at] && y%2 == 0 {
					line[c] |= bit
				}
			}
		}
		if line[c] == 0 {
			line[c] = ' '
		} else {
			line[c] += 0x2800
		}
	}
	return string(line)
}
