package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"incidentd/netconf/client"
	"incidentd/netconf/transport"
	"incidentd/netconf/transport/memconn"
	"incidentd/yang/rpcerr"
)

// A server that holds a lock, for the example.
func locked(rw io.ReadWriter) {
	const base = `xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"`
	r, w := transport.NewReader(rw, 0), transport.NewWriter(rw)
	w.WriteMessage([]byte(`<hello ` + base + `><capabilities><capability>` + client.Base11 +
		`</capability></capabilities><session-id>1</session-id></hello>`))
	r.ReadMessage()
	r.Upgrade()
	w.Upgrade()
	for {
		m, err := r.ReadMessage()
		if err != nil {
			return
		}
		_, id, _ := strings.Cut(string(m), `message-id="`)
		id, _, _ = strings.Cut(id, `"`)
		w.WriteMessage(fmt.Appendf(nil, `<rpc-reply %s message-id="%s">%s</rpc-reply>`, base, id, rpcerr.LockDenied(4).AppendXML(nil)))
	}
}

func Example() {
	near, far := memconn.Pipe()
	go locked(far)
	ctx := context.Background()
	c, err := client.New(ctx, near, client.Config{}) // over the network: client.Dial
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	err = c.Lock(ctx, "running")
	var refused *rpcerr.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Tag, "by", refused.Info[0].Value)
	}
	// Output: lock-denied by 4
}
