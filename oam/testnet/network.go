package testnet

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
)

// networks numbers those of this process.
var networks atomic.Int64

// Missing tells what keeps this machine from having networks of namespaces, "" when
// nothing does.
func Missing() string {
	if runtime.GOOS != "linux" {
		return "network namespaces are a matter of Linux"
	}
	if os.Geteuid() != 0 {
		return "network namespaces need root"
	}
	if _, err := exec.LookPath("ip"); err != nil {
		return "the command ip is not installed (apt: iproute2)"
	}
	// A container may have root and still not the right to make a namespace.
	probe := fmt.Sprintf("incidentd-%d-probe", os.Getpid())
	if err := ip("netns", "add", probe); err != nil {
		return "network namespaces cannot be made here: " + err.Error()
	}
	ip("netns", "del", probe)
	return ""
}

// Network is a set of hosts. It is not for concurrent use.
type Network struct {
	prefix string
	hosts  []*Host
}

// New makes a network without hosts.
func New() *Network {
	return &Network{prefix: fmt.Sprintf("incidentd-%d-%d-", os.Getpid(), networks.Add(1))}
}

// Host is a namespace of a network.
type Host struct {
	// Name is the one it was made with.
	Name string
	// Namespace is its name for `ip netns`.
	Namespace string
}

// Host makes a namespace with its loopback interface up.
func (n *Network) Host(name string) (*Host, error) {
	h := &Host{Name: name, Namespace: n.prefix + name}
	if err := ip("netns", "add", h.Namespace); err != nil {
		return nil, err
	}
	n.hosts = append(n.hosts, h)
	return h, h.Up("lo")
}

// Router makes a host that forwards IPv4 and IPv6.
func (n *Network) Router(name string) (*Host, error) {
	h, err := n.Host(name)
	if err != nil {
		return nil, err
	}
	for _, path := range []string{"ipv4/ip_forward", "ipv6/conf/all/forwarding"} {
		set := h.Command(context.Background(), "sh", "-c", "echo 1 >/proc/sys/net/"+path)
		if err := run(set); err != nil {
			return nil, fmt.Errorf("testnet: %s forwards nothing: %w", name, err)
		}
	}
	return h, nil
}

// End is where a link ends. A nil Host is the namespace of the process itself.
type End struct {
	Host      *Host
	Interface string
	// Address is given to the interface when it is valid.
	Address netip.Prefix
}

// Link lays a veth pair between two ends and takes both up.
func (n *Network) Link(a, b End) error {
	args := []string{"link", "add", a.Interface}
	if a.Host != nil {
		args = append(args, "netns", a.Host.Namespace)
	}
	args = append(args, "type", "veth", "peer", "name", b.Interface)
	if b.Host != nil {
		args = append(args, "netns", b.Host.Namespace)
	}
	if err := ip(args...); err != nil {
		return err
	}
	for _, e := range []End{a, b} {
		if e.Address.IsValid() {
			if err := e.Host.Address(e.Interface, e.Address); err != nil {
				return err
			}
		}
		if err := e.Host.Up(e.Interface); err != nil {
			return err
		}
	}
	return nil
}

// Close removes the namespaces. What still runs in them keeps running, without a way to
// anywhere: whoever started it stops it first.
func (n *Network) Close() error {
	var errs []error
	for _, h := range n.hosts {
		errs = append(errs, ip("netns", "del", h.Namespace))
	}
	n.hosts = nil
	return errors.Join(errs...)
}

// Address adds an address to an interface. Addresses of IPv6 are usable at once: nothing
// looks for duplicates.
func (h *Host) Address(name string, address netip.Prefix) error {
	args := []string{"address", "add", address.String(), "dev", name}
	if address.Addr().Is6() {
		args = append(args, "nodad")
	}
	return h.ip(args...)
}

// Up takes an interface up.
func (h *Host) Up(name string) error { return h.ip("link", "set", name, "up") }

// Down takes an interface down; the other end loses its carrier.
func (h *Host) Down(name string) error { return h.ip("link", "set", name, "down") }

// Route adds a route to a destination by a gateway.
func (h *Host) Route(to netip.Prefix, gateway netip.Addr) error {
	return h.ip("route", "add", to.String(), "via", gateway.String())
}

// Command is a command that runs in the namespace. The process is the command's own, so
// that killing it stops the command.
func (h *Host) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", h.Namespace, name}, args...)...)
}

// ip runs iproute2's ip in the namespace of the host.
func (h *Host) ip(args ...string) error {
	if h == nil {
		return ip(args...)
	}
	return ip(append([]string{"-n", h.Namespace}, args...)...)
}

// ip runs iproute2's ip.
func ip(args ...string) error { return run(exec.Command("ip", args...)) }

// run runs a command and has what it says in the error.
func run(cmd *exec.Cmd) error {
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	if said := strings.TrimSpace(string(out)); said != "" {
		return fmt.Errorf("%s: %s", strings.Join(cmd.Args, " "), said)
	}
	return fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
}
