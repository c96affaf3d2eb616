package journal

import (
	"encoding/binary"
	"time"
)

// Record is a notification in the journal. It is shared by all readers and must
// not be changed.
type Record struct {
	Seq    uint64    // 1, 2, 3 … over all streams
	Time   time.Time // of the append, UTC, never before that of the record before
	Stream string    // the stream besides NETCONF; empty if it is in no other
	Name   string    // qualified, such as "ietf-incident:incident-notification"
	Body   []byte    // the element of the notification's content, as XML
}

// Draft is what is to become a Record. Its Body belongs to the journal from then
// on.
type Draft struct {
	Stream string // a name of Streams; NETCONF or empty for no other than NETCONF
	Name   string
	Body   []byte
}

// format is the first byte of a row.
const format = 1

// headSize is the part of a row in front of its texts.
const headSize = 1 + 8 + 8

// key is the key of a row.
func key(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

// unkey is the sequence number of a key.
func unkey(k []byte) (uint64, error) {
	if len(k) != 8 {
		return 0, damaged("a key of %d bytes", len(k))
	}
	return binary.BigEndian.Uint64(k), nil
}

// encode is the row of a record; offset is the size of all rows before it.
func encode(r *Record, offset uint64) []byte {
	b := make([]byte, 0, headSize+2*binary.MaxVarintLen32+len(r.Stream)+len(r.Name)+len(r.Body))
	b = append(b, format)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Time.UnixNano()))
	b = binary.BigEndian.AppendUint64(b, offset)
	for _, text := range []string{r.Stream, r.Name} {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	return append(b, r.Body...)
}

// rowSize is what a row counts for retention.
func rowSize(row []byte) uint64 { return 8 + uint64(len(row)) }

// head is the part of a row that searches look at.
type head struct {
	time   time.Time
	offset uint64
}

// decodeHead reads the front of a row.
func decodeHead(row []byte) (head, error) {
	if len(row) < headSize || row[0] != format {
		return head{}, damaged("a row of %d bytes is no record", len(row))
	}
	return head{decodeTime(row[1:]), binary.BigEndian.Uint64(row[9:])}, nil
}

// streamOf is the stream of a row.
func streamOf(row []byte) (string, error) {
	if _, err := decodeHead(row); err != nil {
		return "", err
	}
	stream, _, err := decodeText(row[headSize:])
	return string(stream), err
}

func decodeTime(b []byte) time.Time {
	return time.Unix(0, int64(binary.BigEndian.Uint64(b))).UTC()
}

// decode reads a row. If wanted refuses its stream the result is nil. Nothing
// of the result lies in the row's memory.
func decode(seq uint64, row []byte, wanted func(stream []byte) bool) (*Record, error) {
	h, err := decodeHead(row)
	if err != nil {
		return nil, err
	}
	stream, rest, err := decodeText(row[headSize:])
	if err != nil {
		return nil, err
	}
	name, body, err := decodeText(rest)
	if err != nil {
		return nil, err
	}
	if !wanted(stream) {
		return nil, nil
	}
	return &Record{
		Seq:    seq,
		Time:   h.time,
		Stream: string(stream),
		Name:   string(name),
		Body:   append([]byte{}, body...),
	}, nil
}

func decodeText(b []byte) (text, rest []byte, err error) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return nil, nil, damaged("a record is cut short")
	}
	b = b[size:]
	return b[:n], b[n:], nil
}
