"""Several gateways, and the agent's own end: which one it is connected to when some of them refuse,
say nothing, die and come back; SIGUSR2, which ends every wait; SIGTERM, which ends nothing early.
"""
import asyncio
import re
import signal
import socket
import time

import pytest

from conftest import free_port
from procs import ADIT, Proc, clean_env, wait_until
from pygateway import Aborted
from valve import Valve

FIRST = "wss://localhost:%d/_adit"
# Nobody listens there.
REFUSES = FIRST % 1
# No wait of the test's own: what is to happen happens at once or never.
LONG = ("--base-delay", "1h", "--max-delay", "2h")


@pytest.fixture
def silent():
    """A listener whose kernel accepts, and nobody ever says a word."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(50)
        yield FIRST % s.getsockname()[1]


@pytest.fixture
def agent_of(make_agent, origin, certs):
    """An agent with these gateways, in front of `origin`."""
    def make(urls, *options):
        return make_agent(urls, "the-token", "127.0.0.1:%d" % origin.port, *options,
                          ca=certs / "ca.pem")
    return make


def dialled(agent, since=0):
    """Ports, in order."""
    return [int(port) for port in re.findall(r"connecting to localhost:(\d+)", agent.log(since))]


def serves(session):
    assert session.gateway.run(session.fetch("GET", "/")).status == 200


def cut(session):
    session.gateway.background.loop.call_soon_threadsafe(session.ws.transport.abort)


# ---- the first of them that works ----

def test_the_first_one(make_py, agent_of):
    first, second = make_py(), make_py()
    agent_of([first.url, second.url])
    serves(first.session())
    assert second.sessions == []


def test_the_first_refuses(make_py, agent_of):
    gateway = make_py()
    agent = agent_of([REFUSES, gateway.url], *LONG)
    serves(gateway.session())
    assert dialled(agent) == [1, gateway.port]
    assert "connecting again" not in agent.log()


def test_the_first_says_nothing(make_py, agent_of, silent):
    gateway = make_py()
    agent = agent_of([silent, gateway.url], "--connect-timeout", "1s", *LONG)
    serves(gateway.session())
    assert len(dialled(agent)) == 2
    assert "timed out" in agent.log()


def test_the_third_of_three(make_py, agent_of, silent):
    gateway = make_py("json")
    agent = agent_of([silent, REFUSES, gateway.url], "--connect-timeout", "1s", *LONG)
    serves(gateway.session())
    assert dialled(agent)[1:] == [1, gateway.port]


def test_none_of_them(agent_of):
    """A round over all, then the delay, for ever."""
    agent = agent_of([FIRST % 1, FIRST % 2, FIRST % 3], "--jitter", "0")
    wait_until(lambda: len(re.findall("connecting again", agent.log())) >= 3, "three rounds")
    waits = re.findall(r"connecting to localhost:(\d)|connecting again in (\S+)", agent.log())
    assert [port or wait for port, wait in waits][:12] == [
        "1", "2", "3", "100ms", "1", "2", "3", "200ms", "1", "2", "3", "400ms"]


def test_attempts_are_counted_over_all(agent_of):
    agent = agent_of([FIRST % 1, FIRST % 2], "--max-attempts", "5")
    assert agent.wait() == 1
    assert dialled(agent) == [1, 2, 1, 2, 1]


def test_several_in_the_environment(make_py, certs):
    gateway = make_py()
    Proc(ADIT, env=clean_env(ADIT_URL="%s %s" % (REFUSES, gateway.url), ADIT_TOKEN="secret-token",
                             ADIT_CA=str(certs / "ca.pem")))
    assert gateway.session().auth["token"] == "secret-token"


def test_a_refused_token_is_of_that_gateway(make_py, agent_of):
    """The other takes it; and the first, which wants to be left alone for an hour, is."""
    first, second = make_py(), make_py()
    first.answer, first.refusal = "refuse", {"error": "unknown token", "retry_after": 3600}
    agent = agent_of([first.url, second.url])
    serves(second.session())
    cut(second.session())
    serves(second.session(1))
    assert len(first.sessions) == 1
    assert dialled(agent) == [first.port, second.port, second.port]


# ---- one that dies, and comes back ----

def test_failover_and_return(make_py, agent_of):
    first, second = make_py(), make_py()
    agent = agent_of([first.url, second.url], "--return-after", "1s")
    session = first.session()
    serves(session)
    first.stop()
    session = second.session()
    serves(session)
    again = make_py(port=first.port)
    serves(again.session())
    second.run(session.ended.wait())
    assert session.ws.close_code == 1001
    agent.wait_for_log("info.*going back to the preferred gateway")
    assert agent.running()


def test_killed_in_a_session(make_gateway, make_agent, origin, certs):
    """Two real gateways that know the same token: the other takes over at once."""
    first = make_gateway()
    token = first.token("shed")
    second = make_gateway(tokens_file=first.tokens_file)
    agent = make_agent([first.url, second.url], token, "127.0.0.1:%d" % origin.port, *LONG,
                       ca=certs / "ca.pem")
    agent.wait_open()
    with first.visit("shed") as visitor:
        assert visitor.request("GET", "/").status == 200
    since = agent.mark()
    first.kill()
    agent.wait_open(since)
    with second.visit("shed") as visitor:
        assert visitor.request("GET", "/").status == 200


def test_no_return_while_a_request_is_open(make_py, agent_of, origin, background):
    release = asyncio.Event()

    async def slow(r):
        await r.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nbeg")
        await release.wait()
        await r.send(b"end")
    origin.on("/slow", slow)
    first, second = make_py(), make_py()
    dead = first.port
    first.stop()
    agent = agent_of([FIRST % dead, second.url], "--return-after", "500ms", "--ping-interval",
                     "200ms")
    session = second.session()
    stream = second.run(session.start("GET", "/slow"))
    again = make_py(port=dead)
    # Long after it was time: pings go on.
    for _ in range(8):
        since = len(session.received)
        second.run(session.expect("Ping", since))
    assert again.sessions == [] and session.open
    background.loop.call_soon_threadsafe(release.set)

    async def body():
        """Without credit for it: the agent may have left by then."""
        data = b""
        while (piece := await stream.queue.get()) is not None:
            data += piece
        return data
    assert second.run(body()) == b"begend"
    serves(again.session())
    assert agent.running()


def test_what_was_said_last_arrives(make_py, agent_of, background):
    """Before it dials the first, it waits for the other's close: a second when there is none."""
    first, second = make_py(), make_py()
    first.answer = "refuse"
    valve = Valve(background, ("127.0.0.1", second.port))
    start = time.monotonic()
    try:
        agent_of([first.url, FIRST % valve.port], "--return-after", "1s")
        serves(second.session())
        valve.down.clear()
        first.answer = "accept"
        first.session()
        assert time.monotonic() - start >= 1.9
    finally:
        valve.stop()


