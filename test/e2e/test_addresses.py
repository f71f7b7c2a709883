"""Hosts with several addresses, of which not all are good."""
import asyncio
import re
import socket
import subprocess

import pytest

import conftest
from conftest import MODES
from origin import pattern
from procs import ADIT, RUNNER, wait_until
from pygateway import Aborted


@pytest.fixture
def loopbacks():
    """Listening sockets on 127.0.0.1 and ::1, of the same port: `localhost` is both."""
    def bind():
        four, six = socket.socket(), socket.socket(socket.AF_INET6)
        try:
            four.bind(("127.0.0.1", 0))
            six.bind(("::1", four.getsockname()[1]))
        except OSError:
            four.close()
            six.close()
            return None
        return four, six
    pair = next(filter(None, (bind() for _ in range(20))), None)
    if not pair:
        pytest.skip("no ::1 here")
    for sock in pair:
        sock.listen()
    yield pair
    for sock in pair:
        sock.close()


@pytest.fixture
def serve(background):
    """Serves connections of a socket, which is its from then on."""
    servers = []

    def start(handler, sock):
        servers.append(background.run(asyncio.start_server(handler, sock=sock)))

    async def close():
        for server in servers:
            server.close()
            await server.wait_closed()
    yield start
    background.run(close())


# ---- the gateway's ----

def test_gateway_on_the_second_address(loopbacks, make_py, make_agent, certs):
    four, six = loopbacks
    four.close()
    gateway = make_py(sock=six)
    make_agent(gateway.url, "the-token", ca=certs / "ca.pem").wait_open()


def test_gateway_behind_a_useless_address(loopbacks, serve, make_py, make_agent, certs):
    """The first address connects, and then says nothing of use: the next round begins with the
    other one."""
    four, six = loopbacks

    async def hang_up(reader, writer):
        writer.close()
    serve(hang_up, four)
    gateway = make_py(sock=six)
    make_agent(gateway.url, "the-token", ca=certs / "ca.pem").wait_open()


# ---- the local server's ----

NOBODY = r"the local server refuses connections"
THERE = r"the local server answers again"




def outcome(session, *args, **kwargs):
    """(status, None), or (code, why) of a request that the agent gives up."""
    async def run():
        try:
            return (await session.fetch(*args, **kwargs)).status, None
        except Aborted as aborted:
            return aborted.code, aborted.text
    return session.gateway.run(run())


def count(agent, pattern):
    return len(re.findall(pattern, agent.log()))


@pytest.mark.parametrize("mode", MODES)
def test_local_server_on_the_second_address(loopbacks, serve, py_session, origin, mode):
    """Also for what must not be sent twice: nothing of it went to the address that refuses."""
    four, six = loopbacks
    four.close()
    serve(origin.serve, six)
    session = py_session(mode, local="localhost:%d" % six.getsockname()[1])
    data = pattern(30000)
    reply = session.gateway.run(session.fetch("POST", "/echo", body=data))
    assert (reply.status, reply.body) == (200, data)
    assert outcome(session, "GET", "/")[0] == 200
    assert count(session.agent, NOBODY) == 0


def test_local_server_behind_a_silent_address(loopbacks, serve, py_session, origin):
    """What hangs has its share of the time."""
    four, six = loopbacks
    four.listen(0)
    filler = [socket.socket() for _ in range(4)]
    for sock in filler:
        sock.setblocking(False)
        sock.connect_ex(four.getsockname())
    serve(origin.serve, six)
    session = py_session("tlv", "--request-timeout", "2s",
                         local="localhost:%d" % six.getsockname()[1])
    data, before = pattern(30000), len(origin.seen("/echo"))

    async def look():
        return (await session.fetch("POST", "/echo", body=data)).body
    assert session.gateway.run(look()) == data
    assert len(origin.seen("/echo")) == before + 1
    for sock in filler:
        sock.close()


def test_an_outage_is_told_once(loopbacks, serve, py_session, origin):
    four, six = loopbacks
    port = four.getsockname()[1]
    six.close()
    four.close()
    session = py_session(local="127.0.0.1:%d" % port)
    for _ in range(3):
        code, why = outcome(session, "GET", "/")
        assert code == 502 and re.match(NOBODY, why)
    again = socket.socket()
    again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    again.bind(("127.0.0.1", port))
    serve(origin.serve, again)
    for _ in range(3):
        assert outcome(session, "GET", "/")[0] == 200
    log = session.agent.log()
    for said in (NOBODY, THERE):
        assert len(re.findall(r"info: 127\.0\.0\.1:%d: %s" % (port, said), log)) == 1


# TCP to all on the link: no system has a way there.
NO_WAY = "224.0.0.1:80"


def test_unreachable_is_not_refused(py_session):
    session = py_session(local=NO_WAY)
    code, why = outcome(session, "GET", "/")
    assert code == 502 and why.startswith("the local server is unreachable: check")


@pytest.mark.parametrize("where, why", [
    (NO_WAY, "host unreachable: check"), ("127.0.0.1:1", "connection refused: does")])
def test_gateway_is_not_there(make_agent, where, why):
    make_agent("ws://%s/" % where).wait_for_log("disconnected: " + why)


@pytest.fixture
def hosts(tmp_path, monkeypatch):
    """A file that agents find in the place of /etc/hosts."""
    path = tmp_path / "hosts"
    path.write_text("")
    unshare = ["unshare", "-rm", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', path]
    if RUNNER or subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no mounts of one's own here")
    monkeypatch.setattr(conftest, "ADIT", [*unshare, *ADIT])
    return path


@pytest.mark.parametrize("mode", MODES)
def test_local_server_on_the_last_address(hosts, py_session, origin, mode):
    hosts.write_text("".join("127.0.0.%d many.test\n" % i for i in (4, 3, 2, 1)))
    session = py_session(mode, local="many.test:%d" % origin.port)
    data = pattern(30000)
    for _ in range(2):
        reply = session.gateway.run(session.fetch("POST", "/echo", body=data))
        assert (reply.status, reply.body) == (200, data)


def test_local_server_moves(hosts, py_session, origin):
    """Its name is looked up again when it is not there any more; the tunnel stays."""
    hosts.write_text("127.0.0.2 moving.test\n")
    session = py_session(local="moving.test:%d" % origin.port)
    assert outcome(session, "GET", "/")[0] == 502
    hosts.write_text("127.0.0.1 moving.test\n")
    wait_until(lambda: outcome(session, "GET", "/")[0] == 200, "the new address")
    assert session.agent.sessions() == 1
