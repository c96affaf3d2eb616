package app

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/oam"
	"incidentd/oam/oamtest"
)

// listen is a port of TCP and what comes of each connection to it: the error that its
// reader ends with.
func listen(t *testing.T) (port string, ends <-chan error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	c := make(chan error, 100)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, err = conn.Read(make([]byte, 1))
			conn.Close()
			c <- err
		}
	}()
	return portOf(l.Addr()), c
}

// closedPort is a port that nobody listens on.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return portOf(l.Addr())
}

func portOf(a net.Addr) string {
	return strconv.Itoa(int(netip.MustParseAddrPort(a.String()).Port()))
}

func TestConnect(t *testing.T) {
	port, ends := listen(t)
	got := oamtest.Run(t, Connect, oamtest.Params(t, "tcp-connect", "target", "127.0.0.1", "destination-port", port, "dscp", "10",
		"number-of-packets", "5", "interval", "2000", "thresholds/max-loss-ratio", "0"), "")
	if *got.Packets != (oam.Packets{Sent: 5, Received: 5}) || got.Errors.Lost != 0 || got.Verdict != oam.Pass {
		t.Errorf("%+v %+v, verdict %s", got.Packets, got.Errors, got.Verdict)
	}
	who := oam.UserTimestamps
	if runtime.GOOS == "linux" {
		who = oam.KernelTimestamps
	}
	if got.TwoWay.Min <= 0 || got.Quality.Timestamping != who {
		t.Errorf("delay %+v, quality %+v", got.TwoWay, got.Quality)
	}
	if diff := cmp.Diff([]oam.Response{{Code: "connected", Count: 5}}, got.Responses); diff != "" {
		t.Error(diff)
	}
	for range 5 {
		if err := <-ends; !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the far end sees %v, not a reset", err)
		}
	}
}

// Who refuses has lost, and the run does not wait for more of him.
func TestConnectRefused(t *testing.T) {
	began := time.Now()
	got := oamtest.Run(t, Connect, oamtest.Params(t, "tcp-connect", "target", "127.0.0.1", "destination-port", closedPort(t),
		"number-of-packets", "5", "interval", "2000", "session-timeout", "60000", "thresholds/max-loss-ratio", "50"), "")
	if *got.Packets != (oam.Packets{Sent: 5}) || got.Errors.Lost != 5 || got.Errors.LossBurst != 5 || got.Verdict != oam.Fail {
		t.Errorf("%+v %+v, verdict %s", got.Packets, got.Errors, got.Verdict)
	}
	if diff := cmp.Diff([]oam.Response{{Code: "refused", Count: 5}}, got.Responses); diff != "" {
		t.Error(diff)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("the run takes %s", took)
	}
}

// Attempts under way when a run is stopped are no losses; those whose time is over are.
func TestSilence(t *testing.T) {
	silent := func(ctx context.Context, _ int) (string, bool, time.Duration, error) {
		<-ctx.Done()
		return "", false, 0, ctx.Err()
	}
	p := oamtest.Params(t, "tcp-connect", "target", "127.0.0.1", "destination-port", "1", "number-of-packets", "3", "interval", "1000", "session-timeout", "20")
	test, err := Connect(p)
	if err != nil {
		t.Fatal(err)
	}
	c := test.(*connect)
	got, err := c.run(t.Context(), oamtest.Env(test, ""), silent)
	if err != nil {
		t.Fatal(err)
	}
	if got.Errors.Lost != 3 || !cmp.Equal(got.Responses, []oam.Response{{Code: "timeout", Count: 3}}) {
		t.Errorf("%+v %+v", got.Errors, got.Responses)
	}

	c.plan.Timeout = time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if got, err = c.run(ctx, oamtest.Env(test, ""), silent); err != nil {
		t.Fatal(err)
	}
	if got.Packets.Sent != 3 || got.Errors.Lost != 0 || got.Responses != nil {
		t.Errorf("stopped: %+v %+v %+v", got.Packets, got.Errors, got.Responses)
	}
}

func TestFaults(t *testing.T) {
	test, err := Connect(oamtest.Params(t, "tcp-connect", "target", "127.0.0.1", "destination-port", "1", "number-of-packets", "1"))
	if err != nil {
		t.Fatal(err)
	}
	env := oamtest.Env(test, "")
	denied := oam.Faultf(oam.TargetDenied, "denied")
	env.Permit = func(netip.Addr) error { return denied }
	if err := test.Check(t.Context(), env); err != denied {
		t.Errorf("Check of a denied target: %v", err)
	}
	if _, err := test.Run(t.Context(), env); err != denied {
		t.Errorf("Run to a denied target: %v", err)
	}
	_, err = test.(*connect).run(t.Context(), oamtest.Env(test, ""), func(context.Context, int) (string, bool, time.Duration, error) {
		return "", false, 0, local(syscall.EMFILE)
	})
	if f, ok := errors.AsType[*oam.Fault](err); !ok || f.Reason != oam.EngineFailure {
		t.Errorf("a host without files left: %v", err)
	}
}
