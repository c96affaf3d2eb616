package lineedit

import (
	"os"
	"regexp"
	"time"

	"golang.org/x/term"
)

// patience is how long a terminal has to say where its cursor is. One that is slower is
// taken for one that never says it.
const patience = time.Second

var cursorReport = regexp.MustCompile(`\x1b\[\d+;\d+R`)

// silent reports whether the terminal does not say where its cursor is (DSR 6) when it is
// asked. The library would wait for the answer for ever. What was typed meanwhile is
// returned. A terminal that cannot be asked in this way is not silent.
func silent() (bool, []byte) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return false, nil
	}
	defer tty.Close()
	if err := tty.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return false, nil
	}
	restore, err := raw(tty)
	if err != nil {
		return false, nil
	}
	defer restore()
	if _, err := tty.WriteString("\x1b[6n"); err != nil {
		return false, nil
	}
	var typed []byte
	for buf := make([]byte, 256); ; {
		n, err := tty.Read(buf)
		typed = append(typed, buf[:n]...)
		if at := cursorReport.FindIndex(typed); at != nil {
			return false, append(typed[:at[0]:at[0]], typed[at[1]:]...)
		}
		if err != nil {
			return true, typed
		}
	}
}

// raw makes the terminal hand over each key. It takes care not to call Fd, which would
// make the file one without deadlines.
func raw(tty *os.File) (restore func(), err error) {
	conn, err := tty.SyscallConn()
	if err != nil {
		return nil, err
	}
	var state *term.State
	if other := conn.Control(func(fd uintptr) { state, err = term.MakeRaw(int(fd)) }); other != nil {
		return nil, other
	}
	if err != nil {
		return nil, err
	}
	return func() {
		_ = conn.Control(func(fd uintptr) { _ = term.Restore(int(fd), state) }) // there is nobody left to tell
	}, nil
}
