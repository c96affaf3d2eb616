"""yangcli of yuma123: its commands in a script, over base:1.1, with our modules compiled by it."""

import os
import re
import shutil
import subprocess

from lxml import etree

from common import HERE, NETWORK, NS, PASSWORD, check, check_network, server, step

# What the one session is told, line by line.
SCRIPT = """\
mgrload ietf-network
get-schema identifier=ietf-incident version=2023-05-16 format=yang
lock target=running
lock target=candidate
edit-config target=candidate config=@{directory}/config.xml
validate source=candidate
commit
sget-config source=running /networks
edit-config target=candidate config=@{directory}/scratch.xml
discard-changes
sget-config source=candidate /networks
unlock target=candidate
unlock target=running
xget-config source=running "/networks/network[network-id='VPN-A']/network-id"
copy-config source=running target=startup
sget-config source=startup /networks
get-config source=running with-defaults=report-all
create-subscription stream=incidents
close-session
"""


def replies(text):
    """The rpc-replies that yangcli has printed, in order, as elements or None for a plain OK."""
    found = []
    for part in re.split(r"^RPC (?=OK Reply|Data Reply|Error Reply)", text, flags=re.M)[1:]:
        body = re.search(r"<rpc-reply.*?</rpc-reply>", part, flags=re.S)
        check(not part.startswith("Error"), "yangcli got an error: %s", part[:2000])
        found.append(etree.fromstring(body.group(0).encode()) if body else None)
    return found


def run():
    with server() as s:
        for name, content in (("config.xml", NETWORK), ("scratch.xml", '<networks xmlns="%s"><network><network-id>scratch</network-id></network></networks>' % NS["nw"])):
            with open(os.path.join(s.directory, name), "w") as f:
                f.write(content)
        script = os.path.join(s.directory, "script")
        with open(script, "w") as f:
            f.write(SCRIPT.format(directory=s.directory))
        modules = HERE.parent.parent / "yang" / "modules"
        done = subprocess.run(
            ["yangcli", "--server=" + s.host, "--ncport=%d" % s.port, "--user=admin", "--password=" + PASSWORD, "--batch-mode",
             "--run-script=" + script, "--display-mode=xml", "--log-level=info", "--timeout=30", "--modpath=%s:/usr/share/yuma/modules" % modules],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, env={**os.environ, "HOME": s.directory})
        try:
            check("canceled" not in done.stdout, "the script was canceled")
            got = replies(done.stdout)
            want = len(SCRIPT.strip().splitlines()) - 1  # mgrload asks nobody
            check(len(got) >= want - 1, "%d replies to %d requests", len(got), want)
        except Exception:
            print(done.stdout[-6000:], flush=True)
            raise
        step("%d replies, none of them an error" % len(got))
