package app

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"

	"incidentd/oam"
	"incidentd/oam/socket"
	"incidentd/oam/train"
)

const (
	// queryPackets are what an attempt takes: the question over UDP; where the answer is
	// truncated a SYN, its ACK, the question again, a FIN, and two more where something is lost.
	queryPackets = 7
	// querySize is the largest packet of them: that of a question about the longest name.
	querySize = 40 + 20 + 2 + 12 + 255 + 4 + 11
	// udpAnswer is the largest answer that is asked for over UDP, so that nothing fragments
	// it [RFC 9715].
	udpAnswer = 1232
)

// noData is the code of an answer without error and without a record of the type asked for
// [RFC 2308 section 2.2].
const noData = "NODATA"

// query is a test of dns-query.
type query struct {
	target   string
	port     uint16
	dscp     uint8
	name     string
	kind     uint16
	recurse  bool
	expected string   // the code
	answer   []dns.RR // that have to be in the answer
	attempts
}

// Query makes tests of dns-query; it is an oam.Engine. Each question is one packet of UDP
// from a port of its own, and is not repeated; where the answer is truncated it is asked
// again over TCP [RFC 7766], and the delay is that of both. What is no answer to the
// question is passed over [RFC 5452].
func Query(p oam.Params) (oam.Test, error) {
	q := &query{
		target:   p.String("target"),
		port:     uint16(p.Uint("destination-port")),
		dscp:     uint8(p.Uint("dscp")),
		name:     dns.Fqdn(p.String("query-name")),
		recurse:  p.Bool("recursion-desired"),
		expected: p.String("expected-rcode"),
		attempts: attempts{train.ReadPlan(p, querySize), queryPackets},
	}
	var err error
	if q.kind, err = recordType(p.String("query-type")); err != nil {
		return nil, err
	}
	if _, known := dns.StringToRcode[q.expected]; !known && q.expected != noData {
		return nil, fmt.Errorf("%s is no code of an answer: see the registry DNS RCODEs of IANA for those there are", q.expected)
	}
	for _, s := range p.Strings("expected-answer") {
		z := dns.NewZoneParser(strings.NewReader(fmt.Sprintf("%s 0 IN %s %s", q.name, dns.Type(q.kind), s)), ".", "")
		r, ok := z.Next()
		if _, more := z.Next(); !ok || more || z.Err() != nil || r.Header().Rrtype != q.kind {
			return nil, fmt.Errorf("%q cannot be the data of a record of type %s: it is to be as in a zone file", s, p.String("query-type"))
		}
		q.answer = append(q.answer, r)
	}
	return q, nil
}

// recordType is the type of a name, such as AAAA or TYPE65 [RFC 3597 section 5].
func recordType(name string) (uint16, error) {
	t, ok := dns.StringToType[name]
	if number, generic := strings.CutPrefix(name, "TYPE"); !ok && generic {
		n, err := strconv.ParseUint(number, 10, 16)
		t, ok = uint16(n), err == nil
	}
	switch {
	case !ok:
		return 0, fmt.Errorf("%s is no type of records", name)
	case t == dns.TypeNone, t == dns.TypeOPT, t == dns.TypeTSIG, t == dns.TypeTKEY, t == dns.TypeAXFR, t == dns.TypeIXFR:
		return 0, fmt.Errorf("records of type %s are not what one asks for in a question", name)
	}
	return t, nil
}

// Demand is what a run takes.
func (q *query) Demand() oam.Demand { return q.demand(q.target) }

// Check finds the name server's address.
func (q *query) Check(ctx context.Context, env *oam.Env) error {
	_, err := permitted(ctx, env, q.target)
	return err
}

// Run asks.
func (q *query) Run(ctx context.Context, env *oam.Env) (*oam.Measurement, error) {
	target, err := permitted(ctx, env, q.target)
	if err != nil {
		return nil, err
	}
	to := netip.AddrPortFrom(target, q.port)
	return q.run(ctx, env, func(ctx context.Context, _ int) (string, bool, time.Duration, error) {
		code, good, err := q.ask(ctx, env, to)
		return code, good, 0, local(err)
	})
}

