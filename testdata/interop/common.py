"""What the scenarios share: a server of their own, and the checks of what it says."""

import contextlib
import os
import pathlib
import re
import subprocess
import tempfile
import threading
import time

from lxml import etree

HERE = pathlib.Path(__file__).resolve().parent
NETWORK = (HERE / "network.xml").read_text()
REPORT = (HERE / "report-events.xml").read_text()
PASSWORD = "interop-password"

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
NOTIFICATION = "urn:ietf:params:xml:ns:netconf:notification:1.0"
INCIDENT = "urn:ietf:params:xml:ns:yang:ietf-incident"
NS = {
    "nc": BASE,
    "n": NOTIFICATION,
    "inc": INCIDENT,
    "nw": "urn:ietf:params:xml:ns:yang:ietf-network",
    "nt": "urn:ietf:params:xml:ns:yang:ietf-network-topology",
    "ide": "urn:incidentd:yang:events",
}
NETWORKS_FILTER = '<networks xmlns="%s"/>' % NS["nw"]
CAPABILITIES = (
    "urn:ietf:params:netconf:base:1.0",
    "urn:ietf:params:netconf:base:1.1",
    "urn:ietf:params:netconf:capability:notification:1.0",
    "urn:ietf:params:netconf:capability:interleave:1.0",
)
# How long an incident may take to be raised, in seconds.
PATIENCE = 60


class Failure(Exception):
    """A check that did not hold."""


def check(holds, text, *args):
    if not holds:
        raise Failure(text % args if args else text)


def step(text):
    print("   ", text, flush=True)


def incident_filter(ident):
    return '<incidents xmlns="%s"><incident><incident-id>%s</incident-id></incident></incidents>' % (INCIDENT, ident)


def check_hello(capabilities):
    have = {c.split("?")[0] for c in capabilities}
    for want in CAPABILITIES:
        check(want in have, "the hello lacks %s", want)
    step("hello: %d capabilities" % len(have))


def check_empty(data, what):
    check(data is not None, "%s: no data element", what)
    check(len(data) == 0, "%s: not empty: %s", what, etree.tostring(data))
    step(what + ": empty, as it should be")


def check_network(data):
    nodes = data.xpath("nw:networks/nw:network[nw:network-id='ip']/nw:node/nw:node-id/text()", namespaces=NS)
    check(sorted(nodes) == ["P1", "P2", "PE1", "PE2"], "get-config: the network has the nodes %s", nodes)
    links = data.xpath("nw:networks/nw:network[nw:network-id='VPN-A']/nt:link/nt:supporting-link/nt:link-ref/text()", namespaces=NS)
    check(sorted(links) == ["P1-P2", "P2-PE2", "PE1-P1"], "get-config: VPN-A rests on %s", links)
    step("get-config: the network is there")


def check_report(reply):
    accepted = reply.xpath("string(.//ide:accepted)", namespaces=NS)
    check(accepted == "3", "report-events: accepted is %r", accepted)
    step("report-events: 3 accepted")


def check_notification(root):
    """Check the notification of the incident, and return the incident's id."""
    check(root.tag == "{%s}notification" % NOTIFICATION, "no notification but %s", root.tag)
    check(root.find("n:eventTime", NS) is not None, "a notification without eventTime")
    body = root.find("inc:incident-notification", NS)
    check(body is not None, "no incident-notification: %s", etree.tostring(root))
    check_incident(body)
    ident = body.findtext("inc:incident-id", namespaces=NS)
    check(ident, "a notification without incident-id")
    step("incident-notification: %s" % ident)
    return ident


def check_incident(e):
    text = lambda name: e.findtext("inc:" + name, namespaces=NS)
    check(text("name") == "VPN-A unavailable", "the name is %r", text("name"))
    check(text("type") == "fault", "the type is %r", text("type"))
    causes = e.xpath("inc:root-causes/inc:root-cause/inc:node/text()", namespaces=NS)
    check(causes[:1] == ["P1"], "the root causes are at %s", causes)
    services = e.xpath("inc:service-instance/text()", namespaces=NS)
    check(services == ["VPN-A"], "the services are %s", services)
    check(text("status") in ("raised", "updated"), "the status is %r", text("status"))


def check_read_back(data, ident):
    found = data.xpath("inc:incidents/inc:incident", namespaces=NS)
    check(len(found) == 1, "get of %s: %d incidents", ident, len(found))
    check(found[0].findtext("inc:incident-id", namespaces=NS) == ident, "get of %s: another incident", ident)
    check_incident(found[0])
    step("get: %s read back" % ident)


class Server:
    """An incidentd on a port of its own with a data directory of its own."""

    def __init__(self, port, directory):
        self.host, self.port, self.directory = "127.0.0.1", port, directory


@contextlib.contextmanager
def server(key=False):
    """Start a server; its user admin has PASSWORD or, with key, the key in the directory."""
    binary = os.environ.get("INCIDENTD_BIN", str(HERE.parent.parent / "bin" / "incidentd"))
    with tempfile.TemporaryDirectory(prefix="incidentd-interop-") as directory:
        data = os.path.join(directory, "data")
        init = [binary, "init", "--data", data]
        if key:
            private = os.path.join(directory, "id_ed25519")
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", private], check=True)
            subprocess.run(init + ["--authorized-key", private + ".pub"], check=True, stdout=subprocess.DEVNULL)
        else:
            subprocess.run(init + ["--password-stdin"], input=PASSWORD + "\n", text=True, check=True, stdout=subprocess.DEVNULL)
        process = subprocess.Popen([binary, "serve", "--data", data, "--listen", "127.0.0.1:0"],
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        log, listening = [], threading.Event()
        port = []

        def read():
            for line in process.stdout:
                log.append(line)
                found = re.search(r'msg="?listening"?.*addr="?[^ "]*:(\d+)', line)
                if found and not port:
                    port.append(int(found.group(1)))
                    listening.set()
            listening.set()

        reader = threading.Thread(target=read)
        reader.start()
        try:
            listening.wait(30)
            check(port, "the server is not listening:\n%s", "".join(log))
            yield Server(port[0], directory)
        except BaseException:
            print("the server's log:\n" + "".join(log[-40:]), flush=True)
            raise
        finally:
            process.terminate()
            began = time.monotonic()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            reader.join()
            process.stdout.close()
        check(time.monotonic() - began < 5, "the server took %.1f s to end", time.monotonic() - began)
        check(process.returncode == 0, "the server ended with status %d:\n%s", process.returncode, "".join(log[-40:]))
