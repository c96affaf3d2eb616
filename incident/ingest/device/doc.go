// Package device is the source of alarms of a device that has the alarm list of RFC 8632
// and is spoken to over NETCONF.
//
// # Order
//
// A run subscribes first, on one session, and reads the alarm list then, on another: what
// changes in between is told twice rather than never, and a device needs neither
// :interleave [RFC 5277 section 6.4] nor replay. Where the device offers replay, it begins
// where the run before ended, so that alarms are told of that came and went meanwhile; the
// list is read after the replay.
//
// The list is a mark and sweep: alarms that it has are reported as they are, and those that
// were active and are no longer in it are cleared. If the device does not show a list, or one
// with alarms that cannot be understood, nothing is swept.
//
// # Memory
//
// The active alarms of each source are remembered from run to run, by the Kind, so that only
// changes are reported. They are remembered when their events are on disk.
//
// Which alarms may be active is on disk as well, from before their events are until after the
// events that end them are. When the server has begun anew it does not trust that to have been
// reported: the list is reported whole, and what stands in that memory and not in the list is
// over. So an alarm that ended and was purged while the server did not run is cleared.
//
// # Concurrency
//
// A run is one goroutine beside those of its clients. When the store is slow it does not read
// notifications, and the connection holds up the device.
package device
