// Package resolve cures incidents: the operation incident-resolve of ietf-incident, by the
// procedures of incidentd-resolution [draft-feng-opsawg-incident-management-01 section
// "Incident Resolution"].
//
// # A run
//
// A procedure that fits an incident is carried out by a run:
//
//	admitted      the request is answered when this is on disk
//	preparing     a device is logged in to, its candidate locked, changed and validated
//	applying      a confirmed commit, or a program
//	watching      until the incident is cleared, gets worse, or the time is over
//	confirming    the commit is made to stay
//	rolling-back  it is cancelled, or the program runs that takes the first one's work back
//	ended         with an outcome
//
// Each phase is on disk, with its notification, before what it stands for begins: whoever looks
// at the record knows what may hold in the network. A run that is open when a store is opened was cut off
// by the server's end. Nobody knows what has become of its cure meanwhile, so it is taken
// back: the commit is cancelled by its persist-id, if the device has not done so by itself
// when its time was over, and the program that leads back is run. Then it ends as interrupted.
//
// An incident that is merged into another has not been cured by that: the other one is
// watched in its place. Worse means a higher priority, more services hit, or more of them without
// service than when the run began, or that another incident is raised whose root cause is at the
// same node or at the device: the cure may have brought it about.
//
// # Programs
//
// Whoever may write the configuration could have anything run, if it told the path of a
// program. So it tells the name of a file in a directory that belongs to the server's user, which only he
// can put files into. They are run without a shell. Each argument is one as configured,
// values of the incident are put in only as such, and none of them can begin an option.
//
// # Alternatives
//
// Where there is no cure, or none has helped, the ways around what has failed are found: the
// shortest over the layer of links between the ends of what the hit services use, without
// what has failed, and without links that rest on the same section or card or are in one
// shared risk with it.
//
// # Layout
//
// One table, of the number of a run, eight bytes big-endian, to the run as JSON:
//
//	resolution-runs
//
// # Concurrency
//
// A run is a goroutine. What they share is guarded by the Manager's mutex, which nobody holds
// while he waits. Stop ends them as a crash would, in order that the server's end is quick.
package resolve
