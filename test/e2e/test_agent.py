"""The agent against a cloud that is not ours: the Python gateway, in every mode."""
import asyncio
import re
import signal
import time
from pathlib import Path

import pytest

from conftest import MODES, OPENED, next_session, runs_native
from procs import ADIT, run, wait_until

pytestmark = pytest.mark.usefixtures("background")


# ---- connecting ----

@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", ["server", "rsa"])
def test_fetch(py_session, mode, kind):
    session = py_session(mode, kind=kind)
    reply = session.gateway.run(session.fetch("GET", "/"))
    assert reply.status == 200
    assert reply.body == b"hello from the local server\n"
    assert reply.get("content-type") == "text/plain"
    assert session.violations == []


@pytest.mark.parametrize("mode", MODES)
def test_upgrade_request_and_auth(py_session, mode):
    session = py_session(mode)
    path, headers = session.gateway.requests[0]
    assert path == "/_adit"
    offered = headers["Sec-WebSocket-Protocol"].replace(" ", "").split(",")
    assert offered == ["adit.tlv.v1", "adit.json.v1"]
    assert headers["Host"] == "localhost:%d" % session.gateway.port
    assert headers["Sec-WebSocket-Version"] == "13"
    assert "Sec-WebSocket-Extensions" not in headers
    assert session.received[0][0] == "Auth"
    assert session.auth["token"] == "the-token"
    assert re.match(r"adit/\d", session.auth["agent"])
    if mode != "plain":
        assert session.auth["max_streams"] >= 1
        assert session.auth["window"] >= 1024


@pytest.mark.parametrize("offer, want", [
    ("tlv", "adit.tlv.v1"), ("json", "adit.json.v1"), ("plain", None)])
def test_offers_what_it_is_told_to(py_session, offer, want):
    session = py_session("plain" if offer == "plain" else offer, "--protocol", offer)
    assert session.gateway.requests[0][1].get("Sec-WebSocket-Protocol") == want
    assert session.gateway.run(session.fetch("GET", "/")).status == 200


def test_public_address_is_told(py_session):
    session = py_session()
    line = session.agent.wait_for_log(OPENED).string
    assert "https://python.tunnel.test/" in line


def test_plaintext_needs_permission(make_py):
    gateway = make_py(certs=None)
    status, out, err = run([*ADIT, "--url", gateway.url, "--token", "x"])
    assert status == 2 and out == ""
    assert "--allow-plaintext" in err and err.count("\n") == 1
    assert gateway.requests == []


def test_plaintext(make_py, make_agent, origin):
    gateway = make_py(certs=None)
    make_agent(gateway.url, "the-token", origin.local)
    session = gateway.session()
    assert gateway.run(session.fetch("GET", "/")).status == 200


def fails_to_connect(make_py, make_agent, ca, pattern, **kwargs):
    gateway = make_py(**kwargs)
    agent = make_agent(gateway.url, "the-token", "127.0.0.1:9", "--max-attempts", "1", ca=ca)
    agent.wait_for_log(pattern)
    assert agent.wait() != 0
    assert gateway.requests == [], "the request went out before the certificate was checked"
    return agent.log()


def test_unknown_authority(make_py, make_agent, other_certs):
    fails_to_connect(make_py, make_agent, other_certs / "ca.pem", r"(?i)(warning|error).*cert")


def test_wrong_name(make_py, make_agent, other_certs):
    fails_to_connect(make_py, make_agent, other_certs / "ca.pem", r"(?i)(warning|error).*name",
                     certs=other_certs)


def test_cut_off_during_handshake(background, make_agent, certs):
    async def hang_up(reader, writer):
        await reader.read(1)
        writer.close()

    async def listen():
        return await asyncio.start_server(hang_up, "127.0.0.1", 0)
    server = background.run(listen())
    port = server.sockets[0].getsockname()[1]
    agent = make_agent("wss://localhost:%d/" % port, "the-token", "127.0.0.1:9",
                       "--max-attempts", "2", ca=certs / "ca.pem")
    assert agent.wait() == 1
    background.loop.call_soon_threadsafe(server.close)


UPGRADE_REFUSALS = {
    "403": (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "403"),
    "not http": (b"SSH-2.0-OpenSSH_9.2\r\n\r\n\r\n", "HTTP|server"),
    "wrong accept": (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                     b"Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
                     b"\r\n\r\n", "Accept"),
    "no accept": (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                  b"Connection: Upgrade\r\n\r\n", "."),
    "endless head": (b"HTTP/1.1 101 S\r\n" + b"X-A: b\r\n" * 5000, "."),
}


