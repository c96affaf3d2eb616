package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	bin := flag.String("bin", "bin", "the `DIRECTORY` with incidentd and incctl")
	stay := flag.Bool("stay", false, "leave the network up at the end, until Ctrl-C")
	flag.Parse()
	if why := missing(); why != "" {
		fmt.Printf("notice: there is no lab here: %s\n", why)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := lab(ctx, *bin, *stay); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}

// lab builds the network, tells its story and takes it away.
func lab(ctx context.Context, bin string, stay bool) (err error) {
	bin, err = filepath.Abs(bin)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "incidentd-lab-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	// FRRouting drops root and still has to reach its files.
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	n, err := build(dir)
	defer func() { err = errors.Join(err, n.stop()) }()
	if err != nil {
		return err
	}
	s := &story{network: n, bin: bin}
	defer s.end()
	if err := s.tell(ctx); err != nil {
		s.evidence()
		return err
	}
	if stay {
		s.say("The network stays until Ctrl-C. A shell beside the server:\n\n    ip netns exec %s env %s bash\n", n.manager.Namespace, s.environment())
		<-ctx.Done()
	}
	return nil
}
