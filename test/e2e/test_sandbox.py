"""The sandbox of both programs: what is said, what is done, and a forbidden call that kills."""
import os
import re
import shutil
import signal
import sys
from pathlib import Path

import pytest

from conftest import runs_native
from procs import ADIT, GATEWAY, Proc, run, wait_until
from tracing import X86, Traced, make_call

pytestmark = pytest.mark.skipif(not runs_native(), reason="qemu-user filters no system calls")

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="not root")
SANDBOX = r"sandbox: .*"


def facts(pid):
    text = Path("/proc/%d/status" % pid).read_text()
    limits = Path("/proc/%d/limits" % pid).read_text()
    return {"filter": re.search(r"^Seccomp:\s+(\d)", text, re.M).group(1) == "2",
            "no new privs": re.search(r"^NoNewPrivs:\s+(\d)", text, re.M).group(1) == "1",
            "uid": set(re.search(r"^Uid:\s+(.*)$", text, re.M).group(1).split()),
            "gid": set(re.search(r"^Gid:\s+(.*)$", text, re.M).group(1).split()),
            "groups": re.search(r"^Groups:[ \t]*(.*)$", text, re.M).group(1).split(),
            "core": re.search(r"^Max core file size\s+(\S+)\s+(\S+)", limits, re.M).groups(),
            "files": int(re.search(r"^Max open files\s+(\d+)", limits, re.M).group(1)),
            "root": os.readlink("/proc/%d/root" % pid)}


@pytest.fixture(params=["agent", "gateway"])
def make(request, make_agent, make_gateway):
    """Starts one of the two programs with these options."""
    def agent(*options):
        return make_agent("ws://127.0.0.1:9/x", "the-token", "127.0.0.1:9", *options)
    return agent if request.param == "agent" else make_gateway


def test_on_by_default(make):
    program = make()
    line = program.wait_for_log(SANDBOX).group(0)
    for part in "no new privileges", "no core dumps", "few descriptors", "system calls filtered":
        assert part in line
    found = facts(program.pid)
    assert found["filter"] and found["no new privs"] and found["core"] == ("0", "0")
    assert found["files"] < 1024


@pytest.mark.parametrize("option, part, fact, value", [
    ("--seccomp=no", "system calls filtered", "filter", False),
    ("--no-new-privs=no", "no new privileges", "no new privs", False),
])
def test_each_part_can_be_off(make, option, part, fact, value):
    program = make(option)
    assert part not in program.wait_for_log(SANDBOX).group(0)
    assert facts(program.pid)[fact] == value


def test_limits_off(make):
    program = make("--limits=no")
    assert "core dumps" not in program.wait_for_log(SANDBOX).group(0)
    assert facts(program.pid)["filter"]


@X86
def test_kernel_without_filter(tmp_path):
    """As built without CONFIG_SECCOMP_FILTER: prctl(PR_SET_SECCOMP) is EINVAL."""
    (tmp_path / "token").write_text("the-token")
    (tmp_path / "token").chmod(0o600)
    agent = Proc([sys.executable, Path(__file__).with_name("without.py"), 157, 22, 22, *ADIT,
                  "--url",
                  "ws://127.0.0.1:9/", "--allow-plaintext", "--token-file", tmp_path / "token"])
    agent.wait_for_log(SANDBOX + "no system call filter in this kernel")
    agent.wait_for_log("connecting to")
    assert agent.stop() == 0


@X86
@ROOT
def test_early_boot(make_agent):
    """The kernel has no random bytes yet: they are waited for, and nothing is sent before."""
    agent = make_agent("ws://127.0.0.1:9/", "the-token", "127.0.0.1:9", "--limits=no",
                       "--seccomp=no")
    agent.wait_for_log("connecting again")
    with Traced(agent.pid) as traced:
        since = agent.mark()
        for _ in range(3):
            traced.fail(318, 11)               # getrandom, EAGAIN
        agent.wait_for_log("waiting for", since)
        told = agent.log(since)
    assert told.count("waiting for the kernel's random number generator") == 1
    assert "connecting to" not in told
    agent.wait_for_log("connecting to", since)


@ROOT
def test_user(make):
    program = make("--user", "nobody")
    assert "user 65534" in program.wait_for_log(SANDBOX).group(0)
    found = facts(program.pid)
    assert found["uid"] == found["gid"] == {"65534"} and found["groups"] == []


