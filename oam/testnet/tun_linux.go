package testnet

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// tun makes a TUN device in the namespace of a host. The file stays usable everywhere;
// closing it removes the device.
func tun(h *Host, name string) (*os.File, error) {
	type opened struct {
		file *os.File
		err  error
	}
	done := make(chan opened)
	go func() {
		// The thread has left the namespace of the process for good: it ends with the goroutine
		// that never unlocks it.
		runtime.LockOSThread()
		f, err := tunHere(h, name)
		done <- opened{f, err}
	}()
	o := <-done
	return o.file, o.err
}

func tunHere(h *Host, name string) (*os.File, error) {
	ns, err := os.Open("/run/netns/" + h.Namespace)
	if err != nil {
		return nil, err
	}
	defer ns.Close()
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil, os.NewSyscallError("setns", err)
	}
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("open /dev/net/tun", err)
	}
	request, err := unix.NewIfreq(name)
	if err == nil {
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("ioctl TUNSETIFF", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}
