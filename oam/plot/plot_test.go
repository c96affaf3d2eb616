package plot

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const ms = time.Millisecond

// charts are those of the golden files.
func charts() map[string]*Chart {
	wave := &Chart{Bound: 14 * ms}
	for i := range 60 {
		d := 10*ms + time.Duration(3*math.Sin(float64(i)/6)*float64(ms))
		p := Point{X: float64(i) / 10, Low: d - ms/2, Mean: d, High: d + ms, Answered: true}
		switch i {
		case 20, 21:
			p = Point{X: p.X, Loss: 1}
		case 40:
			p.Loss = 0.25
		}
		wave.Points = append(wave.Points, p)
	}
	few := &Chart{}
	for i, d := range []time.Duration{120, 118, 131, 119, 122} {
		d *= time.Microsecond
		few.Points = append(few.Points, Point{X: float64(i), Low: d, Mean: d, High: d, Answered: true})
	}
	lost := &Chart{Points: []Point{{X: 0, Loss: 1}, {X: 1, Loss: 1}, {X: 2, Loss: 0.5}}}
	days := &Chart{Moments: true}
	for i := range 32 {
		d := time.Duration(20+i%5) * ms
		days.Points = append(days.Points, Point{X: float64(1767225600 + 3600*i), Low: d - 2*ms, Mean: d, High: d + 3*ms, Answered: true})
	}
	one := &Chart{Points: []Point{{Low: ms, Mean: ms, High: ms, Answered: true}}}
	return map[string]*Chart{"wave": wave, "few": few, "lost": lost, "days": days, "one": one}
}

func TestText(t *testing.T) {
	for name, c := range charts() {
		var all strings.Builder
		for _, size := range []struct {
			width int
			ink   Ink
		}{{80, Braille}, {40, Braille}, {80, ASCII}} {
			text := c.Text(size.width, 8, size.ink)
			all.WriteString(text + "\n")
			for line := range strings.Lines(text) {
				if n := utf8.RuneCountInString(line) - 1; n > size.width {
					t.Errorf("%s: a line of %d characters in a width of %d: %s", name, n, size.width, line)
				}
				if size.ink == ASCII && strings.ContainsFunc(line, func(r rune) bool { return r > 0x7e }) {
					t.Errorf("%s: a line is not ASCII: %s", name, line)
				}
			}
		}
		golden(t, name+".txt", all.String())
	}
}

func TestSVG(t *testing.T) {
	for name, c := range charts() {
		got := c.SVG("delay of <a & b>", 360, 160)
		d := xml.NewDecoder(strings.NewReader(got))
		for {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v\n%s", name, err, got)
			}
		}
		golden(t, name+".svg", strings.ReplaceAll(got, "><", ">\n<")+"\n")
	}
}

func TestEmpty(t *testing.T) {
	for _, c := range []*Chart{{}, {Points: []Point{{X: 1}}}} {
		if !c.Empty() || c.SVG("", 100, 100) != "" || c.Text(80, 8, Braille) != "" {
			t.Errorf("%v is drawn", c)
		}
	}
}

// Whatever is to be drawn fits.
func FuzzText(f *testing.F) {
	f.Add(80, 8, 0.0, 1.0, int64(1), int64(5), false)
	f.Add(0, 0, 1.7e9, 1e-9, int64(0), int64(0), true)
	f.Fuzz(func(t *testing.T, width, height int, x, step float64, low, more int64, moments bool) {
		if width > 500 || height > 100 || math.IsNaN(x) || math.Abs(x) > 1e11 || !(step > 0) || step > 1e9 || low < 0 || more < 0 || low > 1e15 || more > 1e15 {
			t.Skip()
		}
		c := &Chart{Moments: moments}
		for i := range 5 {
			c.Points = append(c.Points, Point{X: x + float64(i)*step, Low: time.Duration(low), Mean: time.Duration(low), High: time.Duration(low + more), Answered: i != 2, Loss: float64(i) / 4})
		}
		text := c.Text(width, height, Braille)
		for line := range strings.Lines(text) {
			if n := utf8.RuneCountInString(line) - 1; n > max(width, 60) {
				t.Errorf("a line of %d characters in a width of %d", n, width)
			}
		}
		if n := strings.Count(text, "\n"); n > max(height, leastHeight)+4 {
			t.Errorf("%d lines for a height of %d", n, height)
		}
	})
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", name, d)
	}
}
