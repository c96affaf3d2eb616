package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/beevik/etree"
)

const (
	nsMaintenance = "urn:incidentd:yang:maintenance"
)

type maintenanceCommand struct {
	List   listMaintenanceCommand   `cmd:"" default:"1" help:"List planned work."`
	Show   showMaintenanceCommand   `cmd:"" help:"Show one window, and what it has touched."`
	Add    addMaintenanceCommand    `cmd:"" help:"Plan work on an object."`
	End    endMaintenanceCommand    `cmd:"" help:"End a window before its time."`
	Remove removeMaintenanceCommand `cmd:"" help:"Forget a window."`
}

// windowState is a window as the server has it.
type windowState struct {
	Name        string            `json:"name"`
	Description string            `json:"description,omitempty"`
	Reference   string            `json:"reference,omitempty"`
	Contact     string            `json:"contact,omitempty"`
	Enabled     bool              `json:"enabled"`
	Objects     []worksite        `json:"object"`
	Active      bool              `json:"active"`
	Next        []string          `json:"next,omitempty"`
	Now         *windowOccurrence `json:"now,omitempty"`
	Last        *windowOccurrence `json:"last,omitempty"`
}

// worksite is an object of the network.
type worksite struct {
	Network  string `json:"network,omitempty"`
	Link     string `json:"link,omitempty"`
	Node     string `json:"node,omitempty"`
	Resource string `json:"resource,omitempty"`
}

// String is how an object is written.
func (p worksite) String() string {
	if p.Link != "" {
		return p.Network + " " + p.Link
	}
	return strings.TrimSpace(p.Node + " " + p.Resource)
}

// windowOccurrence is a window at a certain time.
type windowOccurrence struct {
	Began     string   `json:"began"`
	Until     string   `json:"until,omitempty"`
	Incidents []string `json:"incident,omitempty"`
	Shelved   string   `json:"alarms-shelved"`
	Ended     string   `json:"ended,omitempty"`
	EndedBy   string   `json:"ended-by,omitempty"`
	Left      []string `json:"left,omitempty"`
}

// windows reads all windows, or one.
func (s *session) windows(ctx context.Context, name string) ([]windowState, error) {
	top := etree.NewElement("maintenance")
	top.CreateAttr("xmlns", nsMaintenance)
	entry := top.CreateElement("window")
	if name != "" {
		entry.CreateElement("name").SetText(name)
	}
	data, err := s.get(ctx, top)
	if err != nil {
		return nil, err
	}
	list := []windowState{}
	for _, e := range data.FindElements("./maintenance/window") {
		text := func(leafName string) string { return leaf(e, nsMaintenance, leafName) }
		w := windowState{Name: text("name"), Description: text("description"), Reference: text("reference"), Contact: text("contact"), Enabled: text("enabled") != "false"}
		for _, o := range children(e, nsMaintenance, "object") {
			w.Objects = append(w.Objects, worksite{leaf(o, nsMaintenance, "network"), leaf(o, nsMaintenance, "link"), leaf(o, nsMaintenance, "node"), leaf(o, nsMaintenance, "resource")})
		}
		for _, st := range children(e, nsMaintenance, "state") {
			w.Active, w.Next = leaf(st, nsMaintenance, "active") == "true", leafList(st, nsMaintenance, "next")
			for _, o := range children(st, nsMaintenance, "now") {
				w.Now = decodeOccurrence(o)
			}
			for _, o := range children(st, nsMaintenance, "last") {
				w.Last = decodeOccurrence(o)
			}
		}
		list = append(list, w)
	}
	return list, nil
}

func decodeOccurrence(e *etree.Element) *windowOccurrence {
	text := func(name string) string { return leaf(e, nsMaintenance, name) }
	return &windowOccurrence{text("began"), text("until"), leafList(e, nsMaintenance, "incident"), text("alarms-shelved"), text("ended"), text("ended-by"), leafList(e, nsMaintenance, "left")}
}

