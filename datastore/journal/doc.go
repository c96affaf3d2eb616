// Package journal keeps notifications in the order in which they happened,
// durably, and lets any number of readers follow them at their own pace.
//
// A [Record] is written inside the transaction that changes the state which it
// announces ([Journal.Stage]), and shown to readers once that transaction is on
// disk ([Batch.Publish]). Readers each have a [Cursor]; one that was away goes
// on where it stopped.
//
// # Streams
//
// Each record belongs to one stream at most besides [NETCONF], which has all records
// [RFC 5277 section 3.2.3] but those of streams apart [RFC 8639 section 2.1].
// Sequence numbers count over all streams: 1, 2, 3 and so on, without gaps, and are
// never used again.
//
// Each stream keeps its records as long as its [Retention] says ([Journal.Trim]). A row is
// deleted when neither NETCONF nor the record's own stream keeps it. So from the oldest
// record of NETCONF on all rows are there, and before it those of streams that keep more.
//
// # Concurrency
//
// There is one writer: Stage, Publish and Discard are called by one goroutine at
// a time, in this order. Everything else may be called at any time from anywhere,
// except from within a transaction of the store, and a Cursor belongs to one
// goroutine. Publish never waits for a reader. The latest records are kept in
// memory, bounded by number and bytes, so that whoever keeps up does not touch
// the disk; who is further behind reads chunks of a few hundred records, each in
// a short transaction. No cursor holds a transaction while it waits, or memory
// beyond its chunk. Those who wait are woken together, by the closing of a channel.
//
// # Keys
//
// Table "journal": the sequence number, 8 bytes, to the record: a byte 1 for the
// format, the time as nanoseconds since 1970 (8 bytes), the sum of the sizes of
// all rows before it (8 bytes), the length (varint) and text of the stream, the
// same of the name, and the body. Table "journal-info": "created" to the time of
// creation (8 bytes), "aged" to sequence number and time of the last record that
// retention took from NETCONF (8 bytes each); "log/" and the name of another stream to the
// number behind the last record that retention took from it, the time of that record, 0
// for none, and the bytes of what it keeps, up to the record of "counted" (8 bytes each); "last " and
// the name of a stream apart to the key and the row of the last record that retention took
// from it. Numbers are big-endian. Rows are only appended at the end, so times are found by
// binary search, and so are sizes in NETCONF.
package journal
