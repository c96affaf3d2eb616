"""netconf-console2: one command line for each part."""

import pathlib
import re
import subprocess
import sys

from lxml import etree

from common import (HERE, NS, PASSWORD, PATIENCE, check, check_empty, check_hello, check_network, check_notification,
                    check_read_back, check_report, server, step)

# In the same directory as the interpreter of the virtual environment.
PROGRAM = str(pathlib.Path(sys.executable).parent / "netconf-console2")


def console(s, *args):
    """Run it and return what it printed, one tree for each document."""
    line = [PROGRAM, "--host", s.host, "--port", str(s.port), "-u", "admin", "-p", PASSWORD, "-r", "30", *args]
    p = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE + 60)
    check(p.returncode == 0 and "Operation failed" not in p.stdout, "netconf-console2 %s: status %d: %s", args, p.returncode, p.stdout)
    # A notification is printed as it came, with or without a declaration.
    parts = re.split(r"<\?xml [^>]*\?>|(?=<(?:\w+:)?notification[ >])", p.stdout)
    return [etree.fromstring(part.strip().encode()) for part in parts if part.strip()]


def filtered(operation, path):
    """The arguments for an operation with a subtree filter, which the program makes of a path."""
    return ["--ns", "inc=" + NS["inc"], "nw=" + NS["nw"], operation, "--filter", path]


def incident_path(ident):
    return "/inc:incidents/incident[incident-id='%s']" % ident


def run():
    with server() as s:
        hello, = console(s, "--hello")
        check_hello(hello.xpath("//*[local-name()='capability']/text()"))
        got, = console(s, *filtered("--get", incident_path("inc-1")))
        check_empty(got, "get")
        got, = console(s, *filtered("--get-config", "/nw:networks"))
        check_empty(got, "get-config")
        ok, = console(s, "--edit-config", str(HERE / "network.xml"))
        check(etree.QName(ok).localname == "ok", "edit-config: %s", etree.tostring(ok))
        step("edit-config: merged")
        got, = console(s, *filtered("--get-config", "/nw:networks"))
        check_network(got)
        out = console(s, "--create-subscription", "incidents", "--rpc", str(HERE / "report-events.xml"), "--sleep", "20")
        names = [etree.QName(e).localname for e in out]
        check(names[0] == "ok", "create-subscription: %s", names)
        step("create-subscription: done")
        replies = [e for e in out if etree.QName(e).localname == "rpc-reply"]
        check(len(replies) == 1, "report-events: %s", names)
        check_report(replies[0])
        notifications = [e for e in out if etree.QName(e).localname == "notification"]
        check(notifications, "no notification within 20 s: %s", names)
        ident = check_notification(notifications[0])
        got, = console(s, *filtered("--get", incident_path(ident)))
        check_read_back(got, ident)
