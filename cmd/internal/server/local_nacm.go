package server

import (
	"context"
	"slices"

	"incidentd/datastore"
	"incidentd/netconf/nacm"
	"incidentd/yang/data"
)

// Access says how access is controlled.
type Access struct {
	Enabled      bool       `json:"enabled"`
	ReadDefault  string     `json:"read-default"`
	WriteDefault string     `json:"write-default"`
	ExecDefault  string     `json:"exec-default"`
	Groups       []Group    `json:"groups"`
	RuleLists    []RuleList `json:"rule-lists"`
}

// Group is a group of users.
type Group struct {
	Name  string   `json:"name"`
	Users []string `json:"users"`
}

// RuleList is a list of rules, each as one line.
type RuleList struct {
	Name   string   `json:"name"`
	Groups []string `json:"groups"`
	Rules  []string `json:"rules"`
}

// SetAccess switches access control on or off in a data directory, whether a server runs
// on it or not. It is the recovery session of RFC 8341 section 2.2: no rule binds it.
func SetAccess(path string, enabled bool) (Access, error) {
	name := "nacm-disable"
	if enabled {
		name = "nacm-enable"
	}
	return onStore[Access](path, name, struct{}{})
}

// GrantsNothing reports whether no rule-list is for a group.
func (a Access) GrantsNothing(group string) bool {
	return !slices.ContainsFunc(a.RuleLists, func(l RuleList) bool { return slices.Contains(l.Groups, group) })
}

// ShowAccess returns how access is controlled.
func ShowAccess(path string) (Access, error) {
	return onStore[Access](path, "nacm-show", struct{}{})
}

// switchNACM makes the local commands nacm-enable and nacm-disable.
func switchNACM(enabled bool) func(context.Context, *store, struct{}) (Access, error) {
	comment := "nacm disable"
	if enabled {
		comment = "nacm enable"
	}
	return func(ctx context.Context, s *store, none struct{}) (Access, error) {
		err := s.data.Update(ctx, func(tx *datastore.Tx) error {
			tx.By(byLocal(comment))
			b := data.Build(tx.Running().Schema())
			b.Container("nacm").Bool("enable-nacm", enabled)
			next, err := data.Apply(tx.Running(), b.Node(), data.MergeOp)
			if err == nil {
				tx.SetRunning(next)
			}
			return err
		})
		if err != nil {
			return Access{}, err
		}
		return showNACM(ctx, s, none)
	}
}

// showNACM is the local command nacm-show.
func showNACM(_ context.Context, s *store, _ struct{}) (Access, error) {
	n := s.data.Snapshot().Running.Child("nacm")
	leaf := func(name, otherwise string) string {
		if v := n.Leaf(name); v != "" {
			return v
		}
		return otherwise
	}
	a := Access{Enabled: leaf("enable-nacm", "true") == "true", ReadDefault: leaf("read-default", "permit"), WriteDefault: leaf("write-default", "deny"),
		ExecDefault: leaf("exec-default", "permit"), Groups: []Group{}, RuleLists: []RuleList{}}
	for g := range n.Child("groups").Entries("group") {
		a.Groups = append(a.Groups, Group{g.Leaf("name"), append([]string{}, g.Values("user-name")...)})
	}
	for l := range n.Entries("rule-list") {
		list := RuleList{l.Leaf("name"), append([]string{}, l.Values("group")...), []string{}}
		for r := range l.Entries("rule") {
			list.Rules = append(list.Rules, nacm.RuleText(r))
		}
		a.RuleLists = append(a.RuleLists, list)
	}
	return a, nil
}