// window reads one that has to be there.
func (s *session) window(ctx context.Context, name string) (*windowState, error) {
	list, err := s.windows(ctx, name)
	switch {
	case err != nil:
		return nil, err
	case len(list) == 0:
		return nil, fmt.Errorf("there is no window %s; incctl maintenance lists them", clean(name))
	}
	return &list[0], nil
}

type listMaintenanceCommand struct{}

// Run lists.
func (*listMaintenanceCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(ctx context.Context, s *session) error {
		list, err := s.windows(ctx, "")
		switch {
		case err != nil:
			return err
		case a.json:
			return a.writeJSON(list)
		case len(list) == 0:
			_, err := fmt.Fprintln(a.stdout, "No work is planned. incctl maintenance add --help shows how to plan some.")
			return err
		}
		return a.screen().windows(list)
	})
}

// standing is how a window stands, in a word.
func (w *windowState) standing() (string, style) {
	switch {
	case w.Active:
		return "active", yellow
	case !w.Enabled:
		return "disabled", dim
	case len(w.Next) > 0:
		return "planned", plain
	}
	return "over", dim
}

func (s screen) windows(list []windowState) error {
	var rows [][]cell
	for _, w := range list {
		word, look := w.standing()
		when := ""
		switch {
		case w.Now != nil && w.Now.Until != "":
			when = "until " + s.when(w.Now.Until)
		case len(w.Next) > 0:
			when = s.when(w.Next[0])
		case w.Last != nil:
			when = "ended " + s.when(w.Last.Ended)
		}
		var objects []string
		for _, o := range w.Objects {
			objects = append(objects, clean(o.String()))
		}
		rows = append(rows, []cell{{clean(w.Name), bold}, {word, look}, {when, plain}, {strings.Join(objects, ", "), plain}, {clean(strings.TrimSpace(w.Reference + " " + w.Description)), dim}})
	}
	return s.table("", []column{{title: "WINDOW"}, {title: "STATE"}, {title: "WHEN"}, {title: "OBJECTS", give: true, least: 12}, {title: "WHAT", give: true, least: 8}}, rows)
}

type showMaintenanceCommand struct {
	Name string `arg:"" help:"The window." complete:"window"`
}

// Help is shown by `incctl maintenance show --help`.
func (*showMaintenanceCommand) Help() string {
	return "Shows a window: its objects and what would go down with each, when it takes place, the incidents that it labels and the alarms that it has put aside."
}

// Run shows a window and what would go down with its objects.
func (c *showMaintenanceCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(ctx context.Context, s *session) error {
		w, err := s.window(ctx, c.Name)
		if err != nil {
			return err
		}
		if a.json {
			return a.writeJSON(w)
		}
		screen := a.screen()
		if err := screen.window(w); err != nil {
			return err
		}
		for _, o := range w.Objects {
			p, err := s.previewOf(ctx, o)
			if err != nil {
				return err
			}
			fmt.Fprintf(a.stdout, "\n%s\n", screen.paint("With "+clean(o.String()), bold))
			if err := screen.preview(p); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s screen) window(w *windowState) error {
	var b strings.Builder
	word, look := w.standing()
	fmt.Fprintf(&b, "%s  %s\n", s.paint(clean(w.Name), bold), s.paint(word, look))
	fact := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "  %-12s%s\n", name, clean(value))
		}
	}
	fact("What", w.Description)
	fact("Reference", w.Reference)
	fact("Contact", w.Contact)
	for _, t := range w.Next {
		fact("Next", s.whenLong(t))
	}
	occurrence := func(title string, o *windowOccurrence) {
		if o == nil {
			return
		}
		fmt.Fprintf(&b, "\n%s\n", s.paint(title, bold))
		fact("Began", s.whenLong(o.Began))
		if o.Ended != "" {
			by := ""
			if o.EndedBy != "" {
				by = ", by " + o.EndedBy
			}
			fact("Ended", s.whenLong(o.Ended)+by)
		} else if o.Until != "" {
			fact("Until", s.whenLong(o.Until))
		}
		fact("Incidents", strings.Join(o.Incidents, ", "))
		if o.Shelved != "0" {
			fact("Shelved", o.Shelved+" alarms")
		}
		fact("Left", strings.Join(o.Left, ", "))
	}
	occurrence("Now", w.Now)
	occurrence("Last time", w.Last)
	_, err := fmt.Fprint(s.w, b.String())
	return err
}

