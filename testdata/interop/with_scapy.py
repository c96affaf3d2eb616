"""scapy: its layer of STAMP as a sender to our reflector, and as a reflector to our sender."""

import logging
import socket
import threading
import time

from lxml import etree
from ncclient import manager

logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.contrib import stamp as layer  # noqa: E402

from common import PASSWORD, check, server, step  # noqa: E402

OAM = "urn:incidentd:yang:oam-tests"
UNITARY = "urn:ietf:params:xml:ns:yang:ietf-oam-unitary-test"
NTP = 2208988800
PADDING, CLASS, UNKNOWN = 1, 4, 200
# The flags of an extension: U, that it is not known. scapy names them from the other end.
U = 0x80


def run():
    with server() as s, manager.connect(host=s.host, port=s.port, username="admin", password=PASSWORD, timeout=30,
                                        hostkey_verify=False, allow_agent=False, look_for_keys=False) as m:
        as_sender(m)
        as_reflector(m)


def edit(m, content):
    config = etree.Element("{urn:ietf:params:xml:ns:netconf:base:1.0}config")
    config.append(etree.fromstring(content))
    m.edit_config(target="running", config=config)


def until(m, subtree, path, what):
    """The first element at a path of the state, as soon as there is one."""
    for _ in range(200):
        found = m.get(filter=("subtree", subtree)).data.xpath(path, namespaces={"o": OAM, "u": UNITARY})
        if found:
            return found[0]
        time.sleep(0.1)
    check(False, "%s: nothing at %s", what, path)


def udp():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))
    s.settimeout(5)
    return s


def tlv(kind, value):
    return layer.STAMPTestTLV(flags=U | 1, type=kind, len=len(value), value=value)


def as_sender(m):
    with udp() as free:
        port = free.getsockname()[1]
    edit(m, """<oam-service xmlns="%s"><vantage-point><name>lo</name><source-address>127.0.0.1</source-address></vantage-point>
        <reflector><name>r</name><vantage-point>lo</vantage-point><reflector-udp-port>%d</reflector-udp-port>
        <allowed-prefix>127.0.0.0/8</allowed-prefix></reflector></oam-service>""" % (OAM, port))
    until(m, '<oam-service xmlns="%s"><reflector/></oam-service>' % OAM, "//o:listening", "the reflector")
    with udp() as s:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 10 << 2)
        for seq in range(10):
            extensions = [[], [tlv(PADDING, bytes(30))], [tlv(CLASS, bytes([46 << 2, 0, 0, 0])), tlv(UNKNOWN, b"abc"), tlv(PADDING, b"")]][seq % 3]
            probe = bytes(layer.STAMPSessionSenderTestUnauthenticated(seq=seq + 100, ts=time.time() + NTP, ssid=7, tlv_objects=extensions))
            s.sendto(probe, ("127.0.0.1", port))
            raw = s.recv(65536)
            reply = layer.STAMPSessionReflectorTestUnauthenticated(raw)
            check(len(raw) == len(probe), "%d octets are answered by %d", len(probe), len(raw))
            check(bytes(reply) == raw, "scapy reads a reply otherwise than it came: %s", raw.hex())
            check(reply.seq == seq and reply.seq_sender == seq + 100 and reply.ssid == 7, "numbers %d, %d, ssid %d", reply.seq, reply.seq_sender, reply.ssid)
            check(raw[28:36] == probe[4:12] and raw[36:38] == probe[12:14], "the sender's time or estimate is not copied")
            check(float(reply.ts_sender) <= float(reply.ts_rx) + 0.001 and float(reply.ts_rx) <= float(reply.ts), "times %s, %s, %s", reply.ts_sender, reply.ts_rx, reply.ts)
            check(reply.ttl_sender == 64, "the TTL is %d", reply.ttl_sender)
            check(reply.mbz1 == 0 and reply.mbz2 == 0, "what must be zero is not")
            check([t.type for t in reply.tlv_objects] == [t.type for t in extensions], "extensions %s", [t.type for t in reply.tlv_objects])
            for t in reply.tlv_objects:
                check(int(t.flags) == (U if t.type == UNKNOWN else 0), "extension %d has the flags %#x", t.type, int(t.flags))
                if t.type == CLASS:
                    value = int.from_bytes(t.value, "big")
                    check(value >> 26 == 46 and value >> 20 & 63 == 10, "Class of Service tells %08x", value)
        step("scapy as a sender: 10 of 10 packets reflected, with and without extensions")
        s.settimeout(0.5)
        s.sendto(raw, ("127.0.0.1", port))
        try:
            s.recv(65536)
            check(False, "the reflector answers a reply")
        except socket.timeout:
            step("a reply is not reflected")