@pytest.mark.parametrize("name", UPGRADE_REFUSALS)
def test_upgrade_refused(background, make_agent, name):
    answer, sentence = UPGRADE_REFUSALS[name]

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await asyncio.sleep(0)

    async def listen():
        return await asyncio.start_server(serve, "127.0.0.1", 0)
    server = background.run(listen())
    agent = make_agent("ws://localhost:%d/" % server.sockets[0].getsockname()[1], "the-token",
                       "127.0.0.1:9", "--max-attempts", "1", "--connect-timeout", "2s")
    agent.wait_for_log(r"(warning|error): .*" + sentence)
    assert agent.wait() == 1
    background.loop.call_soon_threadsafe(server.close)


# ---- authentication ----

@pytest.mark.parametrize("mode", MODES)
def test_token_refused(make_py, make_agent, certs, mode):
    gateway = make_py(mode)
    gateway.answer = "refuse"
    agent = make_agent(gateway.url, "wrong-token", "127.0.0.1:9", ca=certs / "ca.pem")
    agent.wait_for_log(r"token was refused")
    agent.wait_for_log(r"unknown token")
    wait_until(lambda: len(gateway.sessions) >= 2, "a second attempt")
    gateway.answer = "accept"
    gateway.session()
    agent.wait_open()


def test_retry_after_is_respected(make_py, make_agent, certs):
    gateway = make_py()
    gateway.answer, gateway.refusal = "refuse", {"error": "busy", "retry_after": 2}
    make_agent(gateway.url, "wrong-token", "127.0.0.1:9", ca=certs / "ca.pem")
    wait_until(lambda: gateway.sessions, "the first attempt")
    first = time.monotonic()
    wait_until(lambda: len(gateway.sessions) >= 2, "the second attempt")
    assert time.monotonic() - first > 1.5


def test_max_attempts(make_agent):
    start = time.monotonic()
    agent = make_agent("ws://localhost:9/", "the-token", "127.0.0.1:9", "--max-attempts", "3")
    assert agent.wait() == 1
    assert time.monotonic() - start < 10
    assert len(re.findall(r"refused", agent.log())) == 3


def test_auth_goes_unanswered(make_py, make_agent, certs):
    gateway = make_py()
    gateway.answer = "silence"
    make_agent(gateway.url, "the-token", "127.0.0.1:9", "--connect-timeout", "1s",
               ca=certs / "ca.pem")
    wait_until(lambda: len(gateway.sessions) >= 2, "another attempt")


# ---- the token stays secret ----

@pytest.mark.skipif(not runs_native(), reason="the emulator has a command line of its own")
def test_token_is_scrubbed_from_the_command_line(make_py, certs):
    from procs import Proc
    gateway = make_py()
    agent = Proc([*ADIT, "--url", gateway.url, "--token", "very-secret-token", "--ca",
                  certs / "ca.pem"])
    agent.wait_for_log(r"(?i)warning.*--token")
    assert gateway.session().auth["token"] == "very-secret-token"
    assert b"very-secret" not in Path("/proc/%d/cmdline" % agent.pid).read_bytes()
    assert "very-secret" not in agent.log()


def test_token_from_the_environment(make_py, certs):
    from procs import Proc, clean_env
    gateway = make_py()
    Proc(ADIT, env=clean_env(ADIT_URL=gateway.url, ADIT_TOKEN="from-the-environment",
                             ADIT_CA=str(certs / "ca.pem")))
    assert gateway.session().auth["token"] == "from-the-environment"


# ---- health ----

@pytest.mark.parametrize("mode", MODES)
def test_ping_both_ways(py_session, mode):
    session = py_session(mode, "--ping-interval", "200ms")
    now = int(time.time())
    ping = session.gateway.run(session.expect("Ping"))
    assert abs(ping["timestamp"] - now) <= 3
    session.gateway.run(session.send("Ping", timestamp=1234567890123))
    assert session.gateway.run(session.expect("Pong"))["timestamp"] == 1234567890123


def test_websocket_ping_is_answered(py_session):
    session = py_session()

    async def ping(payload):
        await (await session.ws.ping(payload))
    for payload in (b"", b"x", b"p" * 125):
        session.gateway.run(ping(payload))


