"""ncclient: a session of its own over base:1.1."""

import time

from lxml import etree
from ncclient import manager
from ncclient.operations import RPCError

from common import (NETWORK, NETWORKS_FILTER, NS, PASSWORD, PATIENCE, REPORT, check, check_empty, check_hello, check_network,
                    check_notification, check_read_back, check_report, incident_filter, server, step)


def run():
    with server() as s, manager.connect(host=s.host, port=s.port, username="admin", password=PASSWORD, timeout=30,
                                        hostkey_verify=False, allow_agent=False, look_for_keys=False) as m:
        check_hello(m.server_capabilities)
        check_empty(m.get(filter=("subtree", incident_filter("inc-1"))).data, "get")
        check_empty(m.get_config(source="running", filter=("subtree", NETWORKS_FILTER)).data, "get-config")
        config = etree.Element("{urn:ietf:params:xml:ns:netconf:base:1.0}config")
        config.append(etree.fromstring(NETWORK))
        m.edit_config(target="running", config=config, default_operation="merge")
        step("edit-config: merged")
        check_network(m.get_config(source="running", filter=("subtree", NETWORKS_FILTER)).data)
        try:
            m.dispatch(etree.fromstring('<no-such-operation xmlns="urn:x"/>'))
            check(False, "an unknown operation was accepted")
        except RPCError as e:
            check(e.tag in ("operation-not-supported", "unknown-namespace", "unknown-element"), "an unknown operation: %s", e.tag)
            step("unknown operation: %s" % e.tag)
        candidate(m)
        m.create_subscription(stream_name="incidents")
        step("create-subscription: done")
        check_report(etree.fromstring(m.dispatch(etree.fromstring(REPORT)).xml.encode()))
        n = m.take_notification(timeout=PATIENCE)
        check(n is not None, "no notification within %d s", PATIENCE)
        ident = check_notification(etree.fromstring(n.notification_xml.encode()))
        check_read_back(m.get(filter=("subtree", incident_filter(ident))).data, ident)


def networks(m, source):
    data = m.get_config(source=source, filter=("subtree", NETWORKS_FILTER)).data
    return data.xpath("nw:networks/nw:network/nw:network-id/text()", namespaces=NS)


def put(m, name):
    config = etree.Element("{%s}config" % NS["nc"])
    config.append(etree.fromstring('<networks xmlns="%s"><network><network-id>%s</network-id></network></networks>' % (NS["nw"], name)))
    m.edit_config(target="candidate", config=config)


def candidate(m):
    """Commits, confirmed ones too, and what goes with them."""
    with m.locked("candidate"):
        put(m, "one")
        check("one" not in networks(m, "running"), "the candidate is running before its commit")
        m.validate("candidate")
        m.commit()
    check("one" in networks(m, "running"), "the commit is not in running")
    step("candidate: edited, validated, committed")
    put(m, "two")
    m.discard_changes()
    check("two" not in networks(m, "candidate"), "the edit is there after discard-changes")
    step("discard-changes: done")
    put(m, "three")
    m.commit(confirmed=True, timeout="60", persist="token")
    check("three" in networks(m, "running"), "the confirmed commit is not in running")
    try:
        m.cancel_commit(persist_id="another")
        check(False, "a commit was cancelled with a wrong token")
    except RPCError as e:
        check(e.tag == "invalid-value", "a wrong token: %s", e.tag)
    m.cancel_commit(persist_id="token")
    check("three" not in networks(m, "running"), "the commit is there after cancel-commit")
    step("confirmed commit: cancelled by its token")
    put(m, "four")
    m.commit(confirmed=True, timeout="1")
    deadline = time.monotonic() + 20
    while "four" in networks(m, "running"):
        check(time.monotonic() < deadline, "the confirmed commit is not taken back")
        time.sleep(0.1)
    step("confirmed commit: taken back when nobody confirms")
    m.discard_changes()
    m.copy_config(source="running", target="startup")
    check(networks(m, "startup") == networks(m, "running"), "the copy is another")
    m.delete_config(target="startup")
    step("startup: copied and deleted")
    select = "/nw:networks/nw:network[nw:network-id='ip']/nw:node/nw:node-id"
    found = m.get_config(source="running", filter=("xpath", ({"nw": NS["nw"]}, select))).data
    nodes = found.xpath("//nw:node-id/text()", namespaces=NS)
    check(sorted(nodes) == ["P1", "P2", "PE1", "PE2"], "the XPath filter selects %s", nodes)
    step("XPath filter: %d nodes" % len(nodes))
    for mode in ("report-all", "report-all-tagged", "trim", "explicit"):
        m.get_config(source="running", with_defaults=mode)
    step("with-defaults: four modes")
