package client

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What the options of the operations are on the wire, in the order of their modules.
func TestOptions(t *testing.T) {
	const (
		nmda = ` xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-nmda" xmlns:ds="urn:ietf:params:xml:ns:yang:ietf-datastores"`
		nc   = ` xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0"`
	)
	config := []byte(`<a xmlns="urn:a"/>`)
	for _, tt := range []struct {
		name string
		call func(ctx context.Context, c *Client) error
		want string
	}{
		{"get", func(ctx context.Context, c *Client) error {
			_, err := c.Get(ctx, Filter{}, WithDefaults("trim"))
			return err
		}, `<get><with-defaults xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-with-defaults">trim</with-defaults></get>`},
		{"get a page", func(ctx context.Context, c *Client) error {
			_, err := c.Get(ctx, Filter{}, Page{Where: "a:x > 1", SortBy: "a:x", Namespaces: map[string]string{"a": "urn:a"}, Backwards: true, Cursor: "c<", Offset: 7, Limit: 10, SublistLimit: 2}.Option())
			return err
		}, `<get><list-pagination xmlns="urn:ietf:params:xml:ns:yang:ietf-list-pagination-nc" xmlns:a="urn:a"><where>a:x &gt; 1</where><sort-by>a:x</sort-by><direction>backwards</direction><cursor>c&lt;</cursor><offset>7</offset><limit>10</limit><sublist-limit>2</sublist-limit></list-pagination></get>`},
		{"get-data in the order of its module", func(ctx context.Context, c *Client) error {
			_, err := c.GetData(ctx, "operational", Filter{}, NMDADefaults("report-all"), WithOrigin(), MaxDepth(3), ConfigFilter(false))
			return err
		}, `<get-data` + nmda + `><datastore>ds:operational</datastore><config-filter>false</config-filter><max-depth>3</max-depth><with-origin/><with-defaults>report-all</with-defaults></get-data>`},
		{"edit-config", func(ctx context.Context, c *Client) error {
			return c.EditConfig(ctx, "candidate", config, "none", Element(`<x xmlns="urn:x"/>`), ErrorOption("rollback-on-error"), TestOption("test-only"))
		}, `<edit-config><target><candidate/></target><default-operation>none</default-operation><test-option>test-only</test-option><error-option>rollback-on-error</error-option><x xmlns="urn:x"/><config` + nc + `><a xmlns="urn:a"/></config></edit-config>`},
		{"edit-data", func(ctx context.Context, c *Client) error {
			return c.EditData(ctx, "running", config, "replace")
		}, `<edit-data` + nmda + `><datastore>ds:running</datastore><default-operation>replace</default-operation><config` + nc + `><a xmlns="urn:a"/></config></edit-data>`},
		{"copy-config", func(ctx context.Context, c *Client) error {
			return c.CopyConfig(ctx, Location{Datastore: "running"}, Location{URL: "file:a&b"})
		}, `<copy-config><target><url>file:a&amp;b</url></target><source><running/></source></copy-config>`},
		{"delete-config", func(ctx context.Context, c *Client) error {
			return c.DeleteConfig(ctx, Location{Datastore: "startup"})
		}, `<delete-config><target><startup/></target></delete-config>`},
		{"validate", func(ctx context.Context, c *Client) error {
			return c.Validate(ctx, Location{Config: config})
		}, `<validate><source><config` + nc + `><a xmlns="urn:a"/></config></source></validate>`},
		{"commit", func(ctx context.Context, c *Client) error { return c.Commit(ctx, Commit{}) }, `<commit></commit>`},
		{"confirmed commit", func(ctx context.Context, c *Client) error {
			return c.Commit(ctx, Commit{Confirmed: true, Timeout: 1500 * time.Millisecond, Persist: "p", PersistID: "q"})
		}, `<commit><confirmed/><confirm-timeout>2</confirm-timeout><persist>p</persist><persist-id>q</persist-id></commit>`},
		{"cancel-commit", func(ctx context.Context, c *Client) error { return c.CancelCommit(ctx, "<") }, `<cancel-commit><persist-id>&lt;</persist-id></cancel-commit>`},
		{"discard-changes", func(ctx context.Context, c *Client) error { return c.DiscardChanges(ctx) }, `<discard-changes/>`},
		{"partial-unlock", func(ctx context.Context, c *Client) error { return c.PartialUnlock(ctx, 9) },
			`<partial-unlock xmlns="urn:ietf:params:xml:ns:netconf:partial-lock:1.0"><lock-id>9</lock-id></partial-unlock>`},
		{"action", func(ctx context.Context, c *Client) error { _, err := c.Action(ctx, config); return err },
			`<action xmlns="urn:ietf:params:xml:ns:yang:1"><a xmlns="urn:a"/></action>`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := requestOf(t, "<ok/>", tt.call); got != tt.want {
				t.Errorf("request (-want +got):\n%s", cmp.Diff(tt.want, got))
			}
		})
	}
}

// requestOf returns what a call has sent, which is answered with the content.
func requestOf(t *testing.T, content string, call func(ctx context.Context, c *Client) error) (got string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c, f := connect(t, serverHello, Config{})
		defer c.Close()
		go f.serve(func(request string) string {
			got = strings.TrimSuffix(request[strings.Index(request, ">")+1:], "</rpc>")
			return content
		})
		if err := call(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	})
	return got
}

func TestPartialLock(t *testing.T) {
	const space = `xmlns="urn:ietf:params:xml:ns:netconf:partial-lock:1.0"`
	got := requestOf(t, `<lock-id `+space+`>127</lock-id><locked-node `+space+` xmlns:a="urn:a"> /a:x[a:k='1'] </locked-node>`,
		func(ctx context.Context, c *Client) error {
			id, nodes, err := c.PartialLock(ctx, []string{"/a:x[1<2]", "/a:y"}, map[string]string{"a": "urn:a"})
			if id != 127 || !cmp.Equal(nodes, []string{"/a:x[a:k='1']"}) {
				t.Errorf("PartialLock = %d, %q", id, nodes)
			}
			return err
		})
	if want := `<partial-lock ` + space + ` xmlns:a="urn:a"><select>/a:x[1&lt;2]</select><select>/a:y</select></partial-lock>`; got != want {
		t.Errorf("request (-want +got):\n%s", cmp.Diff(want, got))
	}
	for _, content := range []string{"<ok/>", `<lock-id ` + space + `>many</lock-id>`} {
		requestOf(t, content, func(ctx context.Context, c *Client) error {
			if _, _, err := c.PartialLock(ctx, []string{"/x"}, nil); !errors.Is(err, ErrProtocol) {
				t.Errorf("PartialLock answered with %s = %v, want ErrProtocol", content, err)
			}
			return nil
		})
	}
}
