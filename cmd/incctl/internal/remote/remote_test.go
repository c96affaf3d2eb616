package remote

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"incidentd/netconf/client"
	"incidentd/netconf/transport"
	"incidentd/netconf/transport/memconn"
)

const base = "urn:ietf:params:xml:ns:netconf:base:1.0"

// modules are the texts that the server has.
var modules = map[string]string{
	"a":     `module a { yang-version 1.1; namespace "urn:a"; prefix a; import b { prefix b; } include a-sub; feature f; feature g; container top { leaf x { if-feature f; type b:t; } leaf y { if-feature g; type string; } } }`,
	"a-sub": `submodule a-sub { yang-version 1.1; belongs-to a { prefix a; } leaf z { type string; } }`,
	"b":     `module b { yang-version 1.1; namespace "urn:b"; prefix b; revision 2026-01-02; typedef t { type int8; } leaf not-here { type string; } }`,
}

const newer = `<yang-library xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-library"><module-set><name>s</name>
<module><name>a</name><namespace>urn:a</namespace><submodule><name>a-sub</name></submodule><feature>f</feature></module>
<import-only-module><name>b</name><revision>2026-01-02</revision><namespace>urn:b</namespace></import-only-module></module-set></yang-library>`

const older = `<modules-state xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-library"><module-set-id>1</module-set-id>
<module><name>a</name><revision/><namespace>urn:a</namespace><feature>f</feature><conformance-type>implement</conformance-type><submodule><name>a-sub</name><revision/></submodule></module>
<module><name>b</name><revision>2026-01-02</revision><namespace>urn:b</namespace><conformance-type>import</conformance-type></module></modules-state>`

// server answers with a library and the modules, and counts what it is asked.
type server struct {
	listing string // the YANG library
	asked   int
}

// connect returns a session with the server.
func (s *server) connect(t *testing.T, capability string) *client.Client {
	t.Helper()
	near, far := memconn.Pipe()
	r, w := transport.NewReader(far, 0), transport.NewWriter(far)
	ended := make(chan struct{})
	send := func(text string) {
		if err := w.WriteMessage([]byte(text)); err != nil {
			t.Errorf("server: %v", err)
		}
	}
	go func() {
		defer close(ended)
		defer far.Close()
		send(`<hello xmlns="` + base + `"><capabilities><capability>urn:ietf:params:netconf:base:1.0</capability><capability>` + capability + `</capability></capabilities><session-id>1</session-id></hello>`)
		for {
			m, err := r.ReadMessage()
			if err != nil {
				return
			}
			doc := etree.NewDocument()
			if err := doc.ReadFromBytes(m); err != nil {
				t.Errorf("server: %v", err)
				return
			}
			if doc.Root().Tag == "hello" {
				continue
			}
			s.asked++
			content := s.listing
			if id := doc.FindElement("//identifier"); id != nil {
				content = strings.ReplaceAll(strings.ReplaceAll(modules[id.Text()], "<", "&lt;"), ">", "&gt;")
			}
			send(`<rpc-reply xmlns="` + base + `" message-id="` + doc.Root().SelectAttrValue("message-id", "") + `"><data>` + content + `</data></rpc-reply>`)
		}
	}()
	c, err := client.New(t.Context(), near, client.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); <-ended })
	return c
}

func TestSchema(t *testing.T) {
	for _, tt := range []struct{ name, listing, capability string }{
		{"RFC 8525", newer, library11 + "?revision=2019-01-04&amp;content-id=1"},
		{"RFC 7895", older, library10 + "?revision=2016-06-21&amp;module-set-id=1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &server{listing: tt.listing}
			cache := Cache{t.TempDir()}
			for range 2 {
				schema, err := cache.Schema(t.Context(), s.connect(t, tt.capability), "here")
				if err != nil {
					t.Fatal(err)
				}
				top := schema.Root.ChildNamed("top")
				if top == nil || top.ChildNamed("x") == nil || top.ChildNamed("y") != nil || schema.Root.ChildNamed("z") == nil || schema.Root.ChildNamed("not-here") != nil {
					t.Errorf("the schema's top nodes are %v", schema.Root.Data)
				}
			}
			if s.asked != 4 { // the library and three texts, once
				t.Errorf("the server was asked %d times", s.asked)
			}
			// Another server may have the same content-id.
			if _, err := cache.Schema(t.Context(), s.connect(t, tt.capability), "there"); err != nil || s.asked != 8 {
				t.Errorf("another server was asked %d times, %v", s.asked-4, err)
			}
		})
	}
}

// A server without content-id is asked each time, and nothing is kept.
func TestSchemaWithoutContentID(t *testing.T) {
	s := &server{listing: newer}
	cache := Cache{filepath.Join(t.TempDir(), "none")}
	if _, err := cache.Schema(t.Context(), s.connect(t, library11), "here"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(cache.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something is kept (%v)", err)
	}
}

func TestSchemaRefused(t *testing.T) {
	library := func(module string) string {
		return `<yang-library xmlns="` + libraryNamespace + `"><module-set><module>` + module + `</module></module-set></yang-library>`
	}
	for _, tt := range []struct{ listing, want string }{
		{"", ErrNoLibrary.Error()},
		{library("<name>../../evil</name>"), `the YANG library names a module "../../evil" of the revision ""`},
		{library("<name>a</name><revision>/etc</revision>"), `the YANG library names a module "a" of the revision "/etc"`},
		{library("<name>gone</name>"), "the server's modules do not compile"},
	} {
		s := &server{listing: tt.listing}
		dir := t.TempDir()
		_, err := Cache{dir}.Schema(t.Context(), s.connect(t, library11+"?content-id=1"), "here")
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("library %s: %v, want %s", tt.listing, err, tt.want)
		}
		if kept, err := os.ReadDir(dir); err != nil || len(kept) > 0 {
			t.Errorf("library %s: %v is kept (%v)", tt.listing, kept, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (Cache{}).Schema(ctx, (&server{}).connect(t, library11), "here"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