def test_silence_means_reconnect(make_py, make_agent, certs):
    gateway = make_py()
    gateway.answer_pings = False
    agent = make_agent(gateway.url, "the-token", "127.0.0.1:9", "--ping-interval", "200ms",
                       "--ping-timeout", "300ms", ca=certs / "ca.pem")
    gateway.session(0)
    agent.wait_for_log(r"silent")
    gateway.session(1)


def test_any_byte_is_a_sign_of_life(make_py, make_agent, certs):
    gateway = make_py()
    gateway.answer_pings = False
    agent = make_agent(gateway.url, "the-token", "127.0.0.1:9", "--ping-interval", "200ms",
                       "--ping-timeout", "400ms", ca=certs / "ca.pem")
    session = gateway.session()

    async def murmur():
        for _ in range(15):
            await session.ws.pong()
            await asyncio.sleep(0.1)
    gateway.run(murmur())
    assert agent.sessions() == 1


@pytest.mark.parametrize("mode", MODES)
def test_stats(py_session, mode):
    session = py_session(mode, "--stats-interval", "200ms", "--ping-interval", "300ms")
    assert session.gateway.run(session.fetch("GET", "/bytes/5000")).status == 200
    stats = session.gateway.run(session.expect(
        "Stats", match=lambda f: f.get("requests_processed", 0) >= 1))
    assert stats["requests_processed"] == 1
    assert stats.get("requests_failed", 0) == 0
    assert stats["bytes_transferred"] == 5000
    assert stats.get("streams_active", 0) == 0
    assert stats.get("reconnects", 0) == 0
    session.gateway.run(session.expect("Stats", match=lambda f: f.get("uptime_seconds", 0) >= 1))


def test_stats_on_signal(py_session):
    session = py_session()
    session.gateway.run(session.fetch("GET", "/bytes/5000"))
    session.agent.send(signal.SIGUSR1)
    line = session.agent.wait_for_log(r"requests").string
    assert "5000" in line


def test_nobody_reads_the_log(py_session):
    """A flood of lines, and whoever collects them stands still: requests pass all the same."""
    session = py_session()

    async def flood(n):
        for _ in range(n):
            await session.send("Error", error="too many messages " + "!" * 200, code=429)
    with session.agent.news:    # which the reader of the log needs
        session.gateway.run(flood(3000))
        assert session.gateway.run(session.fetch("GET", "/")).status == 200

    def told():
        session.gateway.run(flood(1))
        return re.search(r"warning: \d+ log lines left out", session.agent.log())
    wait_until(told, "the number of lines left out")
    assert len(session.agent.lines) < 2000


def test_sigterm_closes_politely(py_session):
    session = py_session()
    assert session.agent.stop() == 0
    session.gateway.run(session.ended.wait())
    assert session.ws.close_code == 1000


# ---- reconnecting ----

@pytest.mark.parametrize("code", [1001, 1011, 4409, 3000])
def test_reconnects_after_a_close(py_session, code):
    session = py_session("json")
    session.gateway.run(session.ws.close(code))
    again = next_session(session)
    assert session.gateway.run(again.fetch("GET", "/")).status == 200


def test_reconnects_after_a_cut(py_session):
    session = py_session()
    session.gateway.background.loop.call_soon_threadsafe(session.ws.transport.abort)
    again = next_session(session)
    assert session.gateway.run(again.fetch("GET", "/")).status == 200


def test_reconnects_after_a_restart_of_the_gateway(py_session, make_py):
    session = py_session()
    port = session.gateway.port
    since = session.agent.mark()
    session.gateway.stop()
    session.agent.wait_for_log(r"refused", since)
    again = make_py(port=port)
    assert again.run(again.session().fetch("GET", "/")).status == 200


def test_goaway(py_session):
    session = py_session()
    session.gateway.run(session.send("Goaway", delay_ms=100))
    again = next_session(session)
    assert session.gateway.run(again.fetch("GET", "/")).status == 200
    assert again.gateway is session.gateway


def delays(agent):
    """What the log says of each wait, in milliseconds."""
    unit = {"ms": 1, "s": 1000}
    return [float(n) * unit[u] for n, u in
            re.findall(r"connecting again in ([\d.]+)(ms|s)$", agent.log(), re.M)]


