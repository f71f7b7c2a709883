"""One system call fails while requests pass through the tunnel: agent and gateway under strace.

Each case lets one call fail in one way, the Nth time that the program makes it, while a page is
fetched, 256 KB go up and come back, and an upgraded connection echoes; TLS with a verified
certificate, tlv and json in turn. Afterwards the same must pass without a fault, in the same
process, or the program has ended at the start with a sentence and a status of its own. It must not
have died of a signal, must not spin, and holds no more descriptors than without the fault.

Not part of the suite: `make test-faults`. FAULTS=PATTERN takes the cases of these names only,
FAULT_TIMES='1 4' the first and fourth call.
The filter of system calls is off (--seccomp=no): it kills for the number -1, which strace puts in
place of a call that is to fail. It is the source of the list of calls here.
"""
import os
import re
import shutil
import signal
import ssl
import subprocess
import time

import pytest

import conftest
from origin import pattern
from procs import ADIT, GATEWAY, ROOT, wait_until
from visitor import Broken

pytestmark = pytest.mark.skipif(not shutil.which("strace"), reason="no strace")

BODY = pattern(256 << 10)
# What may come back at once or not at all under load; beyond it the program hangs.
PATIENCE = 25.0

STREAM_IN = ["EINTR", "EAGAIN", "ECONNRESET", "EIO", "ENOMEM", "ETIMEDOUT"]
STREAM_OUT = ["EINTR", "EAGAIN", "ECONNRESET", "EPIPE", "ENOBUFS", "EIO"]
# Every call of the programs' filters: how it may fail.
FAULTS = {
    "read": STREAM_IN, "readv": STREAM_IN, "recvfrom": STREAM_IN, "recvmsg": STREAM_IN,
    "write": STREAM_OUT, "writev": STREAM_OUT, "sendto": STREAM_OUT, "sendmsg": STREAM_OUT,
    "socket": ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EACCES"],
    "connect": ["EINTR", "ECONNREFUSED", "ENETUNREACH", "ETIMEDOUT", "EAGAIN", "EADDRNOTAVAIL"],
    "bind": ["EADDRINUSE", "EACCES"],
    "getsockname": ["ENOBUFS"], "getsockopt": ["ENOMEM"], "setsockopt": ["ENOPROTOOPT", "ENOMEM"],
    "shutdown": ["ENOTCONN"],
    "accept": ["EMFILE"], "accept4": ["EMFILE", "ENFILE", "ECONNABORTED", "EINTR", "ENOMEM",
                                      "EAGAIN", "EPROTO"],
    "select": ["EINTR", "ENOMEM"], "_newselect": ["EINTR", "ENOMEM"],
    "pselect6": ["EINTR", "ENOMEM"], "pselect6_time64": ["EINTR", "ENOMEM"],
    "epoll_wait": ["EINTR"], "epoll_pwait": ["EINTR"],
    "epoll_pwait2": ["EINTR"], "epoll_ctl": ["ENOMEM", "ENOSPC"], "epoll_create1": ["EMFILE"],
    "getrandom": ["EINTR", "ENOSYS"],
    "ioctl": ["ENODEV"], "fcntl": ["EMFILE"],
    "open": ["EMFILE", "ENFILE", "ENOENT", "EACCES", "EIO", "EINTR"],
    "openat": ["EMFILE", "ENOENT", "EIO"], "fstat": ["EIO"], "lseek": ["EIO"],
    "newfstatat": ["EIO"], "statx": ["EIO"], "rename": ["EIO", "ENOSPC"],
    "renameat": ["EIO"], "renameat2": ["EIO"], "fsync": ["EIO", "ENOSPC"],
    # The descriptor stays open, as it is the kernel that is left out.
    "close": ["EINTR", "EIO"],
    # Memory that is not given back.
    "madvise": ["ENOMEM"],
    # These have no way to fail, or nothing goes on after them.
    "exit": [], "exit_group": [], "rt_sigreturn": [], "restart_syscall": [],
    "rt_sigprocmask": [], "clock_gettime": [], "gettimeofday": [],
}
# At the start, while the tunnel is made, and while requests pass.
TIMES = [int(n) for n in os.environ.get("FAULT_TIMES", "1 2 4 9 20 60").split()]


def filter_calls(*paths):
    """The calls of the sandbox's lists that this machine has."""
    header = subprocess.run(["gcc", "-E", "-dM", "-include", "sys/syscall.h", "-x", "c",
                             "/dev/null"], capture_output=True, check=True).stdout.decode()
    known = set(re.findall(r"#define __NR_(\w+) ", header))
    listed = set()
    for path in paths:
        listed |= set(re.findall(r"\bSYS_(\w+)", (ROOT / path).read_text()))
    return sorted(listed & known)


PROGRAMS = {"agent": (ADIT, ["src/sys/sandbox_filter.c"]),
            "gateway": (GATEWAY, ["src/sys/sandbox_filter.c", "src/gateway/main.c"])}


def cases():
    wanted = os.environ.get("FAULTS", "")
    for program, (_, lists) in PROGRAMS.items():
        for call in filter_calls(*lists):
            for error in FAULTS.get(call, []):
                name = "%s-%s-%s" % (program, call, error)
                if re.search(wanted, name):
                    yield pytest.param(program, call, error, id=name)


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_call_is_forgotten(program):
    missing = set(filter_calls(*PROGRAMS[program][1])) - set(FAULTS)
    assert not missing, "no case for " + ", ".join(sorted(missing))


