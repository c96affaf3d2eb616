package resolve

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// hooks makes a directory of programs.
func hooks(t *testing.T, programs map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "hooks")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range programs {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestHook(t *testing.T) {
	dir := hooks(t, map[string]string{
		"env":    "#!/bin/sh\nenv | grep -v '^PWD=\\|^SHLVL=\\|^_=\\|^OLDPWD=' | sort\n",
		"status": "#!/bin/sh\necho one\necho two >&2\nexit 7\n",
		"long":   "#!/bin/sh\ni=0\nwhile [ $i -lt 2000 ]; do echo 12345678; i=$((i+1)); done\necho end\n",
		"binary": "#!/bin/sh\nprintf 'a\\377\\001b'\n",
		"signal": "#!/bin/sh\nkill -9 $$\n",
		"script": "no shebang, and no program",
		"group":  "#!/bin/sh\n",
		"plain":  "#!/bin/sh\n",
	})
	if err := errors.Join(os.Chmod(filepath.Join(dir, "group"), 0o770), os.Chmod(filepath.Join(dir, "plain"), 0o600), os.Mkdir(filepath.Join(dir, "folder"), 0o700)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ program, user, output, fault string }{
		{"env", "", "LANG=C.UTF-8\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n", ""},
		{"status", "", "one\ntwo\n", "the program status ended with status 7: two"},
		{"long", "", "[13908 bytes before]\n", ""},
		{"binary", "", "a\uFFFD\uFFFDb", ""},
		{"signal", "", "", "the program signal was ended by a signal: signal: killed"},
		{"script", "", "", "the program script cannot be run: exec format error"},
		{"group", "", "", "others than its owner may write to hooks/group, its mode is 0770"},
		{"plain", "", "", "hooks/plain is no program"},
		{"folder", "", "", "hooks/folder is no program"},
		{"absent", "", "", "the data directory has no file hooks/absent"},
		{"env", "nobody-at-all", "", `the system has no user "nobody-at-all"`},
	} {
		t.Run(tt.program+tt.user, func(t *testing.T) {
			var output string
			h := &hookCure{dir: dir, command: &Command{Program: tt.program, Timeout: 10 * time.Second, User: tt.user}, output: func(s string) { output = s }}
			err := h.apply(t.Context())
			if (err == nil) != (tt.fault == "") || err != nil && !strings.Contains(err.Error(), tt.fault) {
				t.Errorf("the error is %v, want %q", err, tt.fault)
			}
			if got := strings.TrimPrefix(output, tt.program+":\n"); !strings.HasPrefix(got, tt.output) || len(got) > mostOutput+100 {
				t.Errorf("the output is %q, want %q", got, tt.output)
			}
			if tt.program == "long" && !strings.HasSuffix(output, "12345678\nend\n") {
				t.Errorf("the end of a long output is not there: %q", output[len(output)-40:])
			}
		})
	}
}

// A program that takes too long is killed with all that it has begun; so is one whose run is
// stopped.
func TestHookIsKilled(t *testing.T) {
	pids := filepath.Join(t.TempDir(), "pids")
	dir := hooks(t, map[string]string{"slow": "#!/bin/sh\nsleep 60 &\necho $! $$ > " + pids + "\nwait\n"})
	h := &hookCure{dir: dir, command: &Command{Program: "slow", Timeout: 300 * time.Millisecond}, output: func(string) {}}
	begun := time.Now()
	err := h.apply(t.Context())
	if err == nil || !strings.Contains(err.Error(), "it did not end within 300ms and was killed") || time.Since(begun) > 5*time.Second {
		t.Errorf("after %s: %v", time.Since(begun), err)
	}
	text, err := os.ReadFile(pids)
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range strings.Fields(string(text)) {
		for end := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
			stat, err := os.ReadFile("/proc/" + pid + "/stat")
			if err != nil || strings.Contains(string(stat), ") Z ") {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("the process %s lives on: %s", pid, stat)
			}
		}
	}
	ctx, stop := context.WithCancelCause(t.Context())
	h.command.Timeout = time.Minute
	stopped := errors.New("stopped")
	time.AfterFunc(50*time.Millisecond, func() { stop(stopped) })
	if err := h.apply(ctx); !errors.Is(err, stopped) {
		t.Errorf("a program that is stopped: %v", err)
	}
}

// A directory to which others may write is none.
func TestHookDirectory(t *testing.T) {
	dir := hooks(t, map[string]string{"x": "#!/bin/sh\n"})
	if err := os.Chmod(dir, 0o770); err != nil {
		t.Fatal(err)
	}
	h := &hookCure{dir: dir, command: &Command{Program: "x", Timeout: time.Second}, output: func(string) {}}
	if err := h.prepare(t.Context()); err == nil || !strings.Contains(err.Error(), "others than its owner may write to hooks/") {
		t.Errorf("prepare = %v", err)
	}
}
