package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// terminal is incctl at a terminal, and the person before it.
type terminal struct {
	t    *testing.T
	file *os.File
	got  chan []byte // closed when the program has ended
	seen string      // since the last thing that was typed
	all  strings.Builder
}

// at starts incctl at a terminal.
func (l *live) at(home string, args ...string) *terminal {
	l.t.Helper()
	// Nobody answers here when the editor asks for the position of the cursor, and most
	// tests need not wait until it has understood that.
	inputrc := filepath.Join(home, ".inputrc")
	if _, err := os.Stat(inputrc); err != nil {
		if err := os.WriteFile(inputrc, []byte("set cursor-position-probe off\n"), 0o600); err != nil {
			l.t.Fatal(err)
		}
	}
	cmd := exec.Command(os.Args[0], append(args, "--server", l.s.Addr().String())...)
	cmd.Env = []string{"INCCTL_MAIN=1", "INCCTL_PASSWORD=" + admin.Password, "HOME=" + home, "TERM=xterm", "INPUTRC=" + inputrc, "NO_COLOR=1", "EDITOR=" + os.Getenv("EDITOR")}
	file, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 40, Cols: 120})
	if err != nil {
		l.t.Fatal(err)
	}
	x := &terminal{t: l.t, file: file, got: make(chan []byte, 16)}
	go func() {
		defer close(x.got)
		for {
			b := make([]byte, 4096)
			n, err := file.Read(b)
			if err != nil {
				return
			}
			x.got <- b[:n]
		}
	}()
	l.t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		file.Close()
		for range x.got {
		}
	})
	return x
}

var controls = regexp.MustCompile(`\x1b\[[0-9;?]* ?[A-Za-z]|\x1b[=>]|\r`)

// expect waits until the screen has shown a text.
func (x *terminal) expect(text string) {
	x.t.Helper()
	late := time.After(20 * time.Second)
	for !strings.Contains(x.seen, text) {
		select {
		case b, ok := <-x.got:
			if !ok {
				x.t.Fatalf("the program has ended without %q; it has shown\n%s", text, x.seen)
			}
			x.all.Write(b)
			x.seen += controls.ReplaceAllString(string(b), "")
		case <-late:
			x.t.Fatalf("no %q; the terminal has shown\n%s", text, x.seen)
		}
	}
}

// ends waits for the end of the program.
func (x *terminal) ends() {
	x.t.Helper()
	late := time.After(20 * time.Second)
	for {
		select {
		case b, ok := <-x.got:
			if !ok {
				return
			}
			x.seen += string(b)
		case <-late:
			x.t.Fatalf("the program does not end; the terminal has shown\n%s", x.seen)
		}
	}
}

// types sends keys.
func (x *terminal) types(keys string) {
	x.t.Helper()
	x.seen = ""
	if _, err := x.file.WriteString(keys); err != nil {
		x.t.Fatal(err)
	}
}

func TestShellAtTerminal(t *testing.T) {
	l := newLive(t)
	home := t.TempDir()
	x := l.at(home, "shell")
	at := "admin@" + l.s.Addr().String()
	x.expect("/> ")
	x.types("cd /sys\t")
	x.expect("/system-capabilities/  -- The capabilities of the server")
	x.types("/au\t\r")
	x.expect("\n" + at + " /system/authentication> ")
	x.types("ls\r")
	x.expect("1 entry")
	x.types("cd user=ad\t\r")
	x.expect("\n" + at + " /system/authentication/user=admin> ")
	x.types("cd /system\r")
	x.expect("\n" + at + " /system> ")
	x.types("set hostname nms1\r")
	x.expect("\n" + at + " /system*> ")
	x.types("compa\t\r")
	x.expect("+   hostname nms1")
	x.types("set ho\tnms2\r") // a word that is complete is left
	x.expect("\n" + at + " /system*> ")
	x.types("compare\r")
	x.expect("+   hostname nms2")
	x.types("set hos\t nms3\r") // by a blank too
	x.expect("\n" + at + " /system*> ")
	x.types("compare\r")
	x.expect("+   hostname nms3")
	x.types("set authentication/user=noc/password $0$secret\r")
	x.expect("\n" + at + " /system*> ")
	x.types("\x04")
	x.expect("[s]tay? ")
	x.types("s\r")
	x.expect("\n" + at + " /system*> ")
	x.types("commit --confirmed 5m\r")
	x.expect("\n" + at + " /system (to be confirmed within 5m0s)> ")
	x.types("\x12comp") // Ctrl-R
	x.expect("compare")
	x.types("\r")
	x.expect("candidate is as running.")
	x.types("commit confirm\r")
	x.expect("\n" + at + " /system> ")
	x.types("watch on\r")
	x.expect("No open incidents.")
	x.types("frob\r")
	x.expect("help lists the commands.")
	x.types("exit\r")
	x.ends()

	// Of the program, built with -race. That the library prints above a line while it
	// begins to read another is a race of its own, which costs a redrawing at most.
	for _, race := range strings.Split(x.all.String(), "WARNING: DATA RACE")[1:] {
		if report, _, _ := strings.Cut(race, "=================="); !strings.Contains(report, "PrintTransientf") {
			t.Error(report)
		}
	}
	history, err := os.ReadFile(filepath.Join(home, ".config/incctl/history"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"cd /system/authentication/\n", "set hostname nms1\n", "commit confirm\n"} {
		if !bytes.Contains(history, []byte(want)) {
			t.Errorf("the history has no %q:\n%s", want, history)
		}
	}
	if bytes.Contains(history, []byte("secret")) {
		t.Errorf("the history holds a password:\n%s", history)
	}
	if info, err := os.Stat(filepath.Join(home, ".config/incctl/history")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the history's file: %v, %v", info.Mode(), err)
	}
}

// Without a terminal the shell is a script, which ends at the first failure.
// A terminal that does not say where its cursor is does not hold up the editor, nor is
// what was typed meanwhile lost.
func TestShellAtSilentTerminal(t *testing.T) {
	l := newLive(t)
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, ".inputrc"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	x := l.at(home, "shell")
	for !strings.Contains(x.all.String(), "\x1b[6n") {
		x.all.Write(<-x.got)
	}
	x.types("pw")
	x.expect("/> pw")
	x.types("d\r")
	x.expect("\n/")
	x.types("exit\r")
	x.ends()
}

// A terminal that answers is asked again for each line.
func TestShellAtAnsweringTerminal(t *testing.T) {
	l := newLive(t)
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, ".inputrc"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	x := l.at(home, "shell")
	for asked := 0; asked < 2; {
		b := <-x.got
		for range bytes.Count(b, []byte("\x1b[6n")) {
			asked++
			x.types("\x1b[3;1R")
		}
	}
}

func TestShellScript(t *testing.T) {
	l := newLive(t)
	p := l.run(`# a comment
cd /system
pwd
ls
set hostname "nms 1"
`, "shell")
	p2 := l.run(`cd /networks/network=ip
ls node
show node=P1
cd ..
pwd
cd
set /system/hostname nms1
compare
compare --json
show /system/hostname
show inc-77
`, "shell")
	p3 := l.run(`discard
lock
set /system/location Oslo
sessions
commit
unlock
help ls
help /system/location
help set
history -n 1
watch on
`, "shell")
	p4 := l.run("set /system/contact noc\nexit\nset /system/contact other\n", "shell")
	var b strings.Builder
	for _, p := range []*program{p, p2, p3, p4} {
		b.WriteString(p.stdout.String())
		fmt.Fprintf(&b, "! %s= %d\n\n", p.stderr.String(), p.status)
	}
	golden(t, "shell", steady(b.String()))
}
