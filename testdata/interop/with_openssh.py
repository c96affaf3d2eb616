"""OpenSSH's ssh -s: both framings by hand, login by key."""

import os
import queue
import re
import subprocess
import threading

from lxml import etree

from common import (BASE, NETWORK, NETWORKS_FILTER, NOTIFICATION, PATIENCE, REPORT, check, check_empty, check_hello,
                    check_network, check_notification, check_read_back, check_report, incident_filter, server, step)


class Session:
    """A session through a process of ssh, in the framing of the version."""

    def __init__(self, s, version):
        self.chunked = False
        self.number = 0
        self.process = subprocess.Popen(
            ["ssh", "-F", "none", "-i", os.path.join(s.directory, "id_ed25519"), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
             "-o", "StrictHostKeyChecking=accept-new", "-o", "UserKnownHostsFile=" + os.path.join(s.directory, "known_hosts"),
             "-o", "LogLevel=ERROR", "-p", str(s.port), "admin@" + s.host, "-s", "netconf"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.messages = queue.Queue()
        self.notifications = []
        self.reader = None
        hello = self.read_delimited()
        check(hello, "no hello")
        self.capabilities = etree.fromstring(hello).xpath("//*[local-name()='capability']/text()")
        self.send('<hello xmlns="%s"><capabilities><capability>urn:ietf:params:netconf:base:%s</capability></capabilities></hello>'
                  % (BASE, version))
        self.chunked = version == "1.1"
        self.reader = threading.Thread(target=self.read_all)
        self.reader.start()

    def send(self, text):
        b = text.encode()
        b = b"\n#%d\n%s\n##\n" % (len(b), b) if self.chunked else b + b"]]>]]>"
        self.process.stdin.write(b)
        self.process.stdin.flush()

    def read_delimited(self):
        b = b""
        while not b.endswith(b"]]>]]>"):
            c = self.process.stdout.read(1)
            if not c:
                return None
            b += c
        return b[:-6]

    def read_chunked(self):
        message = b""
        while True:
            head = self.process.stdout.readline()
            if head == b"\n":
                head = self.process.stdout.readline()
            if not head:
                return None
            if head == b"##\n":
                return message
            found = re.fullmatch(rb"#([1-9][0-9]*)\n", head)
            check(found, "a chunk begins with %r", head)
            message += self.process.stdout.read(int(found.group(1)))

    def read_all(self):
        while True:
            m = self.read_chunked() if self.chunked else self.read_delimited()
            self.messages.put(None if m is None else etree.fromstring(m.strip()))
            if m is None:
                return

    def next(self):
        try:
            m = self.messages.get(timeout=PATIENCE)
        except queue.Empty:
            m = None
        check(m is not None, "the server says nothing more")
        return m

    def call(self, operation):
        self.number += 1
        self.send('<rpc xmlns="%s" message-id="%d">%s</rpc>' % (BASE, self.number, operation))
        while True:
            m = self.next()
            if etree.QName(m).localname == "notification":
                self.notifications.append(m)
                continue
            check(m.get("message-id") == str(self.number), "the reply has the message-id %r", m.get("message-id"))
            errors = m.findall("{%s}rpc-error" % BASE)
            check(not errors, "%s: %s", operation[:60], etree.tostring(m))
            return m

    def data(self, operation):
        return self.call(operation).find("{%s}data" % BASE)

    def notification(self):
        return self.notifications.pop(0) if self.notifications else self.next()

    def close(self):
        self.call("<close-session/>")
        check(self.process.wait(10) is not None, "ssh does not end after close-session")
        self.reader.join()
        for pipe in (self.process.stdin, self.process.stdout):
            pipe.close()


def get(kind, content):
    source = "<source><running/></source>" if kind == "get-config" else ""
    return '<%s>%s<filter type="subtree">%s</filter></%s>' % (kind, source, content, kind)


def scenario(version):
    with server(key=True) as s:
        c = Session(s, version)
        try:
            check_hello(c.capabilities)
            check_empty(c.data(get("get", incident_filter("inc-1"))), "get")
            check_empty(c.data(get("get-config", NETWORKS_FILTER)), "get-config")
            c.call("<edit-config><target><running/></target><default-operation>merge</default-operation><config>%s</config></edit-config>" % NETWORK)
            step("edit-config: merged")
            check_network(c.data(get("get-config", NETWORKS_FILTER)))
            c.call('<create-subscription xmlns="%s"><stream>incidents</stream></create-subscription>' % NOTIFICATION)
            step("create-subscription: done")
            check_report(c.call(REPORT))
            ident = check_notification(c.notification())
            check_read_back(c.data(get("get", incident_filter(ident))), ident)
            c.close()
        finally:
            if c.process.poll() is None:
                c.process.terminate()
                c.process.wait()


def run():
    for version in ("1.0", "1.1"):
        step("base:" + version)
        scenario(version)
