package jsonlines_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"incidentd/incident/ingest/ingesttest"
	"incidentd/incident/ingest/jsonlines"
	"incidentd/yang/rpcerr"
)

// users are those of a test, with the password "secret"; only ann may report events.
type users struct{ asked int }

// Permitted implements listen.Credentials.
func (u *users) Permitted(user, password string, _ net.Addr) bool {
	u.asked++
	return user == "ann" && password == "secret"
}

const line = `{"id":"e%d","time":"2026-11-22T07:00:00Z","node":"P1","resource":"eth%d","alarm-type-id":"link-down","severity":"major"}` + "\n"

func zipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, s)
	w.Close()
	return b.String()
}

// Requests of all kinds, and their answers.
func TestRequests(t *testing.T) {
	b := ingesttest.New(t, jsonlines.Kind(new(users)))
	b.Sources(`<source><name>s</name><json-lines><address>127.0.0.1</address><port>0</port><max-body-size>4096</max-body-size><users>true</users>
		<token><name>t</name><hash>$0$0123456789abcdef</hash></token></json-lines></source>`)
	url := "http://" + b.Listening("s") + "/events"
	two := fmt.Sprintf(line, 1, 1) + "\n" + fmt.Sprintf(line, 2, 2)
	const token = "Bearer 0123456789abcdef"
	for _, tt := range []struct{ name, method, authorization, encoding, body, want string }{
		{"events", "POST", token, "", two, `200 {"accepted":2,"duplicates":0}`},
		{"again, and one more", "POST", token, "", two + fmt.Sprintf(line, 3, 3), `200 {"accepted":1,"duplicates":2}`},
		{"nothing", "POST", token, "", "", `200 {"accepted":0,"duplicates":0}`},
		{"compressed", "POST", token, "gzip", zipped(fmt.Sprintf(line, 4, 4)), `200 {"accepted":1,"duplicates":0}`},
		{"all or nothing", "POST", token, "", fmt.Sprintf(line, 5, 5) + "{\"id\":\"e6\"}\n", `400 {"error":"line 2: \"node\": mandatory key is missing","line":2}`},
		{"after that", "POST", token, "", fmt.Sprintf(line, 5, 5), `200 {"accepted":1,"duplicates":0}`},
		{"a long id", "POST", token, "", strings.Replace(fmt.Sprintf(line, 7, 7), "e7", strings.Repeat("x", 256), 1), `400 {"error":"line 1: \"id\": value is not allowed: longer than 255 characters","line":1}`},
		{"a large body", "POST", token, "", strings.Repeat(two, 50), `413 {"error":"the body is longer than max-body-size"}`},
		{"a bomb", "POST", token, "gzip", zipped(strings.Repeat(" ", 10<<20)), `413 {"error":"the body is longer than max-body-size"}`},
		{"not compressed", "POST", token, "gzip", two, `400 {"error":"the body is not gzip: gzip: invalid header"}`},
		{"an unknown encoding", "POST", token, "br", two, `415 {"error":"Content-Encoding \"br\"; gzip is known"}`},
		{"no token", "POST", "", "", two, `401 {"error":"this takes a token or a user who may report events"}`},
		{"another token", "POST", "Bearer 0123456789abcdeX", "", two, `401 {"error":"this takes a token or a user who may report events"}`},
		{"a user", "POST", "Basic YW5uOnNlY3JldA==", "", two, `200 {"accepted":0,"duplicates":2}`},
		{"another user", "POST", "Basic Ym9iOnNlY3JldA==", "", two, `401 {"error":"this takes a token or a user who may report events"}`},
		{"and again at once", "POST", "Basic Ym9iOnNlY3JldA==", "", two, `429 {"error":"too many wrong passwords"}`},
		{"a reader", "GET", token, "", "", `405 {"error":"events are sent by POST"}`},
	} {
		r, err := http.NewRequest(tt.method, url, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", tt.authorization)
		r.Header.Set("Content-Encoding", tt.encoding)
		if got := do(t, r); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	if n := len(b.Await(5)); n != 5 {
		t.Errorf("%d events, want 5", n)
	}
}

// do sends a request and returns the status and the body of its answer.
func do(t *testing.T, r *http.Request) string {
	t.Helper()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode == 429 || answer.StatusCode == 503 {
		if answer.Header.Get("Retry-After") == "" {
			t.Errorf("%s without Retry-After", answer.Status)
		}
	}
	return fmt.Sprint(answer.StatusCode) + " " + strings.TrimSpace(string(text))
}

// What the server has no room for is refused, with the advice to come again, and can be
// sent again.
func TestNoRoom(t *testing.T) {
	b := ingesttest.New(t, jsonlines.Kind(nil))
	b.Sources(`<source><name>s</name><json-lines><address>127.0.0.1</address><port>0</port><anonymous>true</anonymous></json-lines></source>`)
	for _, tt := range []struct {
		refuse error
		want   string
	}{
		{rpcerr.ResourceDenied("there is no room"), `503 {"error":"resource-denied: there is no room"}`},
		{rpcerr.InvalidValue("no such thing"), `400 {"error":"invalid-value: no such thing"}`},
		{errors.New("a secret of ours"), `503 {"error":"the events cannot be stored now"}`},
		{nil, `200 {"accepted":1,"duplicates":0}`},
	} {
		b.Refuse(tt.refuse)
		r, err := http.NewRequest("POST", "http://"+b.Listening("s")+"/events", strings.NewReader(fmt.Sprintf(line, 1, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if got := do(t, r); got != tt.want {
			t.Errorf("refused with %v: %s, want %s", tt.refuse, got, tt.want)
		}
	}
}

// Nobody could send: such a configuration is refused.
func TestNobody(t *testing.T) {
	b := ingesttest.New(t, jsonlines.Kind(nil))
	err := b.Configure(`<sources xmlns="urn:incidentd:yang:sources"><source><name>s</name><json-lines><port>0</port></json-lines></source></sources>`)
	if err == nil || !strings.Contains(err.Error(), "Nobody may send: configure a token, users or anonymous.") {
		t.Errorf("Configure = %v", err)
	}
}

// curl, as the README has it.
func TestCurl(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("curl is not installed")
	}
	b := ingesttest.New(t, jsonlines.Kind(nil))
	b.Sources(`<source><name>s</name><json-lines><address>127.0.0.1</address><port>0</port><token><name>t</name><hash>$0$0123456789abcdef</hash></token></json-lines></source>`)
	cmd := exec.Command(curl, "-sS", "--fail", "-H", "Authorization: Bearer 0123456789abcdef", "--data-binary", "@-", "http://"+b.Listening("s")+"/events")
	cmd.Stdin = strings.NewReader(fmt.Sprintf(line, 1, 1) + fmt.Sprintf(line, 2, 2))
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != "{\"accepted\":2,\"duplicates\":0}\n" {
		t.Errorf("curl: %v, %s", err, out)
	}
}
