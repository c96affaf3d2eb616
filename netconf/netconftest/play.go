package netconftest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A dialogue is a text of steps, each a line between "-- " and " --" with what
// belongs to it below:
//
//	-- A opens 1.0 1.1 --    begins a session of the user A: the client's hello has
//	                         these versions, the server's is not shown
//	-- A opens 1.1 as U in G H --  the same for the user U, whom the transport has found
//	                         to be in the groups G and H; "in" and what follows may be
//	                         left out
//	-- A connects --         begins a session without hello
//	-- A is called --        the server calls A, a receiver: a session, as by opens 1.1, which
//	                         takes the place of an earlier one
//	-- A sends --            a message of the client
//	-- A writes --           bytes without framing; \n and the like are read as in Go
//	-- A upgrades --         after the hello of the server: chunked framing from here on
//	-- A stays --            after the hello of the server: no chunked framing
//	-- A receives --         the next message of the server, or "closed", or "silence"
//	                         when nothing comes within a second
//	-- A hangs up --         closes the connection
//	-- config --             configuration, which becomes all that running has, whoever
//	                         may write what
//	-- event STREAM --       notifications, each on a line, published together
//	-- trim --               retention deletes old notifications
//	-- wait DURATION --      time passes
//	-- disk full --          nothing can be written to the store, until
//	-- disk works --
//	-- restart --            the server stops and starts again; all sessions end
//	-- log --                what the server has logged since, without its time
//
// What A receives is indented for the reader, and what differs from run to run or
// with the modules stands as $NAME.

var step = regexp.MustCompile(`(?m)^-- (.*) --\n`)

// Play runs the dialogues of all files that a pattern finds, each on a server of
// its own in virtual time, which begins at midnight UTC 2000-01-01. With update
// what is received is written into the file.
func Play(t *testing.T, pattern string, update bool, c Config) {
	if _, err := Schema(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("no dialogue in %s", pattern)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var got string
			synctest.Test(t, func(t *testing.T) {
				p := &player{t: t, bench: New(t, c), peers: map[string]*listener{}}
				got = p.play(string(text))
				p.end()
			})
			if update && got != string(text) {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(text), got); diff != "" && !update {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		})
	}
}

type player struct {
	t     *testing.T
	bench *Bench
	peers map[string]*listener
}

// listener is a peer whose messages are read ahead.
type listener struct {
	*Peer
	in      chan string // closed by the goroutine that reads, which stands still after a hello
	chunked chan bool   // one element: what follows the server's hello
	done    chan struct{}
}

func (p *player) end() {
	for _, l := range p.peers {
		l.Conn.Close()
		close(l.done)
	}
	for _, l := range p.peers {
		for range l.in {
		}
	}
}

func (p *player) play(text string) string {
	var out strings.Builder
	at := step.FindAllStringSubmatchIndex(text, -1)
	if len(at) == 0 {
		p.t.Fatal("a dialogue without steps")
	}
	out.WriteString(text[:at[0][0]])
	for i, m := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		body := text[m[1]:end]
		out.WriteString(text[m[0]:m[1]])
		got, err := p.step(text[m[2]:m[3]], body)
		if err != nil {
			p.t.Fatalf("-- %s --: %v", text[m[2]:m[3]], err)
		}
		out.WriteString(got)
	}
	return out.String()
}

