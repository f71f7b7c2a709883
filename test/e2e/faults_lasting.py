"""What faults.py, where one call fails once, leaves out: calls that fail again and again until the
fault is mended, calls that do only part of what they are asked to, and the calls of a lookup.

Not part of the suite: `make test-faults`. FAULTS=PATTERN takes the cases of these names only.
"""
import contextlib
import os
import re
import shutil
import signal
import threading
import time

import pytest

import conftest
import spaces
from faults import (BODY, FAULTS, PATIENCE, PROGRAMS, STREAM_IN, STREAM_OUT, Place, Strace,
                    filter_calls, upgraded, usual)
from net_world import NAME, NameServer
from procs import Proc, wait_until
from tracing import X86, Traced

pytestmark = pytest.mark.skipif(not shutil.which("strace") or os.geteuid() != 0,
                                reason="no strace, or not root")
__all__ = ["usual"]
WANTED = os.environ.get("FAULTS", "")


def some(name, *values):
    if re.search(WANTED, name):
        yield pytest.param(*values, id=name)


class StirredPlace(Place):
    def stir(self, folder, certs, origin):
        """The other one is started anew, and the victim reads its files again."""
        if self.victim is self.agent:
            self.gateway.kill()
            self.gateway = conftest.Gateway(folder, certs=certs, port=self.gateway.port,
                                            tokens_file=self.gateway.tokens_file)
            self.parts.append(self.gateway)
        else:
            self.agent.kill()
            self.agent = conftest.Agent(folder, self.gateway.url, self.agent.token,
                                        "127.0.0.1:%d" % origin.port, ca=certs / "ca.pem")
            self.parts.append(self.agent)
        self.victim.send(signal.SIGHUP)


@pytest.fixture
def place(tmp_path, certs, origin):
    """Gateway and agent that serve; where `program` is what will be looked at."""
    places = []

    def make(program, mode="tlv"):
        origin.on("/upgrade", upgraded)
        it = StirredPlace(None, program)
        places.append(it)
        it.build(tmp_path, certs, origin, mode)
        it.agent.wait_open()
        assert it.work() and it.work(), it.last
        return it
    yield make
    for it in places:
        it.stop()


# ---- for good, which is until it is mended ----

# Long enough for a session to end, and for attempts to fail.
LASTS_S = 3.0
# Connections to the local server that wait for another request, one a stream at most: a call that
# fails again and again would leave more.
IDLE = 16
# Without these nothing can be waited for: the loop turns until its watchdog ends it.
WAITS = {"select", "_newselect", "pselect6", "pselect6_time64", "epoll_wait", "epoll_pwait",
         "epoll_pwait2"}


def lasting():
    for program, (_, lists) in PROGRAMS.items():
        for call in filter_calls(*lists):
            for error in FAULTS.get(call, [])[-1:] + FAULTS.get(call, [])[:1]:
                if error not in ("EINTR", "EAGAIN"):
                    yield from some("%s-%s-%s-lasts" % (program, call, error), program, call, error)


@contextlib.contextmanager
def failing(pid, call, error, trace):
    """Every call of it fails meanwhile."""
    strace = Proc(["strace", "-qq", "-o", trace, "-p", pid, "-e", "trace=" + call, "-e",
                   "inject=%s:error=%s" % (call, error)])
    wait_until(lambda: tracer(pid) != 0, "strace")
    try:
        yield
    finally:
        strace.stop(signal.SIGTERM)
        wait_until(lambda: tracer(pid) == 0, "strace to go")


def tracer(pid):
    with contextlib.suppress(FileNotFoundError), open("/proc/%d/status" % pid) as f:
        return int(re.search(r"TracerPid:\s+(\d+)", f.read()).group(1))
    return 0


