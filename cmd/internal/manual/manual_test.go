package manual

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWriteRoff(t *testing.T) {
	p := Page{
		Name: "prog", Section: 1, Summary: "does it", Synopsis: []string{"[-x] FILE"},
		Description: "First\nparagraph.\n\n.second one:\n\n  prog -x \\a\n  'b\n\nThe end.",
		Commands:    []Command{{Usage: `say "it"`, Text: "Says it.", Options: []Option{{"--loud", "Loudly."}}}},
		More:        []Section{{"SEE ALSO", "man(1)"}},
	}
	var b bytes.Buffer
	if err := p.WriteRoff(&b, "1.0", time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	want := `.TH "PROG" 1 "1970-01-01" "incidentd 1.0"
.SH NAME
prog \- does it
.SH SYNOPSIS
.B prog
[\-x] FILE
.br
.SH DESCRIPTION
.PP
First
paragraph.
.PP
\&.second one:
.PP
.RS 4
.nf
prog \-x \ea
\&'b
.fi
.RE
.PP
The end.
.SH COMMANDS
.SS "prog say \(dqit\(dq"
.PP
Says it.
.TP
.B \-\-loud
Loudly.
.SH "SEE ALSO"
.PP
man(1)
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("the page (-want +got):\n%s", diff)
	}
}

// The shells themselves can read the scripts.
func TestCompletion(t *testing.T) {
	for _, shell := range Shells {
		if _, err := exec.LookPath(shell); err != nil {
			t.Logf("%s is not installed", shell)
			continue
		}
		cmd := exec.CommandContext(t.Context(), shell, "-n")
		cmd.Stdin = strings.NewReader(Completion(shell, "prog"))
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v, %s", shell, err, out)
		}
	}
}
