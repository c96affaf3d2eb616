package netconf_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"incidentd/netconf"
	"incidentd/netconf/netconftest"
)

// Messages that are half read take memory that all sessions share. Who comes when it is
// spent is refused, unless he wants little, and it is there again when a session ends.
func TestMemory(t *testing.T) {
	inBubble(t, netconftest.Config{Limits: netconf.Limits{Memory: 1 << 20}}, func(t *testing.T, b *netconftest.Bench) {
		half := func(p *netconftest.Peer, size int) {
			go fmt.Fprintf(p.Conn, "\n#%d\n%s", 8<<20, strings.Repeat(" ", size)) // the refused one fails
			synctest.Wait()
		}
		check := func(memory, refused uint64) {
			t.Helper()
			if s := b.Server.Stats(); s.Memory != memory || s.Refused != refused {
				t.Errorf("the memory is %d and %d messages were refused, want %d and %d", s.Memory, s.Refused, memory, refused)
			}
		}
		const free = 64 << 10
		first, second, small := open(t, b, 0), open(t, b, 0), open(t, b, 0)
		half(first, free+1000<<10)
		check(1000<<10, 0)
		half(second, free+20<<10)
		check(1020<<10, 0)
		third := open(t, b, 0)
		half(third, free+100<<10)
		reply, err := third.R.ReadMessage()
		if err != nil || !strings.Contains(string(reply), "<error-tag>too-big</error-tag>") {
			t.Errorf("beyond the bound: %s, %v", reply, err)
		}
		if _, err := third.R.ReadMessage(); err != io.EOF {
			t.Errorf("after that: %v, want the end", err)
		}
		synctest.Wait()
		check(1020<<10, 1)
		get := rpc(1, `<get-config><source><running/></source></get-config>`)
		if reply, err := small.Ask(get); err != nil || !strings.Contains(reply, "<data/>") {
			t.Errorf("a small request: %s, %v", reply, err)
		}
		first.Conn.Close()
		synctest.Wait()
		check(20<<10, 1)
		if reply, err := small.Ask(get + strings.Repeat(" ", 900<<10)); err != nil || !strings.Contains(reply, "<data/>") {
			t.Errorf("a large request when there is room: %s, %v", reply, err)
		}
		second.Conn.Close()
		synctest.Wait()
		check(0, 1)
	})
}
