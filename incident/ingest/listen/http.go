package listen

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"incidentd/incident"
	"incidentd/incident/ingest"
	"incidentd/incident/ingest/mapping"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

const (
	// headerTime, bodyTime and answerTime are how long a client may take for the header
	// and the body of its request, and to take the answer.
	headerTime = 10 * time.Second
	bodyTime   = time.Minute
	answerTime = 30 * time.Second
	// turnTime is how long a request waits for its turn.
	turnTime = 10 * time.Second
	// retryAfter is what clients are told to wait, in seconds.
	retryAfter = 5
	// stopTime is how long requests may go on when the source ends.
	stopTime = time.Second
	// leastToken is the length of a token in clear text.
	leastToken = 16
)

// Credentials check users who send with name and password.
type Credentials interface {
	// Permitted reports whether the password is that of the user, and the user may report
	// events.
	Permitted(user, password string, from net.Addr) bool
}

// HTTP is the grouping http-server.
type HTTP struct {
	Config
	limits    Connections
	secure    *tls.Config
	maxBody   int64
	tokens    map[[sha256.Size]byte]bool
	users     Credentials // nil: none
	anonymous bool
	rate      *Rate
	guesses   *Rate         // wrong passwords
	turns     chan struct{} // one element for each request that is read
}

// Endpoint is where it listens.
func (h *HTTP) Endpoint() ingest.Endpoint { return ingest.Endpoint{Network: "tcp", Address: h.Address} }

// HTTPFromData reads the grouping http-server in a container that is valid.
func HTTPFromData(at *data.Loc, users Credentials) (*HTTP, error) {
	c, err := FromData(at)
	if err != nil {
		return nil, err
	}
	n := at.Node
	h := &HTTP{Config: c, limits: ConnectionsFromData(n), maxBody: int64(Number(n, "max-body-size")), tokens: map[[sha256.Size]byte]bool{},
		anonymous: Text(n, "anonymous") == "true", rate: NewRate(c.RatePerPeer), guesses: NewRate(1), turns: make(chan struct{}, Number(n, "max-requests"))}
	if Text(n, "users") == "true" {
		h.users = users
	}
	for t := range n.Entries("token") {
		var sum [sha256.Size]byte
		if raw, err := hex.DecodeString(strings.TrimPrefix(t.Leaf("hash"), "sha256:")); err == nil && len(raw) == len(sum) {
			sum = [sha256.Size]byte(raw)
		} else { // one in clear text, which StoredToken has not seen
			sum = sha256.Sum256([]byte(strings.TrimPrefix(t.Leaf("hash"), "$0$")))
		}
		h.tokens[sum] = true
	}
	h.secure, err = TLSFromData(at)
	return h, err
}

// StoredToken is what is stored of a leaf of type token-hash: the hash of one that is in
// clear text.
func StoredToken(v string) (string, error) {
	token, clear := strings.CutPrefix(v, "$0$")
	if !clear {
		return v, nil
	}
	if len(token) < leastToken {
		return "", fmt.Errorf("a token has %d characters at least", leastToken)
	}
	sum := sha256.Sum256([]byte(token))
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// HTTPKind is a kind of source of incidentd-sources whose container is the grouping
// http-server, and that takes POST requests to a path. Users are checked by users; receive
// makes what reads the bodies for a feed.
func HTTPKind(name, path string, users Credentials, receive func(*ingest.Feed) Receive) ingest.Kind {
	return ingest.Kind{Module: "incidentd-sources", Name: name, New: func(c *data.Loc) (ingest.Source, error) {
		h, err := HTTPFromData(c, users)
		if err != nil {
			return nil, err
		}
		return &httpSource{h, path, receive}, nil
	}}
}

type httpSource struct {
	*HTTP
	path    string
	receive func(*ingest.Feed) Receive
}

// Run implements ingest.Source.
func (s *httpSource) Run(ctx context.Context, f *ingest.Feed) error {
	return s.HTTP.Run(ctx, f, s.path, s.receive(f))
}

// Receive reads the body of a request to the messages that it holds. Its error is told to
// the client with the status 400, unless it is of the body itself.
type Receive func(body io.Reader) ([]*mapping.Message, error)

// Run answers POST requests to a path until ctx is done.
func (h *HTTP) Run(ctx context.Context, f *ingest.Feed, path string, receive Receive) error {
	ln, err := TCP(ctx, &h.Config, h.limits, h.secure, f)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { h.serve(w, r, f, receive) })
	// A handler that panics ends its connection, so that nobody takes it for an answer.
	server := &http.Server{Handler: mux, ReadHeaderTimeout: headerTime, ReadTimeout: bodyTime + turnTime, WriteTimeout: bodyTime + turnTime + answerTime,
		IdleTimeout: h.limits.Idle, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(f.Log().Handler(), slog.LevelDebug), BaseContext: func(net.Listener) context.Context { return ctx }}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		late, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		if server.Shutdown(late) != nil {
			server.Close()
		}
	})
	scheme := "http "
	if h.secure != nil {
		scheme = "https "
	}
	f.Up(scheme + ln.Addr().String())
	err = server.Serve(ln)
	if stop() {
		return errors.Join(err, server.Close())
	}
	<-stopped
	return nil
}

// Refusal is why a request is not taken.
type Refusal struct {
	Status int
	Reason string
	// Line is the line of the body that is wrong, 0 for none.
	Line int
}

// Error implements error.
func (r *Refusal) Error() string { return r.Reason }

