"""scrapli-netconf: a commit by way of the candidate, over paramiko and over the system's ssh."""

import os

from scrapli_netconf.driver import NetconfDriver

from common import (NETWORK, NETWORKS_FILTER, PASSWORD, REPORT, check, check_hello, check_network, check_report,
                    incident_filter, server, step)


def ok(reply, what):
    check(not reply.failed and "<ok/>" in reply.result, "%s: %s", what, reply.result)
    step(what)


def first(tree, name):
    found = tree.xpath("//*[local-name()='%s']" % name)
    return found[0] if found else None


def scenario(s, **login):
    with NetconfDriver(host=s.host, port=s.port, auth_username="admin", auth_strict_key=False, timeout_ops=30, **login) as c:
        check_hello(c.server_capabilities)
        ok(c.lock("candidate"), "lock candidate")
        ok(c.edit_config(config="<config>%s</config>" % NETWORK, target="candidate"), "edit-config of the candidate")
        ok(c.validate("candidate"), "validate candidate")
        check("<network-id>" not in c.get_config("running", filter_=NETWORKS_FILTER).result, "the edit is in running before its commit")
        ok(c.commit(), "commit")
        ok(c.unlock("candidate"), "unlock candidate")
        check_network(first(c.get_config("running", filter_=NETWORKS_FILTER).xml_result, "data"))
        ok(c.copy_config("running", "startup"), "copy-config to startup")
        check_network(first(c.get_config("startup", filter_=NETWORKS_FILTER).xml_result, "data"))
        ok(c.delete_config("startup"), "delete-config of startup")
        ok(c.edit_config(config='<config><networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network"><network>'
                                "<network-id>scratch</network-id></network></networks></config>", target="candidate"), "another edit")
        ok(c.discard(), "discard-changes")
        check("scratch" not in c.get_config("candidate", filter_=NETWORKS_FILTER).result, "the edit is there after discard-changes")
        denied = c.rpc('<no-such-operation xmlns="urn:x"/>')
        check(denied.failed and "unknown-namespace" in denied.result, "an unknown operation: %s", denied.result)
        check_report(c.rpc(REPORT).xml_result)
        got = c.get(filter_=incident_filter("inc-0"))
        check(not got.failed, "get: %s", got.result)


def run():
    with server() as s:
        step("paramiko")
        scenario(s, transport="paramiko", auth_password=PASSWORD)
    with server(key=True) as s:
        step("system ssh")
        scenario(s, transport="system", auth_private_key=os.path.join(s.directory, "id_ed25519"))
