package app

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"incidentd/oam"
	"incidentd/oam/socket"
	"incidentd/oam/train"
)

const (
	// requestPackets are what a request takes: a question for the address, SYN, two of TLS,
	// the request, FIN, and two more where something is lost.
	requestPackets = 8
	// requestSize is the largest packet of them.
	requestSize = 1500

	largestHeader = 64 << 10
	// largestBody is how much of a body is read and timed.
	largestBody = 1 << 20
	// informational is how many answers may come before the final one [RFC 9110 section 15.2].
	informational = 5
)

// phases of a request, in the order of the enumeration of incidentd-oam-tests.
var phases = [...]string{"dns", "connect", "tls", "first-byte", "total"}

// timing is how long each phase of an attempt took; 0: it had none.
type timing struct {
	attempt int
	took    [len(phases)]time.Duration
	expires time.Time // of the server's certificates, the first one that does; zero: there is none
}

// request is a test of http-request.
type request struct {
	url      *url.URL
	port     uint16
	method   string
	expected int
	tls      *tls.Config // nil: plain
	dscp     uint8
	validity time.Duration // the least that is left of the certificates; 0: no bound
	attempts
}

// Request makes tests of http-request; it is an oam.Engine. Each request has a connection of
// its own, of HTTP/1.1 [RFC 9112], redirects are not followed, and proxies are not asked.
func Request(p oam.Params) (oam.Test, error) {
	u, err := url.Parse(p.String("url"))
	if err != nil {
		return nil, err
	}
	if u.Hostname() == "" {
		return nil, fmt.Errorf("the URL %s has no host", u.Redacted())
	}
	r := &request{
		url: u, port: 80, method: p.String("method"), expected: p.Int("expected-status"), dscp: uint8(p.Uint("dscp")),
		validity: p.In("thresholds").Duration("min-certificate-validity", 24*time.Hour),
		attempts: attempts{train.ReadPlan(p, requestSize), requestPackets},
	}
	if u.Scheme == "https" {
		r.port = 443
		r.tls = &tls.Config{ServerName: u.Hostname(), InsecureSkipVerify: !p.Bool("verify-certificate"), NextProtos: []string{"http/1.1"}}
	}
	if s := u.Port(); s != "" {
		n, err := strconv.ParseUint(s, 10, 16)
		if err != nil || n == 0 {
			return nil, fmt.Errorf("the URL %s has a port that is none: it is to be 1 to 65535", u.Redacted())
		}
		r.port = uint16(n)
	}
	return r, nil
}

// Demand is what a run takes.
func (r *request) Demand() oam.Demand { return r.demand(r.url.Hostname()) }

// Check finds the server's address.
func (r *request) Check(ctx context.Context, env *oam.Env) error {
	_, err := permitted(ctx, env, r.url.Hostname())
	return err
}

// Run makes the requests. The two-way delay is that of the phase total.
func (r *request) Run(ctx context.Context, env *oam.Env) (*oam.Measurement, error) {
	if err := r.Check(ctx, env); err != nil {
		return nil, err
	}
	var (
		mu      sync.Mutex
		timings []timing
		expires time.Time
	)
	m, err := r.run(ctx, env, func(ctx context.Context, i int) (string, bool, time.Duration, error) {
		t := timing{attempt: i}
		began := time.Now()
		code, err := r.ask(ctx, env, &t)
		total := time.Since(began)
		if ctx.Err() != nil {
			return "", false, 0, ctx.Err()
		}
		good := err == nil && code == strconv.Itoa(r.expected)
		mu.Lock()
		defer mu.Unlock()
		if good {
			t.took[4] = total
			timings = append(timings, t)
		}
		expires = first(expires, t.expires)
		return code, good, 0, err
	})
	if err != nil {
		return nil, err
	}
	m.Phases = figures(timings)
	r.judgeCertificate(m, expires)
	return m, nil
}

// ask makes one request, and times all its phases but the total. The code is the status, or
// what is wrong with the answer.
func (r *request) ask(ctx context.Context, env *oam.Env, t *timing) (code string, err error) {
	host := r.url.Hostname()
	last := time.Now()
	end := func(phase int) {
		now := time.Now()
		t.took[phase] = now.Sub(last)
		last = now
	}
	address, err := socket.Lookup(ctx, env.Vantage, host)
	if f, ok := errors.AsType[*oam.Fault](err); ok && f.Reason == oam.BadTarget {
		return "no-address", nil // it had one when the run began
	}
	if err != nil {
		return "", err
	}
	if err := env.Permit(address); err != nil {
		return "", err
	}
	if _, err := netip.ParseAddr(host); err != nil {
		end(0)
	}
	conn, err := dialFor(ctx, env.Vantage, "tcp", netip.AddrPortFrom(address, r.port), r.dscp)
	if err != nil {
		return "", local(err)
	}
	defer conn.Close()
	end(1)
	if r.tls != nil {
		secure := tls.Client(conn, r.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			if f, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
				t.expires = expiration(f.UnverifiedCertificates)
				return badCertificate(f), nil
			}
			return "tls-failure", nil
		}
		t.expires = expiration(secure.ConnectionState().PeerCertificates)
		conn = secure
		end(2)
	}
	return r.exchange(ctx, conn, func() { end(3) })
}

// exchange sends the request and reads the answer.
func (r *request) exchange(ctx context.Context, conn net.Conn, firstByte func()) (code string, err error) {
	q, err := http.NewRequestWithContext(ctx, r.method, r.url.String(), nil)
	if err != nil {
		return "", err
	}
	q.Close = true
	q.Header.Set("User-Agent", "incidentd")
	if user := r.url.User; user != nil {
		password, _ := user.Password()
		q.SetBasicAuth(user.Username(), password)
	}
	if err := q.Write(conn); err != nil {
		return "", err
	}
	limited := &io.LimitedReader{R: conn, N: largestHeader}
	in := bufio.NewReader(limited)
	if _, err := in.Peek(1); err != nil {
		if errors.Is(err, io.EOF) {
			return "closed", nil
		}
		return "", err
	}
	firstByte()
	var a *http.Response
	for range informational + 1 {
		if a, err = http.ReadResponse(in, q); err != nil {
			return "malformed", nil
		}
		if a.StatusCode >= 200 || a.StatusCode == http.StatusSwitchingProtocols {
			break
		}
	}
	limited.N = math.MaxInt64
	// The body is not closed: that would read the rest of it. Its connection is closed instead.
	if _, err := io.CopyN(io.Discard, a.Body, largestBody); err != nil && err != io.EOF {
		return "truncated", nil
	}
	return strconv.Itoa(a.StatusCode), nil
}

// figures are those of each phase that the attempts had.
func figures(timings []timing) []oam.Phase {
	slices.SortFunc(timings, func(a, b timing) int { return cmp.Compare(a.attempt, b.attempt) })
	var list []oam.Phase
	for i, name := range phases {
		var took []time.Duration
		for _, t := range timings {
			if t.took[i] > 0 {
				took = append(took, t.took[i])
			}
		}
		if d := train.Figures(took); d != nil {
			list = append(list, oam.Phase{Name: name, Delay: *d})
		}
	}
	return list
}
