package socket

import (
	"net"
	"time"
)

// Frame is what Link.Receive tells of an Ethernet frame beside its content.
type Frame struct {
	Interface int       // the index of the one that it came by
	VLAN      uint16    // of its tag, which is not in the content; 0: it has none
	At        time.Time // as Message.At
	Kernel    bool
}

// Station is an interface of Ethernet.
type Station struct {
	Name    string
	Index   int
	Address net.HardwareAddr
	MTU     int
	Up      bool
}
