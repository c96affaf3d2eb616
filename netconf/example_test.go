package netconf_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"
	"testing/fstest"

	"incidentd/datastore"
	"incidentd/datastore/journal"
	"incidentd/datastore/kv"
	"incidentd/netconf"
	"incidentd/netconf/client"
	"incidentd/netconf/transport/memconn"
	"incidentd/yang"
)

const greeting = `module greeting {
  namespace "urn:example:greeting"; prefix g;
  rpc greet { input { leaf name { type string; mandatory true; } } output { leaf text { type string; } } }
}`

// userConn says who a connection belongs to.
type userConn struct{ net.Conn }

func (userConn) User() string { return "ann" }
func (c userConn) Abort()     { c.Close() }

// A server with one operation, and a client of it.
func Example() {
	schema, err := yang.Compile(fstest.MapFS{"greeting.yang": {Data: []byte(greeting)}}, yang.Options{})
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	db, err := kv.Open(filepath.Join(dir, "store.db"), kv.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	j, err := journal.Open(db, journal.Options{})
	if err != nil {
		log.Fatal(err)
	}
	store, err := datastore.Open(db, j, schema, datastore.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()

	server, err := netconf.New(netconf.Config{Store: store})
	if err != nil {
		log.Fatal(err)
	}
	err = server.Handle("greeting", "greet", func(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
		return &netconf.Reply{Output: r.Output().Leaf("text", r.Session.User()+" greets "+r.Input.Leaf("name")).Node()}, nil
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	near, far := memconn.Pipe()
	go server.Serve(ctx, userConn{far})

	c, err := client.New(ctx, near, client.Config{})
	if err != nil {
		log.Fatal(err)
	}
	reply, err := c.Call(ctx, []byte(`<greet xmlns="urn:example:greeting"><name>bob</name></greet>`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(reply.Raw))
	_, err = c.Call(ctx, []byte(`<greet xmlns="urn:example:greeting"/>`))
	fmt.Println(err)
	c.Close()
	if err := server.Stop(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// <rpc-reply xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="1"><text xmlns="urn:example:greeting">ann greets bob</text></rpc-reply>
	// missing-element: the mandatory leaf "name" is missing [/g:greet/g:name]
}
