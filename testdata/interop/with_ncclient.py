"""ncclient: a session of its own over base:1.1."""

from lxml import etree
from ncclient import manager
from ncclient.operations import RPCError

from common import (NETWORK, NETWORKS_FILTER, PASSWORD, PATIENCE, REPORT, check, check_empty, check_hello, check_network,
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
        m.create_subscription(stream_name="incidents")
        step("create-subscription: done")
        check_report(etree.fromstring(m.dispatch(etree.fromstring(REPORT)).xml.encode()))
        n = m.take_notification(timeout=PATIENCE)
        check(n is not None, "no notification within %d s", PATIENCE)
        ident = check_notification(etree.fromstring(n.notification_xml.encode()))
        check_read_back(m.get(filter=("subtree", incident_filter(ident))).data, ident)
