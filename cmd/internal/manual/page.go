// Package manual makes what comes with a program from what the program knows about its
// commands: a page for man, and the scripts by which shells complete its command line.
package manual

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Page is the manual page of a program. Texts are plain: paragraphs stand apart by empty
// lines, and lines that begin with two blanks are examples, which stay as they are.
type Page struct {
	Name    string
	Section int    // 1 for users' commands, 8 for an administrator's
	Summary string // a few words, without a full stop
	// Synopsis are the forms of the command line, without the name.
	Synopsis    []string
	Description string
	Options     []Option
	Commands    []Command
	// More are sections of its own, such as FILES.
	More []Section
}

// Command is one that the program has.
type Command struct {
	// Usage is how it is called, without the program's name: "init [OPTIONS]".
	Usage   string
	Text    string
	Options []Option
}

// Option is a flag: how it is written, with its value, and what it does.
type Option struct{ Usage, Text string }

// Section is a headline and what stands below it.
type Section struct{ Title, Text string }

// WriteRoff writes the page as man reads it [man(7)].
func (p *Page) WriteRoff(w io.Writer, version string, at time.Time) error {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s %d %s %s\n", quoted(strings.ToUpper(p.Name)), p.Section, quoted(at.UTC().Format(time.DateOnly)), quoted("incidentd "+version))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", escaped(p.Name), escaped(p.Summary))
	b.WriteString(".SH SYNOPSIS\n")
	for _, s := range p.Synopsis {
		fmt.Fprintf(&b, ".B %s\n%s\n.br\n", escaped(p.Name), escaped(s))
	}
	b.WriteString(".SH DESCRIPTION\n")
	writeText(&b, p.Description)
	if len(p.Options) > 0 {
		b.WriteString(".SH OPTIONS\n")
		writeOptions(&b, p.Options)
	}
	if len(p.Commands) > 0 {
		b.WriteString(".SH COMMANDS\n")
		for _, c := range p.Commands {
			fmt.Fprintf(&b, ".SS %s\n", quoted(escaped(p.Name+" "+c.Usage)))
			writeText(&b, c.Text)
			writeOptions(&b, c.Options)
		}
	}
	for _, s := range p.More {
		fmt.Fprintf(&b, ".SH %s\n", quoted(escaped(s.Title)))
		writeText(&b, s.Text)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeOptions(b *strings.Builder, options []Option) {
	for _, o := range options {
		fmt.Fprintf(b, ".TP\n.B %s\n%s\n", escaped(o.Usage), escaped(o.Text))
	}
}

// writeText writes paragraphs and examples.
func writeText(b *strings.Builder, text string) {
	example := false
	end := func() {
		if example {
			b.WriteString(".fi\n.RE\n")
		}
		example = false
	}
	fresh := true // the next line begins a paragraph
	for line := range strings.Lines(strings.Trim(text, "\n")) {
		line = strings.TrimRight(line, "\n")
		switch {
		case line == "":
			end()
			fresh = true
			continue
		case strings.HasPrefix(line, "  "):
			if !example {
				b.WriteString(".PP\n.RS 4\n.nf\n")
			}
			example = true
			line = line[2:]
		default:
			end()
			if fresh {
				b.WriteString(".PP\n")
			}
		}
		fresh = false
		b.WriteString(escaped(line) + "\n")
	}
	end()
}

// escaped is text that roff prints as it stands.
func escaped(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}

// quoted is an argument of a macro.
func quoted(text string) string { return `"` + strings.ReplaceAll(text, `"`, `\(dq`) + `"` }

// OfHelp is the page of a program that says all in the text of its help, which stands there
// as it is.
func OfHelp(name, summary, help string) *Page {
	return &Page{Name: name, Section: 1, Summary: summary, Synopsis: []string{"..."},
		Description: "  " + strings.ReplaceAll(strings.TrimSpace(help), "\n", "\n  "),
		More:        []Section{{Title: "SEE ALSO", Text: "incidentd(8), incctl(1)"}}}
}
