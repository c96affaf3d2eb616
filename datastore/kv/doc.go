// Package kv is the one durable store: tables of ordered keys, one writer,
// snapshot readers, in one file over bbolt.
//
// A [DB] is read with [DB.View] and written with [DB.Update]. An Update is one
// transaction: when it returns nil everything it wrote is on disk (fsync), and
// when it returns an error nothing of it is there, not after a crash either.
//
// # Concurrency
//
// Any number of Views run at once, each on the state of the last commit before
// it began; they neither wait for an Update nor hold one up. Updates run one
// after the other. Neither may be called from within the function of another
// View or Update of the same DB: that can deadlock. Functions given to View
// should be short, because pages that a snapshot needs cannot be reused while
// it lasts; read in chunks, and never wait for anybody inside.
//
// A [Reader] or [Writer] belongs to the goroutine of its transaction. Keys and
// values that it returns are valid until the transaction ends and must not be
// changed; what is needed longer has to be copied.
//
// # Layout
//
// The file is a bbolt file. Each table is a bucket of the root, made by the
// first Put; keys are compared bytewise; numbers in keys are big-endian. Each
// row's value is followed by four bytes, the CRC-32C of the table's row key and
// the value, big-endian, so that a flipped bit is seen when the row is read. The
// layout version, [LayoutVersion], covers all tables and is raised when the
// meaning of any of them changes in a way that older programs would misread. The
// tables of layout 4, each described by the package that owns it:
//
//	kv            this package: key "layout" = the layout version in decimal
//	journal       datastore/journal: the notifications, by sequence number
//	journal-info  datastore/journal: creation time and what retention deleted
//	names, running, startup, state, history, confirm
//	              datastore: the trees, and how they came to be
//
// Layout 1 had no startup, history and confirm. A program of layout 1 would change the
// configuration without its history, and would not revert a confirmed commit, so it
// must not open a file of layout 2. Layout 2 had a row for each leaf of the stored state,
// and its programs would not see those that stand in the row of their entry now; those of
// layout 3 would not see entries that stand in the row of another. A file of an older layout
// becomes one of layout 4 in the first transaction that this program makes in it; reading
// alone leaves it alone.
// Other tables, which packages above add, do not raise the version.
//
// # Damage and full disks
//
// [Open] reads the file's structure before anything is mapped into memory, so a
// damaged file is an error and no crash; [DB.Check] reads the rows as well. A
// disk that is full, or a file size limit, makes an Update fail with [ErrFull];
// the state before is kept, and later Updates work as soon as there is room. A file
// never gets smaller by itself; [Compact] makes it so. Under
// a file size limit (RLIMIT_FSIZE) the process must ignore SIGXFSZ, or the
// kernel ends it first. DESIGN.md tells why things are so.
package kv