@pytest.mark.parametrize("program, call, error", lasting())
def test_lasts(place, usual, tmp_path, certs, origin, program, call, error):
    p = place(program)
    before = p.victim.cpu_seconds()
    with failing(p.victim.pid, call, error, tmp_path / "trace"):
        p.stir(tmp_path, certs, origin)
        end = time.monotonic() + LASTS_S
        while time.monotonic() < end and p.victim.running():
            p.work()
            time.sleep(0.1)
        spent = p.victim.cpu_seconds() - before
    if p.ended() is not None:
        return
    if call not in WAITS:
        assert spent < LASTS_S / 2, "it spins: %.2f s" % spent
    end = time.monotonic() + PATIENCE
    while not p.work():
        assert p.victim.running() and time.monotonic() < end, "no way through: %r\n%s" % (
            p.last, p.victim.log()[-3000:])
    # A close that failed has closed nothing; some connections to the local server may stay.
    if call != "close":
        wait_until(lambda: p.descriptors() <= usual[program] + IDLE, "descriptors to close")
    if "(INJECTED)" not in (tmp_path / "trace").read_text():
        pytest.skip("not called here")


# ---- a part of what was asked for ----

class Short(threading.Thread):
    """Lets the kernel do no more than a few bytes of each read and write, or their first piece,
    of those that are on sockets."""
    CALLS = {0: "read", 1: "write", 19: "readv", 20: "writev"}

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.over, self.cut = pid, False, dict.fromkeys(self.CALLS, 0)
        self.start()

    def run(self):
        # Who attaches is who traces.
        with Traced(self.pid) as traced:
            while not self.over:
                number, begins, _ = traced.next_stop()
                if begins and number in self.CALLS:
                    self.shorten(traced, number)

    def shorten(self, traced, number):
        """The third argument: bytes, or pieces."""
        most = 1 if number > 1 else 1 + sum(self.cut.values()) * 7 % 97
        if traced.regs.rdx > most and self.is_socket(traced.regs.rdi):
            self.cut[number] += 1
            traced.change("rdx", most)

    def is_socket(self, fd):
        with contextlib.suppress(OSError):
            return os.readlink("/proc/%d/fd/%d" % (self.pid, fd)).startswith("socket:")
        return False

    def stop(self):
        """It looks again when the program makes a call, which a signal brings about."""
        self.over = True
        while self.is_alive():
            os.kill(self.pid, signal.SIGUSR1)
            self.join(0.1)


@X86
@pytest.mark.parametrize("program, mode", [
    case for program in PROGRAMS for mode in ("tlv", "json", "plain")
    for case in some("%s-short-%s" % (program, mode), program, mode)])
def test_short(place, program, mode):
    if mode == "plain":
        pytest.skip("no upgrades in plain mode")
    p = place(program, mode)
    short = Short(p.victim.pid)
    try:
        wait_until(lambda: tracer(p.victim.pid), "to be attached")
        for size in (1, 100, 20000):
            with p.gateway.visit("web", timeout=60) as visitor:
                assert visitor.request("POST", "/echo", body=BODY[:size]).body == BODY[:size]
        p.fetch()
        p.upgrade()
    finally:
        short.stop()
    assert sum(short.cut.values()) > 500, short.cut
    assert p.victim.running() and p.agent.sessions() == 1, p.agent.log()
    assert p.work(), p.last


# ---- the calls of a lookup ----

class LookupPlace(Place):
    """In a network of its own, where the gateway has a name that is looked up."""

    def __init__(self, strace, space):
        super().__init__(strace, "agent")
        self.space = space

    def start(self, program, variable, kind, *args, **kwargs):
        plain = getattr(conftest, variable)
        strace = self.strace.argv if self.strace and program == self.program else []
        try:
            setattr(conftest, variable, self.space.argv(*strace, *plain))
            if kind is conftest.Agent:
                folder, url, *rest = args
                args = folder, url.replace("localhost", NAME), *rest, "--server-name", "localhost"
            it = kind(*args, **kwargs)
        finally:
            setattr(conftest, variable, plain)
        self.parts.append(it)
        return it

    def work(self):
        with self.space.inside():
            return super().work()


