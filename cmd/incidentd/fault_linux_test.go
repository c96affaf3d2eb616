package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"incidentd/netconf/client"
	"incidentd/yang/rpcerr"
)

func hostname(name string) []byte {
	return []byte(`<system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"><hostname>` + name + `</hostname></system>`)
}

func filterOf(t *testing.T, c *client.Client, elements string) string {
	t.Helper()
	r, err := c.GetConfig(t.Context(), "running", client.Subtree(elements))
	if err != nil {
		t.Fatal(err)
	}
	return string(r.Raw)
}

const onlyHostname = `<system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"><hostname/></system>`

// A file system that is full: changes are refused and say why, reading goes on, and once
// there is room again changes are taken, without a restart.
func TestFullFileSystem(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting a file system needs root")
	}
	mount := t.TempDir()
	if err := syscall.Mount("tmpfs", mount, "tmpfs", 0, "size=24m"); err != nil {
		t.Skip("no file system can be mounted here:", err)
	}
	t.Cleanup(func() { syscall.Unmount(mount, syscall.MNT_DETACH) })
	dir := filepath.Join(mount, "data")
	must(t, password+"\n", "init", "--data", dir, "--password-stdin")
	p := serveAt(t, dir)
	c := p.session()
	if err := c.EditConfig(t.Context(), "running", hostname("before"), ""); err != nil {
		t.Fatal(err)
	}
	filler, err := os.Create(filepath.Join(mount, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	for chunk := make([]byte, 64<<10); err == nil; {
		_, err = filler.Write(chunk)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	filler.Close()
	// There may be room in the store itself for some changes.
	var b strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&b, `<node><node-id>a-node-of-a-rather-long-name-%d</node-id></node>`, i)
	}
	var refused *rpcerr.Error
	for i := 0; err == nil || errors.Is(err, syscall.ENOSPC); i++ {
		if i > 100 {
			t.Fatal("a full file system takes everything")
		}
		err = c.EditConfig(t.Context(), "running", fmt.Appendf(nil, `<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network"><network><network-id>n%d</network-id>%s</network></networks>`, i, b.String()), "")
	}
	if !errors.As(err, &refused) || refused.Tag != rpcerr.TagResourceDenied || !strings.Contains(refused.Message, "disk") {
		t.Fatalf("a change on a full file system: %v, want resource-denied for the disk", err)
	}
	if text := filterOf(t, c, onlyHostname); !strings.Contains(text, "before") {
		t.Errorf("what was stored: %s", text)
	}
	if err := os.Remove(filler.Name()); err != nil {
		t.Fatal(err)
	}
	if err := c.EditConfig(t.Context(), "running", hostname("after"), ""); err != nil {
		t.Fatalf("with room again: %v", err)
	}
	p.kill()
	must(t, "", "check", "--data", dir)
	if text := filterOf(t, serveAt(t, dir).session(), onlyHostname); !strings.Contains(text, "after") {
		t.Errorf("after a restart: %s", text)
	}
}

// Without file descriptors nobody can connect, those who are there work on, and once there
// are some again others can connect.
func TestNoFiles(t *testing.T) {
	dir := initialised(t)
	p := serveAt(t, dir)
	c := p.session()
	if err := c.EditConfig(t.Context(), "running", hostname("first"), ""); err != nil {
		t.Fatal(err)
	}
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	if err != nil {
		t.Skip(err)
	}
	limit := uint64(len(open)) + 4
	if err := prlimit(p.cmd.Process.Pid, syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: limit, Max: limit + 1024}); err != nil {
		t.Skipf("the limit of another process cannot be set: %v", err)
	}
	var strangers []net.Conn
	for range 32 {
		if s, err := net.Dial("tcp", p.addr); err == nil {
			strangers = append(strangers, s)
		}
	}
	p.log.await(t, "too many open files")
	for i := range 20 {
		if err := c.EditConfig(t.Context(), "running", hostname(fmt.Sprintf("h%d", i)), ""); err != nil {
			t.Fatalf("a change meanwhile: %v", err)
		}
	}
	if text := filterOf(t, c, onlyHostname); !strings.Contains(text, "h19") {
		t.Errorf("a read meanwhile: %s", text)
	}
	for _, s := range strangers {
		s.Close()
	}
	if text := filterOf(t, p.session(), onlyHostname); !strings.Contains(text, "h19") {
		t.Errorf("a session afterwards: %s", text)
	}
	p.kill()
	must(t, "", "check", "--data", dir)
}

// memoryGroup is the file that puts processes into a control group which may take so much
// memory.
func memoryGroup(t *testing.T, bytes int) (procs string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("control groups need root")
	}
	name := fmt.Sprintf("incidentd-test-%d", os.Getpid())
	for _, v := range []struct{ root, limit string }{
		{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
		{"/sys/fs/cgroup", "memory.max"},
	} {
		dir := filepath.Join(v.root, name)
		if os.Mkdir(dir, 0o755) != nil {
			continue
		}
		t.Cleanup(func() {
			for range 100 { // until its processes are gone
				if os.Remove(dir) == nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		})
		if os.WriteFile(filepath.Join(dir, v.limit), []byte(strconv.Itoa(bytes)), 0) != nil {
			continue
		}
		return filepath.Join(dir, "cgroup.procs")
	}
	t.Skip("no control group for memory can be made here")
	return ""
}

// In a control group with little memory the server is loaded with what takes much more: it
// survives or it is killed, and what was acknowledged is there in either case.
func TestMemoryGroup(t *testing.T) {
	dir := initialised(t)
	procs := memoryGroup(t, littleMemory)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := listens(t, spawnIn(t, "/bin/sh", "-c", `echo $$ >"$0" && exec "$@"`, procs, self, "serve", "--data", dir, "--listen", "127.0.0.1:0"))
	if !strings.Contains(p.log.String(), "heeds the control group's memory limit") {
		t.Errorf("the server does not know its limit:\n%s", p.log)
	}
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	var all sync.WaitGroup
	var body strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&body, `<node><node-id>node-%d</node-id></node>`, i)
	}
	for k := range 6 {
		c := p.session()
		all.Go(func() {
			for i := range 6 {
				name := fmt.Sprintf("net-%d-%d", k, i)
				edit := `<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network"><network><network-id>` + name + `</network-id>` + body.String() + `</network></networks>`
				if err := c.EditConfig(t.Context(), "running", []byte(edit), ""); err != nil {
					t.Log(name, err)
					return
				}
				mu.Lock()
				acknowledged[name] = true
				mu.Unlock()
				if _, err := c.GetConfig(t.Context(), "running", client.Filter{}); err != nil {
					return
				}
			}
		})
	}
	all.Wait()
	select {
	case err := <-p.done:
		t.Logf("the server ended: %v", err)
	default:
		t.Log("the server survived")
		p.kill()
	}
	must(t, "", "check", "--data", dir)
	r, err := serveAt(t, dir).session().GetConfig(t.Context(), "running", client.Subtree(`<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network"><network><network-id/></network></networks>`))
	if err != nil {
		t.Fatal(err)
	}
	for name := range acknowledged {
		if !bytes.Contains(r.Raw, []byte("<network-id>"+name+"</network-id>")) {
			t.Errorf("%s was acknowledged and is not there", name)
		}
	}
	if len(acknowledged) == 0 {
		t.Error("nothing was acknowledged: the test has shown nothing")
	}
}
