// Package schedule tells when something is due that is scheduled as ietf-schedule says
// [draft-ietf-netmod-schedule-yang]: a period of time, and a recurrence beside it; and it
// wakes who waits for that, for hundreds of thousands of schedules.
//
// # Meaning
//
// The first member of a recurrence is its own start (utc-start-time) or that of the period.
// The others step from it, each computed from the first and not from the one before, so
// that nothing drifts. Steps of seconds, minutes and hours are elapsed time. Steps of days,
// weeks, months and years keep the time on the wall of the zone: UTC if the recurrence
// starts by utc-start-time, else the time-zone-identifier, else the offset of the start.
//
//   - A time that a zone leaves out is taken with the offset before the gap, as RFC 5545
//     section 3.3.5 says: 02:30 becomes 03:30. One that it has twice is the first.
//   - A date that a month or year does not have is left out, and not counted.
//   - Two members at one instant, where a zone has left out a day, are one.
//
// Count and until bound the set; then the period clips it, its end excluded. Members that
// are clipped or in the past use up the count all the same, so that it needs no memory
// and is right after any restart.
//
// A period beside a recurrence is one of two things, see Role: how long each member lasts,
// or where the recurrence begins and ends.
//
// # Cost
//
// Rule.Next jumps to the member and is independent of how many there were: well below a
// microsecond. Zones are those of the system, or of the table in the binary where the
// system has none.
//
// # Concurrency
//
// Plans and rules never change. A Timer has one goroutine, that of Run, which calls what is
// due; see there.
package schedule