// step takes one step and returns its body as it should stand.
func (p *player) step(name, body string) (string, error) {
	synctest.Wait() // everybody has done what the step before leads to
	words := strings.Fields(name)
	switch {
	case name == "log":
		return clean(regexp.MustCompile(`(?m)^time=\S+ `).ReplaceAllString(p.bench.Log.Take(), "")), nil
	case name == "restart":
		p.bench.Restart()
		return body, nil
	case name == "config":
		return body, p.bench.Configure(body)
	case words[0] == "event" && len(words) == 2:
		return body, p.bench.Publish(words[1], strings.Split(strings.TrimSpace(body), "\n")...)
	case name == "trim":
		_, err := p.bench.Store.Journal().Trim(p.t.Context(), time.Now())
		return body, err
	case name == "disk full" || name == "disk works":
		p.bench.DiskFull.Store(name == "disk full")
		return body, nil
	case words[0] == "wait" && len(words) == 2:
		d, err := time.ParseDuration(words[1])
		time.Sleep(d)
		synctest.Wait()
		return body, err
	case len(words) < 2:
		return "", errors.New("no such step")
	}
	who, verb := words[0], strings.Join(words[1:], " ")
	if verb == "connects" || words[1] == "opens" {
		return body, p.open(who, words[2:])
	}
	if verb == "is called" {
		return body, p.answer(who)
	}
	l := p.peers[who]
	if l == nil {
		return "", fmt.Errorf("%s is not connected", who)
	}
	switch verb {
	case "sends":
		return body, l.W.WriteMessage([]byte(strings.TrimSuffix(body, "\n")))
	case "writes":
		raw := strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\\`, `\`).Replace(strings.ReplaceAll(body, "\n", ""))
		_, err := io.WriteString(l.Conn, raw)
		return body, err
	case "upgrades", "stays":
		if verb == "upgrades" {
			l.W.Upgrade()
		}
		l.chunked <- verb == "upgrades"
		return body, nil
	case "hangs up":
		return body, l.Conn.Close()
	case "receives":
		select {
		case m, ok := <-l.in:
			if !ok {
				return "closed\n", nil
			}
			return clean(Indent(m)), nil
		case <-time.After(time.Second):
			return "silence\n", nil
		}
	}
	return "", errors.New("no such step")
}

func (p *player) open(who string, bases []string) error {
	if p.peers[who] != nil {
		return fmt.Errorf("%s is connected already", who)
	}
	user, groups := who, []string(nil)
	if i := slices.Index(bases, "as"); i >= 0 && i+1 < len(bases) {
		user, groups, bases = bases[i+1], bases[i+2:], bases[:i]
		if len(groups) > 0 {
			groups = groups[1:]
		}
	}
	return p.begin(who, p.bench.Dial(p.t.Context(), user, 0, groups...), bases)
}

// answer takes a call of the server.
func (p *player) answer(who string) error {
	if l := p.peers[who]; l != nil {
		l.Conn.Close()
		close(l.done)
	}
	return p.begin(who, p.bench.Await(who), []string{"1.1"})
}

func (p *player) begin(who string, c net.Conn, bases []string) error {
	peer := NewPeer(c)
	l := &listener{Peer: peer, in: make(chan string, 4096), chunked: make(chan bool, 1), done: make(chan struct{})}
	p.peers[who] = l
	if len(bases) > 0 {
		if _, err := peer.Open(bases...); err != nil {
			return err
		}
	}
	go func() {
		defer close(l.in)
		for first := len(bases) == 0; ; first = false {
			m, err := peer.R.ReadMessage()
			if err != nil {
				return
			}
			l.in <- string(m)
			if first {
				// Only the test knows which framing follows a hello.
				select {
				case chunked := <-l.chunked:
					if chunked {
						peer.R.Upgrade()
					}
				case <-l.done:
					return
				}
			}
		}
	}()
	return nil
}

// Indent breaks a message into lines, for people to read.
func Indent(xml string) string {
	var b strings.Builder
	depth, open := 0, false
	for _, part := range regexp.MustCompile(`<[^>]*>|[^<]+`).FindAllString(xml, -1) {
		switch {
		case strings.HasPrefix(part, "</"):
			depth--
			if !open {
				b.WriteString("\n" + strings.Repeat("  ", max(depth, 0)))
			}
			b.WriteString(part)
			open = false
		case strings.HasPrefix(part, "<"):
			if b.Len() > 0 {
				b.WriteString("\n" + strings.Repeat("  ", depth))
			}
			b.WriteString(part)
			if open = !strings.HasSuffix(part, "/>"); open {
				depth++
			}
		case strings.TrimSpace(part) != "":
			b.WriteString(part)
		}
	}
	return b.String() + "\n"
}

var variable = []struct {
	re   *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`content-id=[0-9a-f]{32}`), `content-id=$$CONTENT-ID`},
	{regexp.MustCompile(`(<content-id>|<module-set-id>)[0-9a-f]{32}<`), `${1}$$CONTENT-ID<`},
	{regexp.MustCompile(`goroutine \d+ [^"]*`), `$$STACK`},
}

func clean(s string) string {
	for _, v := range variable {
		s = v.re.ReplaceAllString(s, v.with)
	}
	return s
}