type addMaintenanceCommand struct {
	Name        string        `arg:"" help:"A name for the window."`
	Node        string        `arg:"" optional:"" help:"The node that is worked on." complete:"node"`
	Resource    string        `arg:"" optional:"" help:"A port or a line card of it."`
	Link        string        `help:"A link in place of a node." placeholder:"LINK"`
	Network     string        `help:"The network of the link." placeholder:"NETWORK"`
	Start       string        `help:"When it begins: a time, or from now on, such as 2h; at once if left out." placeholder:"TIME"`
	For         time.Duration `required:"" help:"How long it takes, such as 90m." placeholder:"DURATION"`
	Every       string        `enum:"once,daily,weekly,monthly,yearly" default:"once" help:"How often: once, daily, weekly, monthly or yearly."`
	Count       uint32        `help:"How many times, of one that repeats." placeholder:"N"`
	TimeZone    string        `help:"The zone whose clock one that repeats follows, such as Europe/Berlin." placeholder:"ZONE"`
	Description string        `short:"m" help:"What is done." placeholder:"TEXT"`
	Reference   string        `help:"A ticket or a change request." placeholder:"TEXT"`
	Contact     string        `help:"Whom to ask." placeholder:"TEXT"`
	NoShelve    bool          `help:"Leave the alarms in the list."`
}

// Help is shown by `incctl maintenance add --help`.
func (*addMaintenanceCommand) Help() string {
	return `Plans work on a node, a resource of one, or a link, and shows what would go down with it. Incidents whose cause it is open
no ticket while the window lasts, and their alarms are shelved. It is added to running; more than one object is a matter of incctl edit.

  incctl maintenance add new-card P1 eth1 --start "2026-12-01 01:00" --for 2h -m "New line card" --reference CHG-17
  incctl maintenance add night --network ip --link a-b --start 2026-12-01T01:00:00Z --for 1h --every weekly`
}

// Run makes the window and shows what it touches.
func (c *addMaintenanceCommand) Run(ctx context.Context, a *app) error {
	switch {
	case (c.Node == "") == (c.Link == ""):
		return fmt.Errorf("either a node or --link is needed; incctl maintenance add --help shows how it is used")
	case (c.Link == "") != (c.Network == ""):
		return fmt.Errorf("--link and --network belong together")
	case c.For < time.Second:
		return fmt.Errorf("--for %s is too short: a second is the least", c.For)
	case c.Every == "once" && c.Count > 0:
		return fmt.Errorf("--count is of a window that repeats: --every says how")
	}
	start := time.Now()
	if c.Start != "" {
		var err error
		if start, err = moment(c.Start, start, 1); err != nil {
			return err
		}
	}
	at := worksite{c.Network, c.Link, c.Node, c.Resource}
	return a.with(ctx, func(ctx context.Context, s *session) error {
		if _, err := s.call(ctx, c.edit(at, start)); err != nil {
			return err
		}
		if a.json {
			return a.done("", "window", c.Name)
		}
		fmt.Fprintf(a.stdout, "Planned %s: %s, from %s for %s.\n\n", clean(c.Name), clean(at.String()), start.Format("2006-01-02 15:04:05 MST"), c.For)
		p, err := s.previewOf(ctx, at)
		if err != nil {
			return err
		}
		return a.screen().preview(p)
	})
}

