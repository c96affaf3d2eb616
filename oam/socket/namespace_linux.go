package socket

import (
	"errors"
	"net"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"incidentd/oam"
)

// namespaces is where iproute2 keeps the network namespaces that have names.
const namespaces = "/run/netns/"

// In runs f where the vantage point's network instance is: in its namespace. Sockets that
// f opens stay there. f must not start goroutines that open sockets.
func In(v oam.Vantage, f func() error) error {
	if v.NetworkInstance == "" {
		return f()
	}
	target, err := os.Open(namespaces + v.NetworkInstance)
	if errors.Is(err, os.ErrNotExist) {
		if _, err := device(v.NetworkInstance); err != nil {
			return oam.Faultf(oam.NotPermitted, "network instance %s is neither a network namespace nor a VRF of this host", v.NetworkInstance)
		}
		return f() // a VRF: the sockets are bound to its device
	}
	if err != nil {
		return oam.Faultf(oam.NotPermitted, "network namespace %s: %w", v.NetworkInstance, err)
	}
	defer target.Close()

	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		own, err := os.Open("/proc/thread-self/ns/net")
		if err == nil {
			defer own.Close()
			err = os.NewSyscallError("setns", unix.Setns(int(target.Fd()), unix.CLONE_NEWNET))
		}
		if err != nil {
			runtime.UnlockOSThread()
			done <- oam.Faultf(oam.NotPermitted, "network namespace %s: %w", v.NetworkInstance, err)
			return
		}
		err = f()
		// A thread that cannot go back is not unlocked, and ends with the goroutine.
		if unix.Setns(int(own.Fd()), unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
		done <- err
	}()
	return <-done
}

// bound is the device to bind to: that of the vantage point, or that of its VRF; "" for
// none.
func bound(v oam.Vantage) string {
	if v.Interface != "" {
		return v.Interface
	}
	if v.NetworkInstance != "" {
		if _, err := os.Stat(namespaces + v.NetworkInstance); err != nil {
			return v.NetworkInstance
		}
	}
	return ""
}

// device finds an interface of the namespace one is in.
func device(name string) (*net.Interface, error) { return net.InterfaceByName(name) }