@ROOT
@pytest.mark.skipif(not shutil.which("setpriv"), reason="no setpriv here")
@pytest.mark.parametrize("program", ["agent", "gateway"])
def test_groups_are_dropped(certs, tmp_path, program):
    """A user of several groups starts it."""
    (tmp_path / "file").write_text("the-token" if program == "agent" else "")
    (tmp_path / "file").chmod(0o600)
    argv = ([*ADIT, "--url", "ws://127.0.0.1:9/", "--allow-plaintext", "--token-file",
             tmp_path / "file"]
            if program == "agent" else
            [*GATEWAY, "--listen", "127.0.0.1:0", "--domain", "tunnel.test", "--tokens",
             tmp_path / "file",
             "--plain"])
    for options, groups in ([], ["5", "6"]), (["--user", "65534"], []):
        running = Proc(["setpriv", "--groups=5,6", *argv, *options])
        running.wait_for_log(SANDBOX)
        assert facts(running.pid)["groups"] == groups
        running.kill()


@pytest.mark.parametrize("options, told", [
    (["--user", "nobody-of-that-name"], "--user is not known here"),
    (["--chroot", "/no/such/directory"], "--chroot is not possible"),
])
def test_sandbox_that_cannot_be_had(tmp_path, options, told):
    (tmp_path / "token").write_text("the-token")
    (tmp_path / "token").chmod(0o600)
    status, _, err = run([*ADIT, "--url", "ws://127.0.0.1:9/", "--allow-plaintext", "--token-file",
                          tmp_path / "token", *options])
    assert status == 2 and told in err


@ROOT
def test_tunnel_of_other_users_in_another_root(make_gateway, make_agent, origin, certs, tmp_path):
    """All of it on: files that were opened before are found, and requests pass."""
    empty = tmp_path / "empty"
    empty.mkdir()
    options = ["--user", "65534", "--chroot", empty]
    gateway = make_gateway()
    token = gateway.token("shed")
    agent = make_agent(gateway.url.replace("localhost", "127.0.0.1"), token,
                       origin.local, "--server-name", "localhost", *options,
                       ca=certs / "ca.pem")
    agent.wait_open()
    assert facts(agent.pid)["root"] == str(empty)
    for _ in range(2):
        with gateway.visit("shed") as v:
            assert v.request("GET", "/").status == 200
        since = agent.mark()
        assert gateway.running()
    inside = make_gateway(*options)
    inside.wait_for_log(SANDBOX)
    assert facts(inside.pid)["root"] == str(empty) and since


@ROOT
def test_hangup_of_a_gateway_in_another_root(make_gateway, make_agent, origin, certs, tmp_path):
    """Files that cannot be read any more leave what they gave; those that lie there are read."""
    root = tmp_path / "root"
    root.mkdir()
    gateway = make_gateway()
    token = gateway.token("shed")
    gateway.stop()
    tokens = gateway.tokens_file
    gateway = make_gateway("--user", "65534", "--chroot", root, tokens_file=tokens)
    gateway.wait_for_log(SANDBOX)
    agent = make_agent(gateway.url, token, origin.local, ca=certs / "ca.pem")
    agent.wait_open()

    def works():
        with gateway.visit("shed") as v:
            assert v.request("GET", "/").status == 200
        assert agent.sessions() == 1

    def hangup(*patterns):
        since = gateway.mark()
        gateway.send(signal.SIGHUP)
        for pattern in patterns:
            gateway.wait_for_log(pattern, since)
    hangup("the certificate file cannot be read", "%s: cannot be read" % tokens,
           "stays in use; after --user and --chroot, files must be readable for that user")
    works()
    # Readable for root only.
    inside = root / str(tokens)[1:]
    inside.parent.mkdir(parents=True)
    inside.write_text(tokens.read_text() + "more " + "0" * 64 + "\n")
    inside.chmod(0o600)
    hangup("%s: cannot be read" % tokens, "stays in use")
    works()
    for path in [certs / "server.pem", certs / "server.key"]:
        copy = root / str(path)[1:]
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
        copy.chmod(0o400)
        os.chown(copy, 65534, -1)
    inside.chmod(0o644)
    since = gateway.mark()
    hangup("2 names in the tokens file")
    assert "stays in use" not in gateway.log(since)
    works()


# ---- a forbidden call ----

# The first one would do no harm, and returns 0.
YIELD, EXECVE, PTRACE, MPROTECT = 24, 59, 101, 10


def waits(program):
    """In its loop's wait: a system call that can be replaced."""
    name = Path("/proc/%d/syscall" % program.pid)
    wait_until(lambda: name.read_text().split()[0] in ("23", "270", "232", "281"),
               "the wait")


@X86
@ROOT
@pytest.mark.parametrize("number", [YIELD, EXECVE, PTRACE, MPROTECT])
def test_forbidden_call_kills(make, number):
    program = make()
    program.wait_for_log(SANDBOX)
    waits(program)
    make_call(program.pid, number)
    assert program.wait() == -signal.SIGSYS


@X86
@ROOT
def test_the_same_call_without_filter(make):
    program = make("--seccomp=no")
    program.wait_for_log(SANDBOX)
    waits(program)
    make_call(program.pid, YIELD)
    waits(program)
    assert program.running()
    assert program.stop() == 0