def test_the_first_is_still_dead(make_py, agent_of):
    """Looked at again and again, less and less often, and each time straight back."""
    gateway = make_py()
    agent = agent_of([REFUSES, gateway.url], "--return-after", "400ms", *LONG)
    opened = []
    for n in range(4):
        gateway.session(n)
        opened.append(time.monotonic())
    # 400 ms, 800, 1600: each from the failure before.
    assert opened[3] - opened[2] >= 1.5 and opened[2] - opened[1] >= 0.7
    assert dialled(agent) == [1, gateway.port] * 4
    assert "connecting again" not in agent.log()


def test_never_returns(make_py, agent_of):
    first, second = make_py(), make_py()
    dead = first.port
    first.stop()
    agent_of([FIRST % dead, second.url], "--return-after", "0", "--ping-interval", "200ms")
    session = second.session()
    again = make_py(port=dead)
    for _ in range(5):
        second.run(session.expect("Ping", len(session.received)))
    assert again.sessions == [] and session.open


def test_an_outage_of_the_second(make_py, agent_of):
    """The first has been dead for long: who lives with the second waits for that one first."""
    gateway = make_py()
    agent = agent_of([REFUSES, gateway.url], "--return-after", "300ms", "--base-delay", "50ms")
    session = gateway.session(2)    # the first has failed three times
    serves(session)
    since = agent.mark()
    cut(session)
    gateway.session(3)
    assert dialled(agent, since)[0] == gateway.port


def test_goaway_is_a_visit(make_py, agent_of):
    first, second, other = make_py(), make_py(), make_py()
    agent = agent_of([first.url, second.url])
    session = first.session()
    serves(session)
    first.run(session.send("Goaway", delay_ms=0, url=other.url))
    visit = other.session()
    serves(visit)
    other.run(visit.ws.close())
    serves(first.session(1))
    assert dialled(agent) == [first.port, other.port, first.port]


