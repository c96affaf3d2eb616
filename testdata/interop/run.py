"""Run the scenarios of all foreign clients, or of those named, and say how each went."""

import shutil
import sys
import traceback

import with_console
import with_ncclient
import with_openssh
import with_scapy
import with_scrapli
import with_yangcli
from common import Failure

SCENARIOS = {"ncclient": with_ncclient.run, "netconf-console2": with_console.run, "openssh": with_openssh.run,
             "scapy": with_scapy.run, "scrapli-netconf": with_scrapli.run, "yangcli": with_yangcli.run}


def main(names):
    failed = []
    for name in names or SCENARIOS:
        if name == "openssh" and not (shutil.which("ssh") and shutil.which("ssh-keygen")):
            print("SKIP", name, "(ssh is not installed; apt: openssh-client)", flush=True)
            continue
        if name == "yangcli" and not shutil.which("yangcli"):
            print("SKIP", name, "(yangcli is not installed; apt: yangcli)", flush=True)
            continue
        print("RUN ", name, flush=True)
        try:
            SCENARIOS[name]()
        except Failure as e:
            failed.append(name)
            print("FAIL", name + ":", e, flush=True)
        except Exception:
            failed.append(name)
            traceback.print_exc()
            print("FAIL", name, flush=True)
        else:
            print("PASS", name, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