def as_reflector(m):
    """scapy counts what it gets, but for packets 3 and 7, and keeps the answer to 5."""
    with udp() as s:
        ended = threading.Event()
        problems = []

        def reflect():
            count = 0
            s.settimeout(0.1)
            while not ended.is_set():
                try:
                    raw, sender = s.recvfrom(65536)
                except socket.timeout:
                    continue
                got = time.time() + NTP
                probe = layer.STAMPSessionSenderTestUnauthenticated(raw)
                if bytes(probe) != raw or probe.mbz != 0 or [t.type for t in probe.tlv_objects] != [CLASS, PADDING]:
                    problems.append(raw.hex())
                if probe.seq in (3, 7):
                    continue
                for t in probe.tlv_objects:
                    t.flags = 0
                reply = layer.STAMPSessionReflectorTestUnauthenticated(
                    seq=count, ssid=probe.ssid, ts_rx=got, seq_sender=probe.seq, ts_sender=probe.ts,
                    err_estimate_sender=probe.err_estimate, ttl_sender=64, tlv_objects=probe.tlv_objects, ts=time.time() + NTP)
                count += 1
                if probe.seq != 5:
                    s.sendto(bytes(reply), sender)

        thread = threading.Thread(target=reflect)
        thread.start()
        try:
            edit(m, """<oam-unitary-tests xmlns="%s"><oam-unitary-test><name>s</name>
                <stamp xmlns="%s"><target>127.0.0.1</target><session-reflector-udp-port>%d</session-reflector-udp-port><number-of-packets>20</number-of-packets>
                <interval>20000</interval><session-timeout>1000</session-timeout><packet-size>100</packet-size><dscp>10</dscp></stamp>
                <period-start>2000-01-01T01:00:00Z</period-start><frequency xmlns:s="urn:ietf:params:xml:ns:yang:ietf-schedule">s:yearly</frequency>
                </oam-unitary-test></oam-unitary-tests>""" % (UNITARY, OAM, s.getsockname()[1]))
            tests = '<oam-unitary-tests xmlns="%s"><oam-unitary-test/></oam-unitary-tests>' % UNITARY
            until(m, tests, "//u:unitary-test-status[.='ready']", "the test")
            m.dispatch(etree.fromstring("""<action xmlns="urn:ietf:params:xml:ns:yang:1"><oam-unitary-tests xmlns="%s"><oam-unitary-test><name>s</name>
                <start xmlns="%s"/></oam-unitary-test></oam-unitary-tests></action>""" % (UNITARY, OAM)))
            result = until(m, tests, "//o:result[o:end-time]", "the run")
        finally:
            ended.set()
            thread.join()
    check(not problems, "scapy reads a probe otherwise than it was sent: %s", problems[:1])
    value = lambda name: result.findtext(".//{%s}%s" % (OAM, name))
    got = [value(n) for n in ("tx-packet-count", "rx-packet-count", "packet-loss-count", "loss-count-far-end", "loss-count-near-end", "packets-dup-count", "one-way-valid")]
    check(got == ["20", "17", "3", "2", "1", "0", "false"], "sent, received, lost, there, back, doubled, valid one way: %s", got)
    check(0 < int(value("average-delay-value")) < 1_000_000_000, "the delay is %s", value("average-delay-value"))
    step("scapy as a reflector: 3 of 20 lost, 2 there and 1 back, as it made it")
