"""The fixtures themselves: whatever goes wrong in a test or in another fixture, each program ends.

Tests that fail in every way are run by a pytest in a session of its own; what is left of the
session afterwards was left behind.
"""
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from procs import wait_until

HEAD = """
import pytest
from conftest import Gateway
from procs import Proc

def broken(*_):
    raise AssertionError("as meant")
"""

CASES = {
    "a test": """
def test(make_gateway, make_agent, certs):
    gateway = make_gateway()
    make_agent(gateway.url, gateway.token("one"), ca=certs / "ca.pem").wait_open()
    Proc(["sleep", "1000"])
    raise AssertionError("as meant")
""",
    "stops": """
def test(make_gateway, make_agent, make_front, certs, monkeypatch):
    for good in True, False, True:
        monkeypatch.undo() if good else monkeypatch.setattr("conftest.Proc.stop", broken)
        gateway, url = make_front("nginx")
        make_agent(url, gateway.token("one"), ca=certs / "ca.pem").wait_open()
""",
    "a log": """
def test(make_agent):
    agents = [make_agent("ws://127.0.0.1:9/") for _ in range(3)]
    agents[1].lines.append("AddressSanitizer: as meant")
    agents[2].lines.append(agents[2].token)
""",
    "a start": """
def test(tmp_path, certs, make_gateway):
    make_gateway()
    Proc.wait_for_log = broken
    make_gateway()
""",
    "a shared start": """
def test(monkeypatch, tunnels, origin, busybox):
    tunnels("tlv", origin)
    monkeypatch.setattr("conftest.Agent.wait_open", broken)
    tunnels("json", origin)
""",
    "a shared stop": """
def test(tunnels, gateway, nginx, origin):
    for mode in "tlv", "json":
        tunnels(mode, origin)
    tunnels("tlv", origin).agent.stop_well = broken
    tunnels("json", origin).agent.stop = broken
    gateway.stop = nginx.process.stop = broken
""",
    "a fixture": """
@pytest.fixture
def late(make_agent):
    make_agent("ws://127.0.0.1:9/")
    yield
    raise AssertionError("as meant")

def test(late):
    Proc(["sleep", "1000"])
""",
}
HANGS = """
def test(make_agent, gateway):
    make_agent("ws://127.0.0.1:9/")
    Proc(["sleep", "1000"]).wait(1000)
"""
# What the check would see of a fixture that forgets.
FORGETS = """
import subprocess
def test():
    subprocess.Popen(["sleep", "1000"])
    raise AssertionError("as meant")
"""


def members(session):
    """Processes of this session: all that was started, as nothing of it makes one of its own."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, sid = path.read_text().rsplit(")", 1)[1].split()[:4]
        except OSError:
            continue
        if int(sid) == session and state != "Z":
            found.append(int(path.parent.name))
    return found


@pytest.fixture
def start(tmp_path):
    running = []

    def begin(text):
        (tmp_path / "test_inner.py").write_text(HEAD + text)
        here = Path(__file__).parent
        running.append(subprocess.Popen(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "conftest",
             "--rootdir", tmp_path, "--basetemp", tmp_path / "base", "-c", "/dev/null",
             tmp_path / "test_inner.py"], start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(here)}, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL))
        return running[0]
    yield begin
    for pid in members(running[0].pid):
        os.kill(pid, signal.SIGKILL)
    running[0].wait()
    running[0].stdout.close()


@pytest.mark.parametrize("failure", CASES)
def test_nothing_is_left_behind(start, failure):
    child = start(CASES[failure])
    out = child.communicate(timeout=120)[0].decode()
    assert child.returncode == 1 and "as meant" in out, out
    assert members(child.pid) == []


def test_nothing_is_left_of_a_run_that_is_told_to_end(start):
    child = start(HANGS)
    wait_until(lambda: len(members(child.pid)) == 4, "the programs")
    child.send_signal(signal.SIGTERM)
    out = child.communicate(timeout=120)[0].decode()
    assert child.returncode == 2 and "KeyboardInterrupt" in out, out
    wait_until(lambda: members(child.pid) == [], "the last of what was killed to be gone")


def test_what_is_left_behind_is_seen(start):
    child = start(FORGETS)
    child.wait(120)
    assert len(members(child.pid)) == 1
