package client

import (
	"errors"
	"testing"

	"incidentd/yang/rpcerr"
)

// FuzzDecode: whatever a server sends is understood or a violation of the
// protocol.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(serverHello))
	f.Add([]byte(notification(1)))
	f.Add([]byte(reply(`message-id="1"`, "<data/>")))
	f.Add([]byte(reply(`message-id="1"`, string(rpcerr.LockDenied(7).At(rpcerr.Path{Expr: "/a:b", Prefixes: []rpcerr.Prefix{{Prefix: "a", Namespace: "urn:a"}}}).AppendXML(nil)))))
	f.Fuzz(func(t *testing.T, msg []byte) {
		if h, err := decodeHello(msg); err == nil && h.sessionID == 0 || err != nil && !errors.Is(err, ErrProtocol) {
			t.Fatalf("decodeHello = %+v, %v", h, err)
		}
		env, err := decodeEnvelope(msg)
		if err != nil {
			if !errors.Is(err, ErrProtocol) {
				t.Fatalf("decodeEnvelope = %v", err)
			}
			return
		}
		if env.notification {
			if _, err := newNotification(msg, env.eventTime).Event(); err != nil && !errors.Is(err, ErrProtocol) {
				t.Fatalf("Event = %v", err)
			}
			return
		}
		r, err := newReply(msg)
		if err != nil {
			if !errors.Is(err, ErrProtocol) {
				t.Fatalf("newReply = %v", err)
			}
			return
		}
		if _, err := r.Data(); err != nil && !errors.Is(err, ErrProtocol) {
			t.Fatalf("Data = %v", err)
		}
	})
}
