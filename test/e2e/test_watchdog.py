"""The last resort against a defect that makes the agent turn without getting on, which is made here
by a select() that always says that everything is ready; and what a service manager is told.
"""
import shutil
import signal
import socket
import time

import pytest

from conftest import runs_native
from procs import Proc, clean_env

ALIVE, READY = b"WATCHDOG=1", b"READY=1"


@pytest.fixture
def manager(tmp_path):
    """The socket of a service manager."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(str(tmp_path / "notify"))
        s.settimeout(20)
        yield s


def told(manager, **env):
    return clean_env(NOTIFY_SOCKET=manager.getsockname(), **env)


def drain(manager):
    """What was said up to now."""
    manager.setblocking(False)
    said = []
    try:
        while True:
            said.append(manager.recv(100))
    except BlockingIOError:
        manager.settimeout(20)
    return said


def test_the_manager_is_told(make_py, make_agent, certs, manager):
    agent = make_agent("wss://localhost:1/_adit", "token", "127.0.0.1:9", ca=certs / "ca.pem",
                       env=told(manager, WATCHDOG_USEC="300000"))
    assert manager.recv(100) == READY
    agent.wait_for_log("connecting again")
    assert [manager.recv(100) for _ in range(4)] == [ALIVE] * 4, "offline is no defect"


def test_in_a_session_too(py_session, manager):
    session = py_session("tlv", env=told(manager, WATCHDOG_USEC="200000"))
    drain(manager)
    assert [manager.recv(100) for _ in range(4)] == [ALIVE] * 4
    assert session.agent.running()


def test_reload_and_end(py_session, manager):
    session = py_session("tlv", env=told(manager))
    assert manager.recv(100) == READY
    now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    session.agent.send(signal.SIGHUP)
    state, at = manager.recv(100).split(b"\n")
    assert state == b"RELOADING=1"
    assert now <= int(at.removeprefix(b"MONOTONIC_USEC=")) < now + 20000000
    assert manager.recv(100) == READY, "done"
    session.agent.token_file.unlink()
    session.agent.send(signal.SIGHUP)
    assert manager.recv(100).startswith(b"RELOADING=1\n")
    assert manager.recv(100) == READY, "done, if in vain"
    session.agent.send(signal.SIGTERM)
    assert manager.recv(100) == b"STOPPING=1"
    assert session.agent.wait() == 0
    assert drain(manager) == []


@pytest.mark.parametrize("limit", [{}, {"WATCHDOG_USEC": "soon"}])
def test_no_more_than_it_asks_for(make_agent, certs, manager, limit):
    agent = make_agent("wss://localhost:1/_adit", "token", "127.0.0.1:9", "--max-attempts", "3",
                       ca=certs / "ca.pem", env=told(manager, **limit))
    assert agent.wait() == 1
    assert drain(manager) == [READY]


def test_a_manager_without_a_file(make_agent, certs):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind("")      # the kernel finds a name
        s.settimeout(20)
        make_agent("wss://localhost:1/_adit", "token", "127.0.0.1:9", ca=certs / "ca.pem",
                   env=clean_env(NOTIFY_SOCKET="@" + s.getsockname()[1:].decode()))
        assert s.recv(100) == READY


def spin(agent):
    """From now on select() has nothing to wait for. (The filter would kill for the call that strace
    makes instead.)"""
    return Proc([shutil.which("strace"), "-qq", "-o", "/dev/null", "-p", str(agent.pid),
                 "-e", "trace=select,pselect6", "-e", "inject=select,pselect6:retval=1"])


@pytest.mark.skipif(not runs_native() or not shutil.which("strace"), reason="strace on x86-64")
def test_turning_ends(py_session, manager):
    """First the session, then, as that was of no use, the program."""
    session = py_session("tlv", "--ping-interval", "1h", "--stats-interval", "24h", "--base-delay",
                         "1h", "--max-delay", "2h", "--seccomp=no",
                         env=told(manager, WATCHDOG_USEC="100000"))
    agent = session.agent
    strace = spin(agent)
    try:
        agent.wait_for_log("disconnected: a defect: turning without getting on")
        agent.wait_for_log("connecting again")
        drain(manager)
        agent.wait_for_log("error: a defect: turning")
        assert agent.wait() == 3
        # Those of the moment in which the old connection was closed.
        assert len(drain(manager)) < 30, "a program that spins is not alive"
    finally:
        strace.kill()
