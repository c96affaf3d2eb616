package server

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// controlFile is the socket by which the commands of the same user reach a running
// server. The directory keeps others away from it.
const controlFile = "control"

// controlTime bounds how long the other end of the socket may keep silent.
const controlTime = 30 * time.Second

// controlBackup asks for a backup, controlProfile with a profileRequest as JSON for a
// profile. Both are answered with pieces, each after its length in four bytes,
// big-endian; one of no bytes ends them and is followed by the text of an error, none for
// success.
const (
	controlBackup  = "backup\n"
	controlProfile = "profile "
)

// controlLine bounds the line of a command in bytes.
const controlLine = 1 << 20

// controlAddr is the address of a directory's socket. The name of a socket must be
// short, so it is reached through an open directory, which has to be kept open.
func controlAddr(path string) (addr string, dir *os.File, err error) {
	dir, err = os.Open(path)
	if err != nil {
		return "", nil, err
	}
	return filepath.Join("/proc/self/fd", strconv.Itoa(int(dir.Fd())), controlFile), dir, nil
}

// control serves the socket until the returned function is called.
func (s *Server) control(d *directory) (func(context.Context) error, error) {
	addr, dir, err := controlAddr(d.path)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	// One that is left over from a crash: the lock says that nobody serves it.
	if err := os.Remove(d.file(controlFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	ln, err := net.Listen("unix", addr)
	if err != nil {
		return nil, err
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := os.Chmod(d.file(controlFile), 0o600); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				stop := context.AfterFunc(ctx, func() { c.Close() })
				defer stop()
				defer c.Close()
				if err := s.command(ctx, d, c); err != nil && ctx.Err() == nil {
					s.log.Warn("a command to the running server failed", "err", err)
				}
			})
		}
	})
	return func(context.Context) error {
		cancel()
		err := errors.Join(ln.Close(), os.Remove(d.file(controlFile)))
		running.Wait()
		return err
	}, nil
}

// command answers one command.
func (s *Server) command(ctx context.Context, d *directory, c net.Conn) error {
	peer := c
	c = impatient{c}
	line, err := bufio.NewReader(io.LimitReader(c, controlLine)).ReadString('\n')
	if err != nil {
		return fmt.Errorf("reading the command: %w", err)
	}
	if request, ok := strings.CutPrefix(line, controlProfile); ok {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		go func() { // until the peer goes away or is answered
			peer.SetReadDeadline(time.Time{})
			peer.Read(make([]byte, 1))
			cancel()
		}()
		return answerPieces(c, func(w io.Writer) error { return writeProfile(ctx, []byte(request), w) })
	}
	if line != controlBackup {
		return s.answerLocal(ctx, []byte(strings.TrimSuffix(line, "\n")), c)
	}
	// One at a time: they share the place where the store is copied to.
	s.copying.Lock()
	defer s.copying.Unlock()
	err = answerPieces(c, func(w io.Writer) error { return d.backup(s.store.db, w) })
	s.audit.Command("backup", "", err)
	return err
}

// answerPieces answers with what a function writes, and with its error.
func answerPieces(c net.Conn, write func(io.Writer) error) error {
	w := bufio.NewWriterSize(pieces{c}, 64<<10)
	err := write(w)
	if err == nil {
		err = w.Flush()
	}
	end := make([]byte, 4)
	if err != nil {
		end = append(end, err.Error()...)
	}
	_, werr := c.Write(end)
	return errors.Join(err, werr)
}

// impatient gives up on a peer that keeps silent.
type impatient struct{ net.Conn }

func (c impatient) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(controlTime)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c impatient) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(controlTime)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// pieces writes what it gets after its length.
type pieces struct{ w io.Writer }

func (p pieces) Write(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if _, err := p.w.Write(binary.BigEndian.AppendUint32(nil, uint32(len(b)))); err != nil {
		return 0, err
	}
	return p.w.Write(b)
}

// askPieces has the server that uses a directory answer a command with pieces. inUse is the
// error when no server answers, as another command has the directory then.
func askPieces(path, command string, w io.Writer, inUse error) error {
	addr, dir, err := controlAddr(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	conn, err := net.Dial("unix", addr)
	if err != nil {
		return inUse
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, command); err != nil {
		return fmt.Errorf("the running server: %w", err)
	}
	// The server may work for long before it answers.
	r := bufio.NewReader(conn)
	for {
		var size [4]byte
		if _, err := io.ReadFull(r, size[:]); err != nil {
			return fmt.Errorf("the running server broke off: %w", err)
		}
		n := int64(binary.BigEndian.Uint32(size[:]))
		if n == 0 {
			break
		}
		if _, err := io.CopyN(w, r, n); err != nil {
			return fmt.Errorf("the running server broke off: %w", err)
		}
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if len(text) > 0 {
		return fmt.Errorf("the running server: %s", text)
	}
	return nil
}