// ask asks once, over UDP and if need be over TCP.
func (q *query) ask(ctx context.Context, env *oam.Env, to netip.AddrPort) (code string, good bool, err error) {
	question := q.question()
	b, err := question.Pack()
	if err != nil {
		return "", false, oam.Faultf(oam.EngineFailure, "the question: %w", err)
	}
	conn, err := dialFor(ctx, env.Vantage, "udp", to, q.dscp)
	if err != nil {
		return "", false, err
	}
	defer conn.Close()
	if _, err := conn.Write(b); err != nil {
		return "", false, err
	}
	buffer := make([]byte, 65536)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return "", false, err
		}
		code, good, answers := q.judge(question, buffer[:n])
		switch {
		case !answers: // somebody guesses, or it is late
		case code == "":
			return q.askTCP(ctx, env, to, question, b)
		default:
			return code, good, nil
		}
	}
}

// askTCP asks once over TCP.
func (q *query) askTCP(ctx context.Context, env *oam.Env, to netip.AddrPort, question *dns.Msg, b []byte) (code string, good bool, err error) {
	conn, err := dialFor(ctx, env.Vantage, "tcp", to, q.dscp)
	if err != nil {
		return "", false, err
	}
	defer conn.Close()
	if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)); err != nil {
		return "", false, err
	}
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return ended(err)
	}
	reply := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(conn, reply); err != nil {
		return ended(err)
	}
	code, good, answers := q.judge(question, reply)
	if !answers || code == "" { // of the only one on this connection
		return "malformed", false, nil
	}
	return code, good, nil
}

// ended is the response of a connection that ends before the answer.
func ended(err error) (code string, good bool, _ error) {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return "closed", false, nil
	}
	return "", false, err
}

// dialFor connects, and has ctx end what waits on the connection.
func dialFor(ctx context.Context, v oam.Vantage, network string, to netip.AddrPort, dscp uint8) (net.Conn, error) {
	conn, err := socket.Dial(ctx, v, network, to, dscp)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	return conn, nil
}

// question is a message with a new id.
func (q *query) question() *dns.Msg {
	m := new(dns.Msg).SetQuestion(q.name, q.kind)
	m.RecursionDesired = q.recurse
	return m.SetEdns0(udpAnswer, false)
}

// judge tells the code of an answer, and whether it is as expected; "" of one that is
// truncated. answers is false of what does not answer the question.
func (q *query) judge(question *dns.Msg, b []byte) (code string, good, answers bool) {
	if len(b) < 12 || binary.BigEndian.Uint16(b) != question.Id || b[2]&0x80 == 0 {
		return "", false, false
	}
	var m dns.Msg
	if err := m.Unpack(b); err != nil {
		// It cannot be told whether that is by a forger, who would have had to guess the id.
		return "malformed", false, true
	}
	switch {
	case len(m.Question) == 0 && m.Rcode != dns.RcodeSuccess: // some refuse without it
	case len(m.Question) != 1 || m.Question[0].Qtype != q.kind || m.Question[0].Qclass != dns.ClassINET || !strings.EqualFold(m.Question[0].Name, q.name):
		return "", false, false
	}
	if m.Truncated {
		return "", false, true
	}
	code, known := dns.RcodeToString[m.Rcode]
	if !known {
		code = "RCODE" + strconv.Itoa(m.Rcode)
	}
	if m.Rcode == dns.RcodeSuccess && !q.has(m.Answer, nil) {
		code = noData
	}
	if code != q.expected {
		return code, false, true
	}
	for _, want := range q.answer {
		if !q.has(m.Answer, want) {
			return "wrong-answer", false, true
		}
	}
	return code, true, true
}

// has reports whether an answer has a record of the type asked for, with the data of
// another one unless that is nil. The owner does not matter: there may be aliases.
func (q *query) has(answer []dns.RR, want dns.RR) bool {
	for _, r := range answer {
		if r.Header().Rrtype != q.kind && q.kind != dns.TypeANY {
			continue
		}
		if want == nil {
			return true
		}
		same := dns.Copy(want)
		same.Header().Name = r.Header().Name
		if dns.IsDuplicate(r, same) {
			return true
		}
	}
	return false
}
