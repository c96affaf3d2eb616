package main

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// presets are sequences of tests by the kind of the service. Each begins with a comment: a
// line on the kind, and a table of the values that stand in it as ${NAME}, with their
// defaults: - has to be given, none leaves out each line with the value.
//
//go:embed presets/*.xml
var presets embed.FS

// preset is one of them.
type preset struct {
	Kind   string        `json:"kind"`
	Help   string        `json:"help"`
	Values []presetValue `json:"value"`

	text string
}

type presetValue struct {
	Name    string `json:"name"`
	Default string `json:"default,omitempty"`
	Must    bool   `json:"mandatory,omitempty"`
	Help    string `json:"help"`
}

// loadPresets reads those there are.
func loadPresets() (list []preset) {
	files, _ := fs.Glob(presets, "presets/*.xml") // the pattern is right
	for _, file := range files {
		text, _ := presets.ReadFile(file) // it is there
		comment, body, _ := strings.Cut(strings.TrimPrefix(string(text), "<!--\n"), "-->\n")
		help, table, _ := strings.Cut(comment, "\n\n")
		p := preset{Kind: strings.TrimSuffix(path.Base(file), ".xml"), Help: help, text: body}
		for line := range strings.Lines(table) {
			words := strings.Fields(line)
			v := presetValue{Name: words[0], Default: words[1], Help: strings.Join(words[2:], " ")}
			switch v.Default {
			case "-":
				v.Default, v.Must = "", true
			case "none":
				v.Default = ""
			}
			p.Values = append(p.Values, v)
		}
		list = append(list, p)
	}
	return list
}

var placeholder = regexp.MustCompile(`\$\{([a-z]+)\}`)

// fill is the configuration that a preset makes of values.
func (p *preset) fill(given map[string]string, now time.Time) (string, error) {
	values := map[string]string{}
	for _, v := range p.Values {
		value, ok := given[v.Name]
		switch {
		case !ok && v.Must:
			return "", fmt.Errorf("%s has to be given, such as %s=VALUE: %s", v.Name, v.Name, v.Help)
		case !ok:
			value = v.Default
		}
		if v.Name == "start" && value == "now" {
			value = now.UTC().Format(time.RFC3339)
		}
		values[v.Name] = value
	}
	for name := range given {
		if _, ok := values[name]; !ok {
			return "", fmt.Errorf("%s has no value %s; incctl oam preset %s --help-values tells those it has", p.Kind, name, p.Kind)
		}
	}
	var b strings.Builder
	for line := range strings.Lines(p.text) {
		m := placeholder.FindStringSubmatch(line)
		if m != nil && values[m[1]] == "" {
			continue
		}
		b.WriteString(placeholder.ReplaceAllStringFunc(line, func(s string) string { return xmlText.Replace(values[s[2:len(s)-1]]) }))
	}
	return b.String(), nil
}

type oamPresetCommand struct {
	Kind       string            `arg:"" optional:"" help:"The kind of service; without one, those there are."`
	Values     map[string]string `arg:"" optional:"" help:"Values of the preset." mapsep:"none"`
	HelpValues bool              `help:"Tell which values the preset has."`
}

// Help is shown by `incctl oam preset --help`.
func (*oamPresetCommand) Help() string {
	return `Prints a sequence of tests that shows whether a new service works, as configuration; its run yields the birth
certificate of the service. Change what does not fit, and keep it as a file for the next one.

  incctl oam preset
  incctl oam preset l3vpn --help-values
  incctl oam preset l3vpn name=birth-vpn42 service=vpn42 target=10.0.2.1 | incctl edit - --target running
  incctl oam certify birth-vpn42 --html vpn42.html`
}

// Run prints.
func (c *oamPresetCommand) Run(_ context.Context, a *app) error {
	all := loadPresets()
	if c.Kind == "" {
		if a.json {
			return a.writeJSON(all)
		}
		var rows [][]cell
		for _, p := range all {
			rows = append(rows, []cell{{p.Kind, bold}, {p.Help, plain}})
		}
		return a.screen().table("", []column{{title: "KIND"}, {title: "WHAT IT TESTS", give: true, least: 20}}, rows)
	}
	at := slices.IndexFunc(all, func(p preset) bool { return p.Kind == c.Kind })
	if at < 0 {
		return fmt.Errorf("there is no preset %s; incctl oam preset lists those there are", clean(c.Kind))
	}
	p := &all[at]
	if c.HelpValues {
		return p.describe(a)
	}
	text, err := p.fill(c.Values, time.Now())
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(a.stdout, text)
	return err
}

// describe shows the values of a preset.
func (p *preset) describe(a *app) error {
	if a.json {
		return a.writeJSON(p)
	}
	var rows [][]cell
	for _, v := range p.Values {
		standard := cell{v.Default, plain}
		if v.Must {
			standard = cell{"has to be given", yellow}
		}
		rows = append(rows, []cell{{v.Name, bold}, standard, {v.Help, plain}})
	}
	s := a.screen()
	if _, err := fmt.Fprintf(a.stdout, "%s\n\n", p.Help); err != nil {
		return err
	}
	return s.table("", []column{{title: "VALUE"}, {title: "DEFAULT"}, {title: "MEANING", give: true, least: 20}}, rows)
}
