package snmp

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"net/netip"
	"slices"
	"time"

	"github.com/gosnmp/gosnmp"

	"incidentd/incident/ingest"
	"incidentd/incident/ingest/listen"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// Kind is the kind of source snmp of incidentd-sources.
func Kind() ingest.Kind {
	return ingest.Kind{Module: "incidentd-sources", Name: "snmp", New: func(c *data.Loc) (ingest.Source, error) { return newSource(c) }}
}

// unknownEngineIDs is usmStatsUnknownEngineIDs [RFC 3414 section 5].
const unknownEngineIDs = ".1.3.6.1.6.3.15.1.1.4.0"

// Why a message is refused.
var (
	errCommunity = errors.New("its community is not known")
	errLevel     = errors.New("it is less secured than its user has to be")
	errPDU       = errors.New("it is no notification")
)

// source is a source of notifications.
type source struct {
	config      listen.Config
	communities []string
	levels      map[string]gosnmp.SnmpV3MsgFlags // of the users
	engine      string
	decoder     *gosnmp.GoSNMP
	probe       *gosnmp.GoSNMP // reads the questions for the engine's id
	rate        *listen.Rate
	discoveries int
}

func newSource(at *data.Loc) (*source, error) {
	config, err := listen.FromData(at)
	if err != nil {
		return nil, err
	}
	n := at.Node
	engine, err := hex.DecodeString(listen.Text(n, "engine-id"))
	if err != nil {
		return nil, rpcerr.InvalidValue("%v", err).At(at.Down(n.Child("engine-id")).Path())
	}
	quiet := gosnmp.NewLogger(log.New(io.Discard, "", 0))
	s := &source{
		config: config, communities: n.Values("community"), levels: map[string]gosnmp.SnmpV3MsgFlags{}, engine: string(engine),
		rate:  listen.NewRate(config.RatePerPeer),
		probe: &gosnmp.GoSNMP{Version: gosnmp.Version3, SecurityModel: gosnmp.UserSecurityModel, SecurityParameters: &gosnmp.UsmSecurityParameters{Logger: quiet}, Logger: quiet},
	}
	table := gosnmp.NewSnmpV3SecurityParametersTable(quiet)
	for u := range n.Entries("user") {
		user := &gosnmp.UsmSecurityParameters{
			UserName: u.Key(), Logger: quiet,
			AuthenticationProtocol: authentication[u.Leaf("auth-protocol")], AuthenticationPassphrase: u.Leaf("auth-password"),
			PrivacyProtocol: privacy[u.Leaf("priv-protocol")], PrivacyPassphrase: u.Leaf("priv-password"),
		}
		if err := table.Add(u.Key(), user); err != nil {
			return nil, rpcerr.InvalidValue("%v", err).At(at.Down(u).Path())
		}
		level := gosnmp.NoAuthNoPriv
		switch {
		case u.Has("priv-protocol"):
			level = gosnmp.AuthPriv
		case u.Has("auth-protocol"):
			level = gosnmp.AuthNoPriv
		}
		s.levels[u.Key()] = level
	}
	s.decoder = &gosnmp.GoSNMP{Version: gosnmp.Version3, SecurityModel: gosnmp.UserSecurityModel, TrapSecurityParametersTable: table, Logger: quiet}
	return s, nil
}

var (
	authentication = map[string]gosnmp.SnmpV3AuthProtocol{
		"": gosnmp.NoAuth, "md5": gosnmp.MD5, "sha": gosnmp.SHA, "sha224": gosnmp.SHA224, "sha256": gosnmp.SHA256, "sha384": gosnmp.SHA384, "sha512": gosnmp.SHA512,
	}
	privacy = map[string]gosnmp.SnmpV3PrivProtocol{
		"": gosnmp.NoPriv, "des": gosnmp.DES, "aes": gosnmp.AES, "aes192": gosnmp.AES192, "aes256": gosnmp.AES256,
	}
)

// Endpoint implements ingest.Listener.
func (s *source) Endpoint() ingest.Endpoint {
	return ingest.Endpoint{Network: "udp", Address: s.config.Address}
}

// Run implements ingest.Source.
func (s *source) Run(ctx context.Context, f *ingest.Feed) error {
	return listen.UDP(ctx, &s.config, s.rate, f, func(b []byte, peer netip.Addr) []byte { return s.datagram(b, peer, f) })
}

// datagram takes a message, and returns the answer to it, nil for none.
func (s *source) datagram(b []byte, peer netip.Addr, f *ingest.Feed) []byte {
	refuse := func(err error) []byte {
		f.Refused(fmt.Errorf("message from %s: %w", peer, err))
		return nil
	}
	p, err := s.read(b)
	switch {
	case err != nil:
		if report := s.discovery(b); report != nil {
			return report
		}
		f.Malformed(fmt.Errorf("message from %s: %w", peer, err))
		return nil
	case p.PDUType != gosnmp.Trap && p.PDUType != gosnmp.SNMPv2Trap && p.PDUType != gosnmp.InformRequest:
		return refuse(errPDU)
	}
	if err := s.permits(p); err != nil {
		return refuse(err)
	}
	m := Read(p, time.Now())
	m.Peer = peer
	if !f.Offer(m) || p.PDUType != gosnmp.InformRequest {
		return nil
	}
	p.PDUType, p.Error, p.ErrorIndex = gosnmp.GetResponse, gosnmp.NoError, 0
	answer, err := p.MarshalMsg()
	if err != nil {
		f.Log().Error("an inform cannot be answered", "peer", peer, "err", err)
	}
	return answer
}

// read takes a message apart. What gosnmp panics at is malformed.
func (s *source) read(b []byte) (p *gosnmp.SnmpPacket, err error) {
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, fmt.Errorf("malformed: %v", r)
		}
	}()
	// gosnmp decrypts in place.
	return s.decoder.UnmarshalTrap(bytes.Clone(b), true)
}

// permits reports why a message must not be taken.
func (s *source) permits(p *gosnmp.SnmpPacket) error {
	if p.Version != gosnmp.Version3 {
		if !slices.Contains(s.communities, p.Community) {
			return errCommunity
		}
		return nil
	}
	u, ok := p.SecurityParameters.(*gosnmp.UsmSecurityParameters)
	if !ok {
		return errLevel
	}
	// Whoever must authenticate must not get round it by a message that says it does not.
	level, known := s.levels[u.UserName]
	if !known || p.MsgFlags&gosnmp.AuthPriv < level {
		return errLevel
	}
	return nil
}

// discovery answers the question for the engine's id, which comes before informs of
// SNMPv3 [RFC 3414 section 4]; nil for anything else.
func (s *source) discovery(b []byte) (answer []byte) {
	defer func() {
		if recover() != nil {
			answer = nil
		}
	}()
	p, err := s.probe.UnmarshalTrap(bytes.Clone(b), false)
	if err != nil || p.Version != gosnmp.Version3 || len(s.levels) == 0 {
		return nil
	}
	u, ok := p.SecurityParameters.(*gosnmp.UsmSecurityParameters)
	if !ok || u.AuthoritativeEngineID != "" || p.MsgFlags&gosnmp.Reportable == 0 {
		return nil
	}
	s.discoveries++
	u.AuthoritativeEngineID = s.engine
	p.PDUType, p.MsgFlags = gosnmp.Report, gosnmp.NoAuthNoPriv
	p.ContextEngineID = s.engine
	p.Variables = []gosnmp.SnmpPDU{{Name: unknownEngineIDs, Type: gosnmp.Counter32, Value: uint32(s.discoveries)}}
	answer, err = p.MarshalMsg()
	if err != nil {
		return nil
	}
	return answer
}
