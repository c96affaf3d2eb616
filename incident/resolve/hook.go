package resolve

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"incidentd/yang/xmltext"
)

// mostOutput is how much of what a program writes is kept, in bytes: the end of it.
const mostOutput = 4096

// environment is that of programs.
var environment = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}

// hookCure is a program, and the one that leads back.
type hookCure struct {
	dir           string
	command, back *Command
	output        func(string) // is told what they write
}

// prepare looks whether both can be run.
func (h *hookCure) prepare(context.Context) error {
	for _, c := range []*Command{h.command, h.back} {
		if c == nil {
			continue
		}
		if _, err := h.executable(c); err != nil {
			return err
		}
	}
	return nil
}

func (h *hookCure) apply(ctx context.Context) error { return h.run(ctx, h.command) }

// confirm has nothing to do: what the program has done stays.
func (h *hookCure) confirm(context.Context) error { return nil }

// errNoWayBack is that of a program without one that takes its work back.
var errNoWayBack = errors.New("no roll-back is configured: whatever the program has done holds")

func (h *hookCure) rollBack(ctx context.Context) (string, error) {
	if h.back == nil {
		return "", errNoWayBack
	}
	return "the program " + h.back.Program + " has taken it back", h.run(ctx, h.back)
}

func (h *hookCure) close() {}

// executable finds the file of a program: one that nobody but the server's user or root can
// have put there, or can change.
func (h *hookCure) executable(c *Command) (string, error) {
	bad := func(format string, args ...any) (string, error) {
		return "", fmt.Errorf("the program %s: %w", c.Program, fmt.Errorf(format, args...))
	}
	path := filepath.Join(h.dir, c.Program)
	for _, file := range []string{h.dir, path} {
		info, err := os.Stat(file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return bad("the data directory has no file hooks/%s", c.Program)
		case err != nil:
			return bad("%w", errors.Unwrap(err))
		}
		owner := info.Sys().(*syscall.Stat_t).Uid
		switch mode := info.Mode(); {
		case mode.Perm()&0o022 != 0:
			return bad("others than its owner may write to hooks/%s, its mode is %04o", strings.TrimPrefix(file[len(h.dir):], "/"), mode.Perm())
		case owner != 0 && int(owner) != os.Geteuid():
			return bad("hooks/%s belongs to another user", strings.TrimPrefix(file[len(h.dir):], "/"))
		case file == path && (!mode.IsRegular() || mode.Perm()&0o100 == 0):
			return bad("hooks/%s is no program; chmod 700 makes a file one", c.Program)
		}
	}
	if _, err := credential(c.User); err != nil {
		return bad("%w", err)
	}
	return path, nil
}

// credential are the rights of a user; nil for those of the server.
func credential(name string) (*syscall.Credential, error) {
	if name == "" {
		return nil, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("the system has no user %q", name)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	switch {
	case err != nil || err2 != nil:
		return nil, fmt.Errorf("the user %q has the id %s:%s, which is none here", name, u.Uid, u.Gid)
	case int(uid) == os.Geteuid():
		return nil, nil
	case os.Geteuid() != 0:
		return nil, fmt.Errorf("it is to have the rights of the user %q, which only a server that runs as root can give", name)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// run runs a program to its end, or kills it and all that it began.
func (h *hookCure) run(ctx context.Context, c *Command) error {
	path, err := h.executable(c)
	if err != nil {
		return err
	}
	rights, err := credential(c.User)
	if err != nil {
		return err
	}
	late := fmt.Errorf("it did not end within %s and was killed", c.Timeout)
	ctx, cancel := context.WithTimeoutCause(ctx, c.Timeout, late)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, c.Arguments...)
	cmd.Env, cmd.Dir = environment, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: rights}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	var out tail
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what it has left behind holds its output open
	}
	if text := out.text(); text != "" {
		h.output(c.Program + ":\n" + text)
	}
	var exit *exec.ExitError
	switch {
	case err == nil || errors.Is(err, exec.ErrWaitDelay):
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("the program %s: %w", c.Program, context.Cause(ctx))
	case errors.As(err, &exit) && exit.Exited():
		return fmt.Errorf("the program %s ended with status %d%s", c.Program, exit.ExitCode(), last(out.text()))
	case errors.As(err, &exit):
		return fmt.Errorf("the program %s was ended by a signal: %s", c.Program, exit.ProcessState)
	}
	return fmt.Errorf("the program %s cannot be run: %w", c.Program, errors.Unwrap(err))
}

// last is the last line of an output, as the end of a message.
func last(text string) string {
	text = strings.TrimSpace(text)
	if line := text[strings.LastIndexByte(text, '\n')+1:]; line != "" {
		return ": " + line
	}
	return ""
}

// tail keeps the end of what is written to it.
type tail struct {
	kept    []byte
	omitted int
}

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	t.kept = append(t.kept, b...)
	if over := len(t.kept) - mostOutput; over > 0 {
		t.omitted += over
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(b), nil
}

// text is what was kept, as a leaf can hold it.
func (t *tail) text() string {
	b := t.kept
	for t.omitted > 0 && len(b) > 0 && !utf8.RuneStart(b[0]) {
		b = b[1:]
	}
	s := strings.Map(func(r rune) rune {
		if r != utf8.RuneError && !xmltext.IsChar(r) {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(string(b), "\uFFFD"))
	if t.omitted > 0 {
		s = fmt.Sprintf("[%d bytes before]\n", t.omitted) + s
	}
	return s
}
