"""One gateway takes over from another: on the same address, or through sockets of a service
manager, who is told of it."""
import signal
import socket
import sys
import time

import pytest

from conftest import OPENED
from drains import Gate, local, stopped
from origin import pattern
from procs import clean_env


@pytest.fixture
def gate(origin, background):
    it = Gate(background)
    origin.on("/gate", it.download)
    yield it
    it.let_on()


# ---- and the next one ----

def takes_over(make_gateway, gateway, *options, **kwargs):
    return make_gateway(*options, port=gateway.port, tokens_file=gateway.tokens_file, **kwargs)


def test_the_next_one_on_the_same_port(make_gateway, make_agent, origin, gate):
    """A download of the old one ends there, visitors who come wait for the agent at the new one."""
    old = make_gateway("--hold", "1m")
    tokens = [old.token(name) for name in ("one", "two")]
    agents = [make_agent(old.url, token, local(origin), ca=old.ca) for token in tokens]
    for agent in agents:
        agent.wait_open()
    with old.visit("one") as long:
        long.begin("GET", "/gate")
        response = long.head()
        new = takes_over(make_gateway, old, "--hold", "1m")
        new.wait_for_log("listening on .*, beside another gateway, which is to end")
        old.send(signal.SIGTERM)
        old.wait_for_log("stopping")
        visitors = [new.visit(name) for name in ("one", "two")]
        for visitor in visitors:
            visitor.begin("GET", "/")
        assert visitors[1].response().status == 200, "that agent had nothing to wait for"
        gate.let_on()
        assert b"".join(long.pieces(response)) == pattern(gate.size)
        assert visitors[0].response().status == 200
    for visitor in visitors:
        visitor.close()
    assert stopped(old) == (2, 0)
    new.wait_counter("tunnels", 2)


def test_connections_that_are_being_made(make_gateway):
    """However the kernel has shared them out, all are served by one of the two."""
    old = make_gateway(certs=None)
    old.token("one")
    new = takes_over(make_gateway, old, certs=None)
    waiting = [socket.create_connection(old.address) for _ in range(40)]
    old.send(signal.SIGTERM)
    for sock in waiting:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: nobody.tunnel.test\r\n\r\n")
        assert b" 404 " in sock.recv(100)
        sock.close()
    assert stopped(old) == (0, 0)
    with new.visit("nobody") as visitor:
        assert visitor.request("GET", "/").status == 404


# ---- sockets of a service manager ----

# What systemd does: descriptors from 3 on, the environment, and exec.
MANAGER = """
import fcntl, os, sys
fds = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 100) for fd in sys.argv[1].split(",")]
for n, fd in enumerate(fds):
    os.dup2(fd, 3 + n)
    os.set_inheritable(3 + n, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)))
if sys.argv[2]:
    os.environ["LISTEN_FDNAMES"] = sys.argv[2]
os.execv(sys.argv[3], sys.argv[3:])
"""


def by_manager(socks, names=""):
    fds = [s.fileno() for s in socks]
    return {"by": [sys.executable, "-c", MANAGER, ",".join(map(str, fds)), names],
            "pass_fds": fds}


@pytest.fixture
def bound():
    socks = []

    def make(listens=True):
        s = socket.socket()
        socks.append(s)
        s.bind(("127.0.0.1", 0))
        if listens:
            s.listen(64)
        return s
    yield make
    for s in socks:
        s.close()


def test_sockets_that_are_handed_over(make_gateway, make_agent, origin, bound):
    """The connection that comes while no gateway is there waits for the next one."""
    sock = bound()
    first = make_gateway(**by_manager([sock]))
    assert first.port == sock.getsockname()[1] and "of the service manager" in first.log()
    agent = make_agent(first.url, first.token("one"), local(origin), ca=first.ca)
    agent.wait_open()
    first.send(signal.SIGTERM)
    assert stopped(first) == (1, 0)
    early = socket.create_connection(first.address)
    second = make_gateway(tokens_file=first.tokens_file, **by_manager([sock]))
    with second.visit("one") as visitor:
        assert visitor.request("GET", "/").status == 200
    agent.wait_for_log(OPENED, 1)
    second.send(signal.SIGTERM)
    early.close()
    assert stopped(second)[0] == 1


@pytest.mark.parametrize("names", ["", "https:http", "http:https"])
def test_two_of_them(make_gateway, bound, names):
    socks = [bound(), bound()]
    https, http = socks[::-1] if names.startswith("http:") else socks
    gateway = make_gateway(**by_manager(socks, names))
    gateway.wait_for_log(r"TLS: listening on 127.0.0.1:%d," % https.getsockname()[1])
    gateway.wait_for_log(r"plain HTTP for visitors: listening on 127.0.0.1:%d,"
                         % http.getsockname()[1])
    with socket.create_connection(http.getsockname()) as clear:
        clear.sendall(b"GET / HTTP/1.1\r\nHost: nobody.tunnel.test\r\n\r\n")
        assert b" 404 " in clear.recv(100)


@pytest.mark.parametrize("count, listens, names, told", [
    (1, False, "", "no listening TCP socket"),
    (2, True, "https:other", "other sockets than one or two"),
    (3, True, "", "other sockets than one or two"),
])
def test_sockets_of_no_use(make_gateway, bound, count, listens, names, told):
    with pytest.raises(AssertionError, match=told):
        make_gateway(**by_manager([bound(listens) for _ in range(count)], names))


# ---- a service manager is told ----

def test_what_the_manager_is_told(make_gateway, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        gateway = make_gateway(env=clean_env(NOTIFY_SOCKET=manager.getsockname(),
                                             WATCHDOG_USEC="400000"))

        def says(word):
            while True:
                said = manager.recv(200)
                if said != b"WATCHDOG=1":
                    assert said.startswith(word), said
                    return said
        says(b"READY=1")
        assert [manager.recv(100) for _ in range(4)] == [b"WATCHDOG=1"] * 4
        before = time.monotonic_ns() // 1000
        gateway.send(signal.SIGHUP)
        usec = int(says(b"RELOADING=1\nMONOTONIC_USEC=").split(b"=")[-1])
        assert before <= usec <= time.monotonic_ns() // 1000 + 1000
        says(b"READY=1")
        gateway.send(signal.SIGTERM)
        says(b"STOPPING=1")
        assert stopped(gateway) == (0, 0)