class Strace:
    """Stands before a program's command line."""

    def __init__(self, folder, call, error, when):
        self.trace = folder / ("trace-%d" % when)
        # -D: the program is our child, not strace's, so that its signals and its end are ours.
        self.argv = ["strace", "-D", "-qq", "-o", str(self.trace), "-e", "trace=" + call,
                     "-e", "inject=%s:error=%s:when=%d" % (call, error, when)]

    def fired(self):
        return self.trace.exists() and "(INJECTED)" in self.trace.read_text(errors="replace")


class Place:
    """Gateway, agent and local server, one of the programs under strace."""

    def __init__(self, strace, program):
        self.strace, self.program, self.parts = strace, program, []

    def start(self, program, variable, kind, *args, **kwargs):
        plain = getattr(conftest, variable)
        try:
            if self.strace and program == self.program:
                setattr(conftest, variable, [*self.strace.argv, *plain])
            it = kind(*args, **kwargs)
        finally:
            setattr(conftest, variable, plain)
        self.parts.append(it)
        return it

    def build(self, folder, certs, origin, mode):
        """False when the program has ended at its start, in order."""
        try:
            self.gateway = self.start("gateway", "GATEWAY", conftest.Gateway, folder,
                                      "--seccomp=no", certs=certs)
        except AssertionError as error:
            assert self.program == "gateway" and "error: " in str(error), error
            return False
        token = self.gateway.token("web")
        self.reload()
        self.agent = self.start(
            "agent", "ADIT", conftest.Agent, folder, self.gateway.url, token,
            origin.local, "--protocol", mode, "--ping-interval", "2s",
            "--seccomp=no", "--state", folder / "state", ca=certs / "ca.pem")
        self.victim = self.agent if self.program == "agent" else self.gateway
        return True

    def reload(self):
        """Again, where the fault met it: it is all or nothing, and says which."""
        if "stays in use" in self.gateway.log():
            since = self.gateway.mark()
            self.gateway.send(signal.SIGHUP)
            self.gateway.wait_for_log("names in the tokens file", since)

    def stop(self):
        for part in reversed(self.parts):
            part.kill()

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.victim.pid))

    # ---- what passes through ----

    def fetch(self):
        with self.gateway.visit("web", timeout=8) as visitor:
            assert visitor.request("GET", "/").body == b"hello from the local server\n"

    def post(self):
        with self.gateway.visit("web", timeout=8) as visitor:
            assert visitor.request("POST", "/echo", body=BODY).body == BODY

    def upgrade(self):
        with self.gateway.visit("web", timeout=8) as visitor:
            visitor.begin("GET", "/upgrade", [
                ("Connection", "Upgrade"), ("Upgrade", "websocket"),
                ("Sec-WebSocket-Version", "13"),
                ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")])
            assert visitor.head().status == 101
            visitor.send(b"x" * 5000)
            assert visitor.exactly(5000) == b"x" * 5000

    def work(self):
        """True when all of it passed."""
        try:
            self.fetch()
            self.post()
            self.upgrade()
        except (AssertionError, Broken, OSError, ssl.SSLError) as error:
            self.last = error
            return False
        return True

    def ended(self):
        """The status of a program that has given up, in order; None while it runs."""
        if self.victim.running():
            return None
        status = self.victim.wait()
        assert status in (1, 2), "status %d\n%s" % (status, self.victim.log())
        said = [line for line in self.victim.lines if re.search("error|cannot|adit: ", line)]
        assert said, "it ended without a word"
        return status


async def upgraded(r):
    await r.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                 b"Upgrade: websocket\r\n\r\n")
    while data := await r.reader.read(4096):
        await r.send(data)
    return False


@pytest.fixture(scope="module")
def usual(tmp_path_factory, certs, origin):
    """Descriptors of each program after the work, without a fault."""
    origin.on("/upgrade", upgraded)
    counts = {}
    for program in PROGRAMS:
        place = Place(None, program)
        try:
            place.build(tmp_path_factory.mktemp("usual"), certs, origin, "tlv")
            place.agent.wait_open()
            assert place.work() and place.work(), place.last
            time.sleep(0.3)
            counts[program] = place.descriptors()
        finally:
            place.stop()
    return counts


def one_fault(folder, certs, origin, usual, program, call, error, when):
    """The case; returns whether the call was made that often."""
    strace = Strace(folder, call, error, when)
    place = Place(strace, program)
    try:
        if not place.build(folder, certs, origin, "json" if when % 2 else "tlv"):
            return True
        end, passed, mended = time.monotonic() + PATIENCE, 0, False
        while not mended and passed < 3 and place.ended() is None:
            assert time.monotonic() < end, "no way through: %r\n%s" % (
                place.last, place.victim.log()[-2000:])
            after = strace.fired()
            good = place.work()
            passed += good
            mended = good and after
        if not mended:
            return strace.fired()
        # A close that failed has closed nothing.
        leak = 1 if call == "close" else 0
        wait_until(lambda: place.descriptors() <= usual[program] + leak, "descriptors to close")
        before = place.victim.cpu_seconds()
        time.sleep(0.4)
        assert place.victim.cpu_seconds() - before < 0.15, "it spins"
        assert place.victim.running()
        return strace.fired()
    finally:
        place.stop()


@pytest.mark.parametrize("program, call, error", cases())
def test_fault(tmp_path, certs, origin, usual, program, call, error):
    fired = []
    # The gateway's first lines of the log are waited for: a write each, and a look for room.
    lines = program == "gateway" and call in ("write", "select", "_newselect")
    for when in [n for n in TIMES if not lines or n > 8]:
        folder = tmp_path / str(when)
        folder.mkdir()
        if not one_fault(folder, certs, origin, usual, program, call, error, when):
            break
        fired.append(when)
    print("%s %s %s: failed at calls %s" % (program, call, error, fired))
    if not fired:
        pytest.skip("never called here")
