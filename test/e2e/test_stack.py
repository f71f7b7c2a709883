"""The agent's stack as it was used, beside what scripts/stack computes.

The kernel hands out a stack of zeros, so that the lowest byte that is none shows how deep it went.
"""
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import runs_native
from origin import pattern
from procs import BUILD, ROOT, SANITIZED

pytestmark = [
    pytest.mark.skipif(not runs_native(), reason="qemu-user's stack holds its own as well"),
    pytest.mark.skipif(SANITIZED, reason="AddressSanitizer's frames are of another size"),
    pytest.mark.skipif(os.geteuid() != 0, reason="not root: the stack cannot be read")]


def used(pid):
    """Bytes between the first stack pointer and the lowest byte that was written."""
    stat = Path("/proc/%d/stat" % pid).read_text().rsplit(")", 1)[1].split()
    first = int(stat[25])
    maps = Path("/proc/%d/maps" % pid).read_text()
    low = int(re.search(r"^([0-9a-f]+)-[0-9a-f]+ .*\[stack\]$", maps, re.M).group(1), 16)
    assert low < first
    with open("/proc/%d/mem" % pid, "rb") as memory:
        memory.seek(low)
        below = memory.read(first - low)
    return len(below.lstrip(b"\0"))


def computed():
    done = subprocess.run([sys.executable, "-B", ROOT / "scripts/stack", BUILD / "adit.debug"],
                          capture_output=True, check=True)
    return int(done.stdout)


@pytest.mark.parametrize("kind", ["server", "rsa"])
def test_no_deeper_than_computed(make_gateway, make_agent, origin, certs, kind):
    gateway = make_gateway(kind=kind)
    agent = make_agent(gateway.url, gateway.token("stack"), "localhost:%d" % origin.port,
                       ca=certs / "ca.pem")
    agent.wait_open()
    with gateway.visit("stack") as visitor:
        for size in (0, 1000, 300000):
            response = visitor.request("POST", "/echo", body=pattern(size))
            assert response.body == pattern(size)
    since = agent.mark()
    agent.send(1)
    agent.send(10)
    gateway.kill()
    agent.wait_for_log("again in|retry|connect", since)
    measured, limit = used(agent.pid), computed()
    print("%s: %d bytes used, %d computed" % (kind, measured, limit))
    # A figure that is far from what is used would prove nothing.
    assert limit / 4 < measured <= limit