def test_goaway_waits_for_its_delay(py_session):
    """At least that long, and up to as long again so that agents do not return in step."""
    session = py_session("tlv", "--max-delay", "3s")
    session.gateway.run(session.send("Goaway", delay_ms=700))
    again = next_session(session)
    session.gateway.run(again.send("Goaway", delay_ms=1 << 63))
    wait_until(lambda: len(delays(session.agent)) == 2, "the second wait")
    assert 700 <= delays(session.agent)[0] <= 1400
    assert 3000 <= delays(session.agent)[1] <= 6000, "a gateway may ask for up to --max-delay"


def test_goaway_is_answered_with_1001(py_session):
    """1000 would say that the agent stops for good."""
    session = py_session()
    session.gateway.run(session.send("Goaway", delay_ms=0))
    session.gateway.run(session.ended.wait())
    assert session.ws.close_code == 1001


def test_goaway_elsewhere(py_session, make_py):
    """Where it says, for one connection; then home again."""
    session, other = py_session("tlv", "--protocol", "auto"), make_py("json")
    session.gateway.run(session.send("Goaway", delay_ms=0, url=other.url))
    there = other.session()
    assert other.run(there.fetch("GET", "/")).status == 200
    other.run(there.ws.close())
    next_session(session)
    assert len(other.opened) == 1


def test_goaway_elsewhere_where_nobody_is(py_session):
    session = py_session()
    session.gateway.run(session.send("Goaway", delay_ms=0, url="wss://localhost:1/_adit"))
    session.agent.wait_for_log("connecting to localhost:1$")
    next_session(session)


@pytest.mark.parametrize("kind", ["without TLS", "an address", "no URL", "another host"])
def test_goaway_to_where_it_must_not(py_session, make_py, kind):
    """Said and ignored: the agent dials its own URL. --allow-plaintext is for that one alone."""
    session = py_session("tlv", "--allow-plaintext")
    other = make_py(certs=None) if kind == "without TLS" else make_py()
    url = {"without TLS": other.url, "an address": other.url.replace("localhost", "127.0.0.1"),
           "no URL": "nonsense\n", "another host": other.url.replace("localhost", "x.test")}[kind]
    session.gateway.run(session.send("Goaway", delay_ms=0, url=url))
    next_session(session)
    session.agent.wait_for_log("warning: the gateway sends us to .*--goaway-host")
    assert other.sessions == [] and other.requests == []
    assert set(re.findall(r"connecting to (\S+)", session.agent.log())) == {
        "localhost:%d" % session.gateway.port}


def test_goaway_to_an_allowed_address(py_session, make_py):
    other = make_py()
    session = py_session("tlv", "--goaway-host", "x.test", "--goaway-host", "127.0.0.1",
                         "--server-name", "localhost")
    session.gateway.run(session.send("Goaway", delay_ms=0,
                                     url=other.url.replace("localhost", "127.0.0.1")))
    other.session()


def test_accepted_and_dropped(py_session):
    """A gateway that lets agents in and drops them has a fault, and sees growing delays; one that
    had a request answered starts anew."""
    session = py_session("tlv", "--max-delay", "2s")
    gateway = session.gateway

    def drop(n):
        gateway.run(gateway.session(n).ws.close())
        wait_until(lambda: len(delays(session.agent)) > n, "a wait")
    for n in range(5):
        drop(n)
    assert delays(session.agent)[4] >= 1200
    assert gateway.run(gateway.session(5).fetch("GET", "/")).status == 200
    drop(5)
    assert delays(session.agent)[5] <= 100


def test_two_agents_with_one_token(py_session):
    """Replaced again and again, though it is of use each time: it waits longer and longer."""
    session = py_session("tlv", "--max-delay", "2s")
    gateway = session.gateway
    for n in range(5):
        now = gateway.session(n)
        assert gateway.run(now.fetch("GET", "/")).status == 200
        gateway.run(now.ws.close(4409))
        wait_until(lambda: len(delays(session.agent)) > n, "a wait")
    assert delays(session.agent)[4] >= 1200
    session.agent.wait_for_log("took over")


def test_requests_under_way_die_with_the_session(py_session, origin):
    waiting = []

    async def hang(r):
        waiting.append(r)
        return await r.reader.read() != b""
    origin.on("/hang", hang)
    session = py_session()
    session.gateway.run(session.start("GET", "/hang"))
    wait_until(lambda: waiting, "the request")
    before = origin.connections
    session.gateway.background.loop.call_soon_threadsafe(session.ws.transport.abort)
    wait_until(lambda: origin.connections < before, "the local connection's end")
    next_session(session)