def test_goaway_of_the_gateway_in_use(make_py, agent_of):
    """Where it may send us is judged by its own name, not by that of the first."""
    gateway, other = make_py(), make_py()
    agent = agent_of([REFUSES, gateway.url.replace("localhost", "127.0.0.1")], "--server-name",
                     "localhost", "--return-after", "0")
    session = gateway.session()
    serves(session)
    gateway.run(session.send("Goaway", delay_ms=0, url=other.url))
    agent.wait_for_log("the gateway sends us to .*--goaway-host")
    assert other.sessions == []


# ---- SIGUSR2 ----

def test_now_ends_a_wait(make_py, agent_of):
    port = free_port()
    agent = agent_of([FIRST % port], *LONG)
    agent.wait_for_log("connecting again in")
    gateway = make_py(port=port)
    agent.send(signal.SIGUSR2)
    serves(gateway.session())


def test_now_starts_over(agent_of):
    """With the first gateway, and with the first delay."""
    agent = agent_of([FIRST % 1, FIRST % 2], "--jitter", "0", *LONG)
    agent.wait_for_log("connecting again in 60m$")
    for _ in range(3):
        since = agent.mark()
        agent.send(signal.SIGUSR2)
        agent.wait_for_log("connecting again in 60m$", since)
        assert dialled(agent, since) == [1, 2]


