package main

import (
	"testing"
	"testing/synctest"
)

func TestShow(t *testing.T) {
	for _, tt := range []struct {
		name  string
		width int
		args  []string
	}{
		{"show", 0, []string{"show", "inc-12"}},
		{"show-narrow", 90, []string{"show", "12"}},
		{"show-cleared", 0, []string{"show", "1"}},
		{"show-bare", 0, []string{"show", "inc-7"}},
		{"show-json", 0, []string{"show", "inc-12", "--json"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newServer(t).incctl(t.Context(), nil, tt.width, tt.args...)
				p.want(t, 0, "")
				golden(t, tt.name, p.stdout.String())
			})
		})
	}
}

func TestShowUnknown(t *testing.T) {
	for _, tt := range []struct{ id, want string }{
		{"inc-13", "incctl: there is no incident inc-13; did you mean inc-1, inc-12? incctl list --status all shows all\n"},
		{"something-else", "incctl: there is no incident something-else; incctl list --status all shows those there are\n"},
	} {
		synctest.Test(t, func(t *testing.T) {
			newServer(t).incctl(t.Context(), nil, 0, "show", tt.id).want(t, 1, tt.want)
		})
	}
}

func TestColours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		list := decodeIncidents(wrapData(t))
		var b buffer
		s := screen{w: &b, width: 100, colour: true}
		if err := s.incidents(list); err != nil {
			t.Fatal(err)
		}
		if err := s.incident(&list[1]); err != nil {
			t.Fatal(err)
		}
		golden(t, "colours", b.String())
	})
}
