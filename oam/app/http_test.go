package app

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/oam"
	"incidentd/oam/oamtest"
)

func TestRequest(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/", http.StatusFound)
		case "/hint":
			w.WriteHeader(http.StatusEarlyHints)
		case "/who":
			if name, password, _ := r.BasicAuth(); name != "a" || password != "b" {
				w.WriteHeader(http.StatusUnauthorized)
			}
		case "/method":
			if r.Method != http.MethodHead {
				w.WriteHeader(http.StatusMethodNotAllowed)
			}
		case "/cut":
			w.Header().Set("Content-Length", "100")
		case "/endless":
			for {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		}
		io.WriteString(w, "hello")
	})
	plain := httptest.NewServer(handler)
	defer plain.Close()
	secure := httptest.NewUnstartedServer(handler)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // refused handshakes
	secure.StartTLS()
	defer secure.Close()
	port := func(s *httptest.Server) string { return portOf(s.Listener.Addr()) }
	raw := func(answer string) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				c.Read(make([]byte, 1<<16))
				io.WriteString(c, answer)
				c.Close()
			}
		}()
		return "http://" + l.Addr().String()
	}
	address := []string{"connect", "first-byte", "total"}
	for _, test := range []struct {
		name, url string
		leafs     []string
		code      string
		phases    []string // nil: a loss
	}{
		{"address", plain.URL, nil, "200", address},
		{"name", "http://localhost:" + port(plain), nil, "200", append([]string{"dns"}, address...)},
		{"any certificate", secure.URL, []string{"verify-certificate", "false"}, "200", []string{"connect", "tls", "first-byte", "total"}},
		{"bad certificate", secure.URL, nil, "certificate-unknown-authority", nil},
		{"not TLS", "https://" + plain.Listener.Addr().String(), nil, "tls-failure", nil},
		{"redirect", plain.URL + "/moved", nil, "302", nil},
		{"redirect expected", plain.URL + "/moved", []string{"expected-status", "302"}, "302", address},
		{"early hints", plain.URL + "/hint", nil, "200", address},
		{"user", strings.Replace(plain.URL, "//", "//a:b@", 1) + "/who", nil, "200", address},
		{"HEAD", plain.URL + "/method", []string{"method", "HEAD"}, "200", address},
		{"cut off", plain.URL + "/cut", nil, "truncated", nil},
		{"endless", plain.URL + "/endless", nil, "200", address},
		{"refused", "http://127.0.0.1:" + closedPort(t), nil, "refused", nil},
		{"nothing said", raw(""), nil, "closed", nil},
		{"not HTTP", raw("SSH-2.0-x\r\n"), nil, "malformed", nil},
		{"endless header", raw("HTTP/1.1 200 OK\r\nA: " + strings.Repeat("a", 2*largestHeader)), nil, "malformed", nil},
		{"hints only", raw(strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 10)), nil, "103", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			leafs := append([]string{"url", test.url, "number-of-packets", "3", "interval", "2000", "session-timeout", "20000"}, test.leafs...)
			got := oamtest.Run(t, Request, oamtest.Params(t, "http-request", leafs...), "")
			if diff := cmp.Diff([]oam.Response{{Code: test.code, Count: 3}}, got.Responses); diff != "" {
				t.Error(diff)
			}
			want := oam.Packets{Sent: 3, Received: 3}
			if test.phases == nil {
				want.Received = 0
			}
			if *got.Packets != want || got.Errors.Lost != 3-want.Received {
				t.Errorf("%+v %+v", got.Packets, got.Errors)
			}
			var names []string
			var sum, total time.Duration
			for _, p := range got.Phases {
				names = append(names, p.Name)
				if p.Name == "total" {
					total = p.Average
				} else {
					sum += p.Average
				}
			}
			if !slices.Equal(names, test.phases) {
				t.Errorf("phases %v, want %v", names, test.phases)
			}
			if sum > total {
				t.Errorf("the phases take %s, their total %s", sum, total)
			}
		})
	}
}

// A server that never answers is a loss after the timeout, not before.
func TestRequestSilence(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := oamtest.Run(t, Request, oamtest.Params(t, "http-request", "url", "https://"+l.Addr().String(),
		"number-of-packets", "2", "interval", "1000", "session-timeout", "50"), "")
	if got.Errors.Lost != 2 || !cmp.Equal(got.Responses, []oam.Response{{Code: "timeout", Count: 2}}) {
		t.Errorf("%+v %+v", got.Errors, got.Responses)
	}
}

func TestRequestRefusesURL(t *testing.T) {
	for _, u := range []string{"http://", "http://:80", "http://h:0", "http://h:70000", "http://h:x"} {
		if _, err := Request(oamtest.Params(t, "http-request", "url", u)); err == nil {
			t.Errorf("Request(%q) takes it", u)
		}
	}
}
