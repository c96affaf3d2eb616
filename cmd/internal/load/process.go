package load

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Processes are those of a server, with all their descendants: the process that serves,
// and where that is another, the SSH server in front of it.
type Processes []int

// Usage is what processes have used.
type Usage struct {
	CPU time.Duration // of them, and of their children that have ended
	RSS int64         // bytes that are resident now, files mapped into memory included
}

// Usage reads what they have used. It needs /proc. Without processes it is zero.
func (p Processes) Usage() (Usage, error) {
	var u Usage
	if len(p) == 0 {
		return u, nil
	}
	all, err := readProcesses()
	if err != nil {
		return u, err
	}
	for _, pid := range p {
		if _, ok := all[pid]; !ok {
			return u, fmt.Errorf("there is no process %d", pid)
		}
	}
	for pid, own := range all {
		for at := pid; at > 1; at = all[at].parent {
			if slices.Contains(p, at) {
				u.CPU += own.cpu
				u.RSS += own.rss
				break
			}
			if _, ok := all[at]; !ok {
				break
			}
		}
	}
	return u, nil
}

type process struct {
	parent int
	cpu    time.Duration
	rss    int64
}

// tick is in what /proc counts the time of processes, the same on every Linux of today.
const tick = 10 * time.Millisecond

func readProcesses() (map[int]process, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(files) == 0 {
		return nil, errors.Join(errors.New("CPU time and memory of processes need /proc"), err)
	}
	all := make(map[int]process)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		// The name is in parentheses and may hold any character.
		f := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if len(f) < 22 {
			return nil, fmt.Errorf("%s is of another form than expected", file)
		}
		number := func(field int) int64 { // numbered as in proc(5), from 1
			v, _ := strconv.ParseInt(f[field-3], 10, 64)
			return v
		}
		all[pid] = process{
			parent: int(number(4)),
			cpu:    time.Duration(number(14)+number(15)+number(16)+number(17)) * tick,
			rss:    number(24) * int64(os.Getpagesize()),
		}
	}
	return all, nil
}

// own is the CPU time of this process.
func own() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