@pytest.fixture(scope="module")
def lookup(tmp_path_factory, certs, background):
    """Makes such places, over one network with a name server and a local server."""
    if not spaces.may():
        pytest.skip("no network namespaces here")
    etc = tmp_path_factory.mktemp("etc")
    (etc / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1\n")
    (etc / "hosts").write_text("127.0.0.9 other.test\n")
    space = spaces.Namespace(etc)
    space.holder.shared = True
    names = NameServer(space, "127.0.0.1")
    names.records = ["127.0.0.1"]
    origin = OriginIn(background, space)
    origin.on("/upgrade", upgraded)

    def make(strace, folder):
        place = LookupPlace(strace, space)
        built = place.build(folder, certs, origin, "tlv")
        return place, built
    yield make
    names.close()
    origin.stop()
    space.holder.shared = False
    space.holder.kill()


class OriginIn(conftest.Origin):
    def __init__(self, background, space):
        self.space = space
        super().__init__(background)

    async def start(self):
        import asyncio
        import socket
        with self.space.inside():
            sock = socket.create_server(("127.0.0.1", 0))
        return await asyncio.start_server(self.serve, sock=sock)


class Log(Strace):
    """All calls are written down, none fails."""

    def __init__(self, folder):
        self.trace = folder / "trace"
        self.argv = ["strace", "-D", "-qq", "-o", str(self.trace)]


def calls_of_lookup(trace):
    """Each as (name, how many of that name there were up to it): from /etc/hosts to the connection
    that follows."""
    counts, found, inside = {}, [], False
    for name, rest in re.findall(r"^(\w+)\((.*)$", trace, re.M):
        counts[name] = counts.get(name, 0) + 1
        inside = inside or '"/etc/hosts"' in rest
        if inside:
            found.append((name, counts[name]))
        if inside and name == "socket" and "SOCK_STREAM" in rest:
            return found
    raise AssertionError("no lookup in\n" + trace)


@pytest.fixture(scope="module")
def lookup_calls(lookup, tmp_path_factory):
    folder = tmp_path_factory.mktemp("calls")
    place, _ = lookup(Log(folder), folder)
    try:
        place.agent.wait_open()
        return calls_of_lookup(place.strace.trace.read_text())
    finally:
        place.stop()


LOOKUP = {"open": ["EMFILE", "ENOENT", "EACCES"], "read": STREAM_IN + ["ECONNREFUSED"],
          "socket": FAULTS["socket"], "connect": FAULTS["connect"] + ["EPERM", "EINVAL"],
          "write": STREAM_OUT + ["ECONNREFUSED", "EPERM", "ENETUNREACH", "EMSGSIZE"],
          "pselect6": ["EINTR", "ENOMEM"], "select": ["EINTR", "ENOMEM"], "close": ["EINTR", "EIO"]}


def test_lookup_is_whole(lookup_calls):
    """What is failed below is what a lookup makes."""
    names = {name for name, _ in lookup_calls}
    assert {"open", "read", "socket", "connect", "write", "close"} <= names <= {
        *LOOKUP, "fcntl", "ioctl", "lseek", "setsockopt", "clock_gettime"}, lookup_calls


@pytest.mark.parametrize("call, error", [
    case for call, errors in LOOKUP.items() for error in errors
    for case in some("lookup-%s-%s" % (call, error), call, error)])
def test_lookup(lookup, lookup_calls, tmp_path, call, error):
    times = [n for name, n in lookup_calls if name == call]
    if not times:
        pytest.skip("never called here")
    for when in times:
        folder = tmp_path / str(when)
        folder.mkdir()
        strace = Strace(folder, call, error, when)
        place, built = lookup(strace, folder)
        try:
            assert built
            end = time.monotonic() + PATIENCE
            while not place.work():
                assert place.victim.running() and time.monotonic() < end, "%r\n%s" % (
                    place.last, place.agent.log()[-3000:])
            assert strace.fired(), "not called that often"
        finally:
            place.stop()