// edit is the edit-config that creates the window.
func (c *addMaintenanceCommand) edit(at worksite, start time.Time) *etree.Element {
	edit, w := editWindow("create", c.Name)
	add := func(name, value string) {
		if value != "" {
			w.CreateElement(name).SetText(value)
		}
	}
	add("description", c.Description)
	add("reference", c.Reference)
	add("contact", c.Contact)
	if c.NoShelve {
		add("shelve-alarms", "false")
	}
	o := w.CreateElement("object")
	o.CreateElement("name").SetText("object")
	for _, p := range [][2]string{{"network", at.Network}, {"link", at.Link}, {"node", at.Node}, {"resource", at.Resource}} {
		if p[1] != "" {
			o.CreateElement(p[0]).SetText(p[1])
		}
	}
	add("period-start", start.Truncate(time.Second).Format(time.RFC3339))
	add("time-zone-identifier", c.TimeZone)
	add("duration", scheduleDuration(c.For))
	if c.Every != "once" {
		f := w.CreateElement("frequency")
		f.CreateAttr("xmlns:sched", nsSchedule)
		f.SetText("sched:" + c.Every)
	}
	if c.Count > 0 {
		add("count", fmt.Sprint(c.Count))
	}
	return edit
}

// scheduleDuration writes a duration as ietf-schedule has it.
func scheduleDuration(d time.Duration) string {
	seconds := int64(d.Round(time.Second) / time.Second)
	clock := fmt.Sprintf("T%02d:%02d:%02d", seconds%86400/3600, seconds%3600/60, seconds%60)
	if days := seconds / 86400; days > 0 {
		return fmt.Sprintf("P%dD%s", days, clock)
	}
	return "P" + clock
}

// editWindow is an edit-config of running that does something with a window, and the
// window in it.
func editWindow(operation, name string) (edit, window *etree.Element) {
	const base = "urn:ietf:params:xml:ns:netconf:base:1.0"
	edit = etree.NewElement("edit-config")
	edit.CreateAttr("xmlns", base)
	edit.CreateElement("target").CreateElement("running")
	top := edit.CreateElement("config").CreateElement("maintenance")
	top.CreateAttr("xmlns", nsMaintenance)
	window = top.CreateElement("window")
	window.CreateAttr("xmlns:nc", base)
	window.CreateAttr("nc:operation", operation)
	window.CreateElement("name").SetText(name)
	return edit, window
}

type endMaintenanceCommand struct {
	Name string `arg:"" help:"The window." complete:"window"`
}

// Help is shown by `incctl maintenance end --help`.
func (*endMaintenanceCommand) Help() string {
	return "Ends a window before its time: the work is done. Its alarms are back in the list, and an incident that is not over is an ordinary one. A window that repeats takes place again as planned."
}

// Run ends a window.
func (c *endMaintenanceCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(ctx context.Context, s *session) error {
		top := etree.NewElement("maintenance")
		top.CreateAttr("xmlns", nsMaintenance)
		w := top.CreateElement("window")
		w.CreateElement("name").SetText(c.Name)
		w.CreateElement("end")
		if _, err := s.c.Action(ctx, marshal(top)); err != nil {
			return err
		}
		if a.json {
			return a.done("", "window", c.Name)
		}
		ended, err := s.window(ctx, c.Name)
		if err != nil {
			return err
		}
		left := "Nothing is left."
		if ended.Last != nil && len(ended.Last.Left) > 0 {
			left = "Not over: " + clean(strings.Join(ended.Last.Left, ", ")) + "."
		}
		return a.done(fmt.Sprintf("Ended %s. %s", clean(c.Name), left))
	})
}

type removeMaintenanceCommand struct {
	Name string `arg:"" help:"The window." complete:"window"`
}

// Run removes a window.
func (c *removeMaintenanceCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(ctx context.Context, s *session) error {
		if _, err := s.window(ctx, c.Name); err != nil {
			return err
		}
		edit, _ := editWindow("delete", c.Name)
		if _, err := s.call(ctx, edit); err != nil {
			return err
		}
		return a.done("Removed "+clean(c.Name)+".", "window", c.Name)
	})
}
