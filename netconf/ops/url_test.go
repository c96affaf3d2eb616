package ops_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"incidentd/netconf/netconftest"
)

func copies(to, from string) string {
	return rpc(`<copy-config><target>` + to + `</target><source>` + from + `</source></copy-config>`)
}

func at(url string) string { return `<url>` + url + `</url>` }

// A URL of a file leads nowhere but into the directory of files, whatever stands there.
func TestFileURLsDoNotEscape(t *testing.T) {
	b := netconftest.New(t, netconftest.Config{})
	p := open(t, b)
	outside := filepath.Join(t.TempDir(), "secret.xml")
	const config = `<config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"/>`
	if err := os.WriteFile(outside, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"link.xml": outside, "up.xml": "../" + filepath.Base(filepath.Dir(outside)) + "/secret.xml", "dir": filepath.Dir(outside)} {
		if err := os.Symlink(to, filepath.Join(b.Files, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, url := range []string{
		"file:///link.xml", "file:///up.xml", "file:///dir/secret.xml", "file:///../secret.xml", "file:///a/../../secret.xml",
		"file:///%2e%2e/secret.xml", "file://" + outside, "file:///", "file:", "file:///.", "file://elsewhere/a.xml", "file:///a.xml?b", "file:///a.xml#b",
		"file:///a%00b.xml", "file:////etc/passwd", "http://127.0.0.1/a.xml", "https://127.0.0.1/a.xml", "a.xml", "%",
	} {
		for _, request := range []string{copies("<candidate/>", at(url)), rpc(`<delete-config><target>` + at(url) + `</target></delete-config>`)} {
			m, err := p.Ask(request)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(m, "<ok/>") && url != "file:///link.xml" && url != "file:///up.xml" || !strings.Contains(m, "<ok/>") && !strings.Contains(m, "invalid-value") {
				t.Errorf("%s: %s", request, m)
			}
		}
	}
	if text, err := os.ReadFile(outside); err != nil || string(text) != config {
		t.Errorf("the file outside is %q, %v", text, err)
	}
}

// What is written is private, replaced as a whole, and leaves nothing beside it.
func TestFileURLsAreWrittenWhole(t *testing.T) {
	b := netconftest.New(t, netconftest.Config{})
	p := open(t, b)
	for range 2 {
		if m, err := p.Ask(copies(at("file:///a/b/c.xml"), "<running/>")); err != nil || !strings.Contains(m, "<ok/>") {
			t.Fatal(m, err)
		}
	}
	entries, err := os.ReadDir(filepath.Join(b.Files, "a", "b"))
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v", entries, err)
	}
	if info, err := entries[0].Info(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	if m, _ := p.Ask(copies(at("file:///a/b"), "<running/>")); !strings.Contains(m, "invalid-value") {
		t.Errorf("a copy over a directory: %s", m)
	}
	if entries, err = os.ReadDir(filepath.Join(b.Files, "a")); err != nil || len(entries) != 1 {
		t.Errorf("what is left: %v, %v", entries, err)
	}
}

// Configurations go to HTTPS servers and come from there.
func TestHTTPS(t *testing.T) {
	stored := map[string]string{}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, has := stored[r.URL.Path]
		switch {
		case r.Method == http.MethodPut:
			body, _ := io.ReadAll(r.Body)
			stored[r.URL.Path] = string(body)
			w.WriteHeader(http.StatusCreated)
		case !has:
			http.NotFound(w, r)
		case r.Method == http.MethodDelete:
			delete(stored, r.URL.Path)
		default:
			io.WriteString(w, text)
		}
	}))
	defer server.Close()
	p := open(t, netconftest.New(t, netconftest.Config{HTTP: server.Client()}))
	const network = `<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network"><network><network-id>a</network-id></network></networks>`
	for _, step := range []struct{ request, want string }{
		{rpc(`<edit-config><target><running/></target><config>` + network + `</config></edit-config>`), "<ok/>"},
		{copies(at(server.URL+"/a.xml"), "<running/>"), "<ok/>"},
		{copies("<startup/>", at(server.URL+"/a.xml")), "<ok/>"},
		{rpc(`<get-config><source><startup/></source></get-config>`), network},
		{copies("<startup/>", at(server.URL+"/b.xml")), "the server of the URL answers 404 Not Found"},
		{rpc(`<delete-config><target>` + at(server.URL+"/a.xml") + `</target></delete-config>`), "<ok/>"},
		{copies("<startup/>", at(server.URL+"/a.xml")), "operation-failed"},
		{copies("<startup/>", at("https:///a.xml")), "the URL names no host"},
	} {
		if m, err := p.Ask(step.request); err != nil || !strings.Contains(m, step.want) {
			t.Errorf("%s\n%s, %v, want %s", step.request, m, err, step.want)
		}
	}
	if len(stored) != 0 {
		t.Errorf("the server still has %v", stored)
	}
}