def test_now_dials_anew(make_py, agent_of, background):
    """An attempt that hangs in a name lookup or a connect belongs to the old network."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        # What the kernel would accept for nobody: the next ones hang in their connect.
        fill = [socket.socket() for _ in range(3)]
        for s in fill:
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", port))
        agent = agent_of([FIRST % port], "--connect-timeout", "1h")
        agent.wait_for_log("connecting to")
        for s in fill:
            s.close()
    gateway = make_py(port=port)
    since = agent.mark()
    agent.send(signal.SIGUSR2)
    agent.wait_for_log("connecting to", since)
    serves(gateway.session())


def test_now_in_a_handshake(make_py, agent_of, silent):
    gateway = make_py()
    agent = agent_of([silent, gateway.url], "--connect-timeout", "1h", "--ping-timeout", "500ms",
                     *LONG)
    agent.wait_for_log("connecting to")
    with pytest.raises(AssertionError):
        agent.wait_for_log("disconnected", timeout=1)
    agent.send(signal.SIGUSR2)
    serves(gateway.session())


def test_now_in_a_session_that_stands(py_session):
    session = py_session("tlv", "--ping-interval", "1h")
    for _ in range(3):
        since = len(session.received)
        session.agent.send(signal.SIGUSR2)
        session.gateway.run(session.expect("Ping", since))
        # Behind the Pong: while that is on its way, there is no other Ping.
        serves(session)
    assert session.agent.sessions() == 1


@pytest.mark.parametrize("options, seconds", [(("--ping-timeout", "700ms"), 0.7), ((), 5)],
                         ids=["ping-timeout", "own limit"])
def test_now_in_a_session_whose_gateway_is_gone(make_gateway, make_py, make_agent, certs, options,
                                                seconds):
    """Stopped: its kernel still takes and acknowledges all."""
    first, second = make_gateway(), make_py()
    agent = make_agent([first.url, second.url], first.token("shed"), "127.0.0.1:9",
                       "--ping-interval", "1h", *options, ca=certs / "ca.pem")
    agent.wait_open()
    first.send(signal.SIGSTOP)
    try:
        since = agent.mark()
        start = time.monotonic()
        agent.send(signal.SIGUSR2)
        agent.wait_for_log("disconnected: the server has gone silent", since)
        assert seconds - 0.1 <= time.monotonic() - start < seconds + 3
        second.session()
    finally:
        first.send(signal.SIGCONT)


def test_a_dead_link_is_found(make_gateway, make_agent, certs):
    """Within ping interval and ping timeout."""
    gateway = make_gateway()
    agent = make_agent(gateway.url, gateway.token("shed"), "127.0.0.1:9", "--ping-interval",
                       "600ms", "--ping-timeout", "400ms", ca=certs / "ca.pem")
    agent.wait_open()
    gateway.send(signal.SIGSTOP)
    try:
        start = time.monotonic()
        agent.wait_for_log("disconnected: the server has gone silent")
        assert 0.4 <= time.monotonic() - start < 1 + 3
    finally:
        gateway.send(signal.SIGCONT)


# ---- SIGTERM ----

class Slow:
    """A local page that begins, and ends when it is told."""

    def __init__(self, origin, path="/slow"):
        self.origin, self.begun = origin, 0
        self.release = asyncio.Event()
        origin.on(path, self.page)

    async def page(self, r):
        await r.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nbeg")
        self.begun += 1
        await self.release.wait()
        await r.send(b"end")

    def end(self):
        self.origin.background.loop.call_soon_threadsafe(self.release.set)


def begin(session, path="/slow", headers=()):
    """An open request, of which the head has come."""
    stream = session.gateway.run(session.start("GET", path, headers, more=bool(headers)))

    async def head():
        return (await stream.head)["status"]
    return stream, session.gateway.run(head())


@pytest.mark.parametrize("mode", ["tlv", "json"])
def test_open_requests_end(py_session, origin, mode):
    slow = Slow(origin)
    session = py_session(mode, "--drain", "1h")
    stream, status = begin(session)
    assert status == 200
    session.agent.send(signal.SIGTERM)
    session.agent.wait_for_log("stopping")
    with pytest.raises(Aborted, match="503 this agent is about to end"):
        session.gateway.run(session.fetch("GET", "/"))
    slow.end()
    assert session.gateway.run(session.collect(stream)).body == b"begend"
    assert session.agent.wait() == 0
    session.gateway.run(session.ended.wait())
    assert session.ws.close_code == 1000
    assert session.violations == []


def test_a_visitor_hears_of_it(make_gateway, make_agent, origin, certs):
    slow = Slow(origin)
    gateway = make_gateway()
    agent = make_agent(gateway.url, gateway.token("shed"), "127.0.0.1:%d" % origin.port, "--drain",
                       "1h", ca=certs / "ca.pem")
    agent.wait_open()
    with gateway.visit("shed") as early, gateway.visit("shed") as late:
        early.begin("GET", "/slow")
        wait_until(lambda: slow.begun, "the download")
        agent.send(signal.SIGTERM)
        agent.wait_for_log("stopping")
        assert late.request("GET", "/").status == 503
        slow.end()
        assert early.response("GET").body == b"begend"
    assert agent.wait() == 0


@pytest.mark.parametrize("upgraded", [False, True], ids=["download", "idle upgraded stream"])
def test_no_longer_than_the_bound(py_session, origin, upgraded):
    async def quiet(r):
        await r.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
                     b"Upgrade: quiet\r\n\r\n")
        await r.reader.read()
    Slow(origin)
    origin.on("/quiet", quiet)
    session = py_session("tlv", "--drain", "700ms")
    if upgraded:
        _, status = begin(session, "/quiet", [("Connection", "upgrade"), ("Upgrade", "quiet")])
    else:
        _, status = begin(session)
    assert status == (101 if upgraded else 200)
    start = time.monotonic()
    session.agent.send(signal.SIGTERM)
    assert session.agent.wait() == 0
    assert 0.6 <= time.monotonic() - start < 0.7 + 5
    session.gateway.run(session.ended.wait())
    assert session.ws.close_code == 1000


def test_twice_is_at_once(py_session, origin):
    Slow(origin)
    session = py_session("tlv", "--drain", "1h")
    begin(session)
    session.agent.send(signal.SIGTERM)
    session.agent.wait_for_log("stopping")
    session.agent.send(signal.SIGTERM)
    assert session.agent.wait() == 0
    session.gateway.run(session.ended.wait())
    assert session.ws.close_code == 1000


def test_nothing_is_open(py_session, make_py, agent_of):
    """In a session, in a wait, while it connects: no reason to stay."""
    session = py_session("tlv", "--drain", "1h")
    serves(session)
    assert session.agent.stop() == 0
    waiting = agent_of([REFUSES], "--drain", "1h", *LONG)
    waiting.wait_for_log("connecting again in")
    assert waiting.stop() == 0


def test_a_gateway_that_dies_meanwhile(py_session, origin):
    Slow(origin)
    session = py_session("tlv", "--drain", "1h")
    begin(session)
    session.agent.send(signal.SIGTERM)
    session.agent.wait_for_log("stopping")
    cut(session)
    assert session.agent.wait() == 0, "there is nothing to wait for, and nobody is dialled"
    assert len(session.gateway.sessions) == 1
