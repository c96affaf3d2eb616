package resolve

import (
	"fmt"
	"slices"
	"time"
)

// Plan is a procedure with the values of an incident: what a run does. It is stored with
// the run.
type Plan struct {
	Procedure string        `json:"procedure"`
	Within    time.Duration `json:"within"`

	Device    string `json:"device,omitempty"`
	DefaultOp string `json:"default-operation,omitempty"`
	Edit      string `json:"edit,omitempty"`

	Command  *Command `json:"command,omitempty"`
	RollBack *Command `json:"roll-back,omitempty"`
}

// Command is a program with its arguments.
type Command struct {
	Program   string        `json:"program"`
	Arguments []string      `json:"arguments,omitempty"`
	Timeout   time.Duration `json:"timeout"`
	User      string        `json:"user,omitempty"`
}

// line is the program and its arguments.
func (c *Command) line() []string { return append([]string{c.Program}, c.Arguments...) }

// plan is what a procedure does for an incident. The error says why it can do nothing.
func (p *procedure) plan(c *config, f *facts) (*Plan, error) {
	out := &Plan{Procedure: p.name, Within: p.within}
	if p.hook != nil {
		var err error
		if out.Command, err = p.hook.fill(f); err == nil && p.back != nil {
			out.RollBack, err = p.back.fill(f)
		}
		return out, err
	}
	out.Device, out.DefaultOp = p.device, p.defaultOp
	if out.Device == "" {
		out.Device = f.node
	}
	if c.devices[out.Device] == nil {
		return nil, fmt.Errorf("there is no device %q to configure", out.Device)
	}
	if name := p.edit.lacking(f); name != "" {
		return nil, fmt.Errorf("the incident has no %s", name)
	}
	out.Edit = p.edit.xml(f)
	return out, nil
}

// fill puts the values of an incident in.
func (c *command) fill(f *facts) (*Command, error) {
	out := &Command{Program: c.program, Timeout: c.timeout, User: c.user}
	for _, t := range c.arguments {
		if name := t.lacking(f); name != "" {
			return nil, fmt.Errorf("the incident has no %s", name)
		}
		a, err := t.argument(f)
		if err != nil {
			return nil, err
		}
		out.Arguments = append(out.Arguments, a)
	}
	return out, nil
}

// unfit is a procedure that would match an incident and is not taken, and why.
type unfit struct{ procedure, why string }

// choose is what is to be done for an incident: nil if no procedure fits. Those in tried
// were carried out for it and have not helped.
func (c *config) choose(f *facts, tried []string) (*Plan, []unfit) {
	var not []unfit
	for _, p := range c.procedures {
		if !p.enabled || !p.match.fits(f) {
			continue
		}
		if slices.Contains(tried, p.name) {
			not = append(not, unfit{p.name, "it was tried for this incident and has not helped"})
			continue
		}
		plan, err := p.plan(c, f)
		switch {
		case err != nil:
			not = append(not, unfit{p.name, err.Error()})
		case !c.enabled:
			not = append(not, unfit{p.name, "procedures are not carried out: /resolution/enabled is false"})
		default:
			return plan, not
		}
	}
	return nil, not
}
