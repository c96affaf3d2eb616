package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/pprof"
	"runtime/trace"
	"slices"
	"strings"
	"time"
)

// MaxProfileTime is the longest that a profile may be taken for.
const MaxProfileTime = 10 * time.Minute

// ErrNotRunning says that no server uses a data directory.
var ErrNotRunning = errors.New("no server runs on it")

// profileRequest asks for a profile.
type profileRequest struct {
	Kind string
	For  time.Duration
}

// takenFor are the kinds of profiles that are taken for a time.
var takenFor = map[string]struct {
	start func(io.Writer) error
	stop  func()
}{
	"cpu":   {pprof.StartCPUProfile, pprof.StopCPUProfile},
	"trace": {trace.Start, trace.Stop},
}

// ProfileKinds names the profiles that there are, and reports of each whether it is taken
// for a time.
func ProfileKinds() (kinds []string, timed func(string) bool) {
	kinds = []string{"cpu", "trace", "heap", "allocs", "goroutine", "threadcreate"}
	return kinds, func(kind string) bool { _, ok := takenFor[kind]; return ok }
}

// Profile has the server that runs on a data directory write one of ProfileKinds, as go
// tool pprof reads it, or go tool trace. One that is taken for a time blocks that long. Errors
// are those of Check, ErrNotRunning, and what the server says.
func Profile(path, kind string, d time.Duration, w io.Writer) error {
	if kinds, _ := ProfileKinds(); !slices.Contains(kinds, kind) {
		return fmt.Errorf("there is no profile %q; there are %s", kind, strings.Join(kinds, ", "))
	}
	dir, err := openDirectory(path)
	if err == nil {
		return errors.Join(ErrNotRunning, dir.close())
	}
	if !errors.Is(err, ErrInUse) {
		return err
	}
	line, err2 := json.Marshal(profileRequest{kind, d})
	if err2 != nil {
		return err2
	}
	return askPieces(path, controlProfile+string(line)+"\n", w, err)
}

// writeProfile answers a profileRequest.
func writeProfile(ctx context.Context, request []byte, w io.Writer) error {
	var r profileRequest
	if err := json.Unmarshal(request, &r); err != nil {
		return fmt.Errorf("the command cannot be read: %w", err)
	}
	if taken, ok := takenFor[r.Kind]; ok {
		if r.For <= 0 || r.For > MaxProfileTime {
			return fmt.Errorf("a profile is taken for at most %s, not for %s", MaxProfileTime, r.For)
		}
		if err := taken.start(w); err != nil { // one is under way
			return err
		}
		defer taken.stop()
		select {
		case <-ctx.Done():
		case <-time.After(r.For):
		}
		return nil
	}
	p := pprof.Lookup(r.Kind)
	if p == nil {
		return fmt.Errorf("there is no profile %q", r.Kind)
	}
	return p.WriteTo(w, 0)
}