// serve answers a request.
func (h *HTTP) serve(w http.ResponseWriter, r *http.Request, f *ingest.Feed, receive Receive) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, &Refusal{Status: http.StatusMethodNotAllowed, Reason: "events are sent by POST"})
		return
	}
	got, err := h.take(r, f, receive)
	if err != nil {
		refuse(w, h.refusal(r, f, err))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, "{\"accepted\":%d,\"duplicates\":%d}\n", got.Accepted, got.Duplicates)
}

// take takes the events of a request.
func (h *HTTP) take(r *http.Request, f *ingest.Feed, receive Receive) (got incident.Reported, err error) {
	peer := peerOf(r)
	if err := h.permit(r, peer); err != nil {
		return got, err
	}
	if h.rate.Take(peer) > 0 {
		h.rate.Back(peer)
		f.Delayed(1)
		return got, &Refusal{Status: http.StatusTooManyRequests, Reason: "more requests than rate-per-peer"}
	}
	if err := h.turn(r.Context(), f); err != nil {
		return got, err
	}
	defer func() { <-h.turns }()
	body, err := h.body(r)
	if err != nil {
		return got, err
	}
	messages, err := receive(body)
	f.Received(body.read())
	if err != nil {
		return got, err
	}
	for _, m := range messages {
		m.Peer = peer
	}
	return f.Report(r.Context(), messages)
}

// permit checks who sends.
func (h *HTTP) permit(r *http.Request, peer netip.Addr) error {
	if h.anonymous {
		return nil
	}
	denied := &Refusal{Status: http.StatusUnauthorized, Reason: "this takes a token or a user who may report events"}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "bearer") {
		if h.tokens[sha256.Sum256([]byte(strings.TrimSpace(token)))] {
			return nil
		}
		return denied
	}
	user, password, ok := r.BasicAuth()
	if !ok || h.users == nil {
		return denied
	}
	if h.guesses.Take(peer) > 0 {
		h.guesses.Back(peer)
		return &Refusal{Status: http.StatusTooManyRequests, Reason: "too many wrong passwords"}
	}
	from, _ := net.ResolveTCPAddr("tcp", r.RemoteAddr)
	if !h.users.Permitted(user, password, from) {
		return denied
	}
	h.guesses.Back(peer)
	return nil
}

// turn waits until one request fewer is read.
func (h *HTTP) turn(ctx context.Context, f *ingest.Feed) error {
	select {
	case h.turns <- struct{}{}:
		return nil
	default:
	}
	f.Delayed(1)
	select {
	case h.turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(turnTime):
		return &Refusal{Status: http.StatusServiceUnavailable, Reason: "too many requests at once"}
	}
}

// body is that of a request, decompressed, up to a size.
type body struct {
	io.Reader
	limit *io.LimitedReader
	most  int64
}

// errTooLarge is why a body is refused.
var errTooLarge = &Refusal{Status: http.StatusRequestEntityTooLarge, Reason: "the body is longer than max-body-size"}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if b.limit.N <= 0 {
		return 0, errTooLarge
	}
	return n, err
}

// read is how many bytes were read.
func (b *body) read() int { return int(b.most + 1 - b.limit.N) }

func (h *HTTP) body(r *http.Request) (*body, error) {
	var in io.Reader = r.Body
	switch encoding := strings.ToLower(r.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
		if r.ContentLength > h.maxBody {
			return nil, errTooLarge
		}
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, &Refusal{Status: http.StatusBadRequest, Reason: "the body is not gzip: " + err.Error()}
		}
		in = z
	default:
		return nil, &Refusal{Status: http.StatusUnsupportedMediaType, Reason: fmt.Sprintf("Content-Encoding %.40q; gzip is known", encoding)}
	}
	l := &io.LimitedReader{R: in, N: h.maxBody + 1}
	return &body{l, l, h.maxBody}, nil
}

// refusal is what a client is told of an error, which is counted.
func (h *HTTP) refusal(r *http.Request, f *ingest.Feed, err error) *Refusal {
	var told *Refusal
	var denied *rpcerr.Error
	from := fmt.Errorf("request from %s: %w", peerOf(r), err)
	switch {
	case errors.As(err, &told):
	case errors.As(err, &denied) && denied.Tag != rpcerr.TagResourceDenied && denied.Tag != rpcerr.TagInUse:
		told = &Refusal{Status: http.StatusBadRequest, Reason: denied.Error()}
	case errors.As(err, &denied):
		told = &Refusal{Status: http.StatusServiceUnavailable, Reason: denied.Error()}
	case r.Context().Err() != nil:
		told = &Refusal{Status: http.StatusServiceUnavailable, Reason: "the source ends"}
	default:
		f.Log().Error("events of a request cannot be taken", "err", from)
		told = &Refusal{Status: http.StatusServiceUnavailable, Reason: "the events cannot be stored now"}
	}
	switch {
	case told.Status == http.StatusUnauthorized || told.Status == http.StatusTooManyRequests:
		f.Refused(from)
	case told.Status < http.StatusInternalServerError:
		f.Malformed(from)
	default:
		f.Delayed(1) // the client has it still
	}
	return told
}

// refuse answers that a request was not taken.
func refuse(w http.ResponseWriter, r *Refusal) {
	switch r.Status {
	case http.StatusUnauthorized:
		w.Header().Add("WWW-Authenticate", "Bearer")
		w.Header().Add("WWW-Authenticate", `Basic realm="incidentd", charset="UTF-8"`)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(r.Status)
	// An error means that the client has gone.
	_ = json.NewEncoder(w).Encode(struct {
		Error string `json:"error"`
		Line  int    `json:"line,omitempty"`
	}{r.Reason, r.Line})
}

func peerOf(r *http.Request) netip.Addr {
	p, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return p.Addr().Unmap().WithZone("")
}
