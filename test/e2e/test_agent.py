"""The agent against a cloud that is not ours: the Python gateway, in every mode."""
import asyncio
import os
import re
import signal
import time
from pathlib import Path

import pytest
import websockets

import wire
from conftest import MODES, OPENED, runs_native
from origin import pattern
from procs import ADIT, run, wait_until
from pygateway import Aborted

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
    make_agent(gateway.url, "the-token", "127.0.0.1:%d" % origin.port)
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
    try:
        agent.wait_for_log(r"(?i)warning.*--token")
        assert gateway.session().auth["token"] == "very-secret-token"
        assert b"very-secret" not in Path("/proc/%d/cmdline" % agent.pid).read_bytes()
        assert "very-secret" not in agent.log()
    finally:
        agent.kill()


def test_token_from_the_environment(make_py, certs):
    from procs import Proc, clean_env
    gateway = make_py()
    agent = Proc(ADIT, env=clean_env(ADIT_URL=gateway.url, ADIT_TOKEN="from-the-environment",
                                     ADIT_CA=str(certs / "ca.pem")))
    try:
        assert gateway.session().auth["token"] == "from-the-environment"
    finally:
        agent.kill()


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


def test_sigterm_closes_politely(py_session):
    session = py_session()
    assert session.agent.stop() == 0
    session.gateway.run(session.ended.wait())
    assert session.ws.close_code == 1000


# ---- reconnecting ----

def next_session(session):
    again = session.gateway.session(1)
    session.agent.wait_for_log(OPENED, 1)
    return again


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


# ---- tolerance ----

@pytest.mark.parametrize("mode", MODES)
def test_unknown_messages_are_ignored(py_session, mode):
    session = py_session(mode)
    if mode == "tlv":
        strange = [b"\xf0", b"\xf0\x01\x04abcd", b"\x06\x10\x01\x07\xee\x03abc"]
    else:
        strange = ['{"type":"Novelty","data":{"a":[1,{"b":null}]}}', '{"type":"Novelty","data":{}}',
                   '{"data":{"timestamp":7,"new":[[],{}]},"more":1.5e3,"type":"Ping"}']

    async def send():
        for message in strange:
            await session.ws.send(message)
    session.gateway.run(send())
    assert session.gateway.run(session.expect("Pong"))["timestamp"] == 7
    assert session.gateway.run(session.fetch("GET", "/")).status == 200
    assert session.open


@pytest.mark.parametrize("mode", MODES)
def test_fragmented_messages(py_session, mode):
    session = py_session(mode)
    message = wire.encode(mode == "tlv", "HttpRequest", {
        "id": "in pieces", "method": "POST", "url": "/describe",
        "headers": [(b"x-test", b"fragments")], "body": b"0123456789" * 500})

    async def send():
        stream = await session.start("GET", "/", name="other")
        await session.collect(stream)
        from pygateway import Stream
        stream = session.streams["in pieces"] = Stream(session, "in pieces", 0)
        stream.tx_open = False

        async def pieces():
            for at in range(0, len(message), 97):
                yield message[at:at + 97]
                if at % 970 == 0:
                    await session.ws.ping()
        await session.ws.send(pieces())
        return await session.collect(stream)
    reply = session.gateway.run(send())
    assert reply.status == 200 and b'"length": 5000' in reply.body
    assert b'fragments' in reply.body


def test_json_forms_of_a_body(py_session):
    """An array of byte values, null, and a body before what it belongs to."""
    session = py_session("json")
    head = '"id":"%s","method":"POST","url":"/echo","headers":{}'
    cases = {
        '"body":[104,105,0,255],' + head: b"hi\0\xff", head + ',"body":[]': b"",
        head + ',"body":null': b"", '"body":"aGk=",' + head: b"hi", head + ',"body":"aGk="': b"hi",
        '"body":"\\u0061Gk\\u003d",' + head: b"hi",
    }

    async def fetch(n, data):
        from pygateway import Stream
        stream = session.streams["b%d" % n] = Stream(session, "b%d" % n, 0)
        stream.tx_open = False
        await session.ws.send('{"type":"HttpRequest","data":{%s}}' % (data % stream.id))
        return await session.collect(stream)
    for n, (data, want) in enumerate(cases.items()):
        reply = session.gateway.run(fetch(n, data))
        assert (reply.status, reply.body) == (200, want), data


MALFORMED_JSON = {
    "not json": ('{"type":', 1002),
    "text after json": ('{"type":"Ping","data":{"timestamp":1}} x', 1002),
    "not an object": ('[1,2]', 1002),
    "no type": ('{"data":{}}', 1002),
    "request without id": ('{"type":"HttpRequest","data":{"method":"GET","url":"/"}}', 1002),
    "empty id": ('{"type":"HttpRequest","data":{"id":"","method":"GET","url":"/"}}', 1002),
    "long id": ('{"type":"HttpRequest","data":{"id":"%s","method":"GET","url":"/"}}' % ("i" * 65),
                1009),
    "bad base64": ('{"type":"HttpRequest","data":{"id":"1","method":"POST","url":"/",'
                   '"headers":{},"body":"a?=="}}', 1002),
    "byte value 256": ('{"type":"HttpRequest","data":{"id":"1","method":"POST","url":"/",'
                       '"headers":{},"body":[256]}}', 1002),
    "repeated member": ('{"type":"Ping","data":{"timestamp":1,"timestamp":2}}', 1002),
    "binary in text mode": (b"\x06\x10\x01\x07", 1002),
    "deep": ("[" * 100000, 1002),
}
MALFORMED_TLV = {
    "empty": (b"", 1002),
    "field cut off": (b"\x06\x10\x05\x01", 1002),
    "varint cut off": (b"\x06\x10\xc0\x00", 1002),
    "huge length": (b"\x06\x10\xff\xff\xff\xff\xff\xff\xff\xff", 1002),
    "integer of 9 bytes": (b"\x06\x10\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01", 1002),
    "repeated field": (b"\x06\x10\x01\x01\x10\x01\x02", 1002),
    "request without id": (b"\x04\x07\x03GET\x05\x01/", 1002),
    "text in binary mode": ('{"type":"Ping","data":{"timestamp":1}}', 1002),
}


def close_code(session):
    session.gateway.run(session.ended.wait())
    return session.ws.close_code


@pytest.mark.parametrize("form, name", [("json", n) for n in MALFORMED_JSON]
                         + [("plain", "not json"), ("plain", "bad base64")]
                         + [("tlv", n) for n in MALFORMED_TLV])
def test_malformed_messages(py_session, form, name):
    message, code = (MALFORMED_TLV if form == "tlv" else MALFORMED_JSON)[name]
    session = py_session(form)
    session.gateway.run(session.ws.send(message))
    assert close_code(session) == code
    again = next_session(session)
    assert session.gateway.run(again.fetch("GET", "/")).status == 200


BAD_FRAMES = {
    "reserved bit": (b"\xc2\x01x", 1002),
    "reserved opcode": (b"\x83\x01x", 1002),
    "masked": (b"\x82\x81\x01\x02\x03\x04x", 1002),
    "long ping": (b"\x89\x7e\x00\x7e" + b"p" * 126, 1002),
    "fragmented ping": (b"\x09\x01p", 1002),
    "continuation of nothing": (b"\x80\x01x", 1002),
    "message within a message": (b"\x02\x01\x06\x82\x01\x06", 1002),
    "16-bit length for 5 bytes": (b"\x82\x7e\x00\x05\x06\x10\x01\x07\x07", 1002),
    "length with the top bit": (b"\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00", 1002),
    "close of one byte": (b"\x88\x01\x03", 1002),
    "close with a forbidden code": (b"\x88\x02\x03\xed", 1002),
    "text that is not utf-8": (b"\x81\x04\"\xff\xff\"", 1007),
}


@pytest.mark.parametrize("name", BAD_FRAMES)
def test_bad_frames(py_session, name):
    frame, code = BAD_FRAMES[name]
    session = py_session("json" if code == 1007 else "tlv")
    session.gateway.background.loop.call_soon_threadsafe(session.ws.transport.write, frame)
    assert close_code(session) == code
    next_session(session)


async def reuse_id(session):
    for _ in range(2):
        await session.send("HttpRequest", id="same", method="POST", url="/echo", headers=[],
                           more=True)


async def overrun_credit(session):
    """More than all that the local server's socket could take meanwhile."""
    await session.send("HttpRequest", id="a", method="POST", url="/unread", headers=[], more=True)
    while session.ws.open:
        await session.send("HttpBody", id="a", body=b"x" * 16000, more=True)
        await asyncio.sleep(0)


async def body_after_its_end(session):
    await session.send("HttpRequest", id="a", method="GET", url="/unread", headers=[])
    await session.send("HttpBody", id="a", body=b"x")


async def auth_again(session):
    await session.send("AuthSuccess", session_id="another", window=65536)


@pytest.mark.parametrize("step", [reuse_id, overrun_credit, body_after_its_end, auth_again])
def test_what_is_not_allowed_now(py_session, origin, step):
    """Well-formed, and still against the rules."""
    async def unread(r):
        await asyncio.sleep(30)
        return False
    origin.on("/unread", unread)
    session = py_session()

    async def misbehave():
        try:
            await step(session)
        except websockets.ConnectionClosed:
            pass
    session.gateway.run(misbehave())
    code = close_code(session)
    if step is overrun_credit:
        session.agent.wait_for_log(r"more data than it was allowed to")
        # The close frame may be lost with what was still on its way to the agent.
        assert code in (1002, 1006)
    else:
        assert code == 1002


@pytest.mark.parametrize("kind, fields", [
    ("HttpBody", {"id": "nobody", "body": b"x"}), ("Window", {"id": "nobody", "credit": 5}),
    ("Error", {"request_id": "nobody", "error": "x", "code": 499}), ("Pong", {"timestamp": 1}),
    ("Error", {"error": "about the session", "code": 500})])
def test_messages_for_streams_that_are_gone(py_session, kind, fields):
    """They cross with a stream's end on the wire, so they are no error."""
    session = py_session()
    session.gateway.run(session.send(kind, **fields))
    assert session.gateway.run(session.fetch("GET", "/")).status == 200
    assert session.agent.sessions() == 1


# ---- bodies ----

@pytest.mark.parametrize("mode, window", [("tlv", 65536), ("tlv", 1000), ("tlv", 1),
                                          ("json", 65536), ("json", 1000), ("plain", 0)])
def test_credit_is_respected(py_session, mode, window):
    """Bodies both ways, within windows of any size."""
    session = py_session(mode, window=window)
    size = 300 if window == 1 else 200000
    data = pattern(size)
    reply = session.gateway.run(session.fetch("POST", "/echo", body=data))
    assert (reply.status, reply.body) == (200, data)
    assert session.violations == []


def test_stalled_streams_do_not_stall_others(py_session):
    """One response whose credit is used up, and requests beside it."""
    session = py_session("tlv", window=5000)

    async def look():
        stalled = await session.start("GET", "/bytes/100000")
        await stalled.head
        for _ in range(5):
            assert (await session.fetch("GET", "/bytes/20000")).body == pattern(20000)
        return (await session.collect(stalled)).body
    assert session.gateway.run(look()) == pattern(100000)
    assert session.violations == []


def test_plain_response_under_way(py_session, origin):
    """It comes in fragments, between which WebSocket pings are answered (section 9)."""
    gate = asyncio.Event()

    async def halves(r):
        await r.send(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n" + pattern(30000))
        await gate.wait()
        await r.send(pattern(30000, 30000))
        return True
    origin.on("/halves", halves)
    session = py_session("plain")

    async def look():
        stream = await session.start("GET", "/halves")
        while not origin.seen("/halves"):
            await asyncio.sleep(0.01)
        await (await session.ws.ping(b"between"))
        assert not stream.head.done()
        gate.set()
        return (await session.collect(stream)).body
    assert session.gateway.run(look()) == pattern(60000)


def test_plain_response_breaks_off(py_session, origin):
    """The message is completed, and says that the body is not the whole one."""
    async def half(r):
        await r.send(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n" + pattern(30000))
        return False
    origin.on("/half", half)
    session = py_session("plain")

    async def look():
        stream = await session.start("GET", "/half")
        with pytest.raises(Aborted):
            await session.collect(stream)
        return await session.fetch("GET", "/")
    assert session.gateway.run(look()).status == 200
    fields = next(f for kind, f in session.received if kind == "HttpResponse")
    assert fields["error"] and pattern(30000).startswith(fields.get("body", b""))


@pytest.mark.parametrize("mode", ["tlv", "json"])
def test_response_breaks_off(py_session, origin, mode):
    async def half(r):
        await r.send(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n" + pattern(30000))
        return False
    origin.on("/half", half)
    session = py_session(mode)
    assert failure(session, session.start("GET", "/half")) == 502


@pytest.mark.parametrize("mode", ["tlv", "json"])
def test_answer_before_the_request_has_ended(py_session, origin, mode):
    """The cloud gives the rest up with 499; the stream is free, and its id too (section 6)."""
    async def early(r):
        await r.reply(200, [("Connection", "close")], b"enough")
        return False
    origin.on("/early-enough", early)
    session = py_session(mode)

    async def look():
        for _ in range(40):
            stream = await session.start("POST", "/early-enough", more=True, name="again")
            assert (await session.collect(stream)).body == b"enough"
        return (await session.fetch("GET", "/")).status
    assert session.gateway.run(look()) == 200


# ---- what goes wrong locally ----

@pytest.mark.parametrize("mode", MODES)
def test_local_server_refuses(py_session, mode):
    session = py_session(mode, local="127.0.0.1:1")
    assert failure(session, session.start("GET", "/")) == 502


@pytest.mark.parametrize("mode", MODES)
def test_local_server_is_slow(py_session, origin, mode):
    async def slow(r):
        await r.reader.read()
        return False
    origin.on("/slow", slow)
    session = py_session(mode, "--request-timeout", "500ms")
    assert failure(session, session.start("GET", "/slow")) == 504


@pytest.mark.parametrize("answer", [
    b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70000 + b"\r\n\r\n", b""])
def test_local_server_answers_nonsense(py_session, origin, answer):
    async def nonsense(r):
        await r.send(answer)
        return False
    origin.on("/nonsense", nonsense)
    session = py_session()
    assert failure(session, session.start("GET", "/nonsense")) == 502


def failure(session, start):
    """The status in which a request that the agent cannot serve ends: Error, or a response."""
    async def outcome():
        stream = await start
        try:
            return (await session.collect(stream)).status
        except Aborted as aborted:
            return aborted.code
    return session.gateway.run(outcome())


@pytest.mark.parametrize("mode", MODES)
def test_too_big_a_head(py_session, mode):
    session = py_session(mode)
    assert failure(session, session.start("GET", "/" + "x" * 40000)) in (413, 414, 431)
    assert session.gateway.run(session.fetch("GET", "/")).status == 200
    assert session.agent.sessions() == 1


def test_more_requests_than_streams(py_session, origin):
    gate = asyncio.Event()

    async def wait(r):
        await gate.wait()
        return await r.reply(200, body=b"late")
    origin.on("/wait", wait)
    session = py_session()
    most = session.auth["max_streams"]

    async def all_of_them():
        streams = [await session.start("GET", "/wait") for _ in range(most)]
        over = await session.start("GET", "/wait")
        with pytest.raises(Aborted) as refusal:
            await session.collect(over)
        gate.set()
        return refusal.value.code, [(await session.collect(s)).body for s in streams]
    code, bodies = session.gateway.run(all_of_them())
    assert code in (429, 503)
    assert bodies == [b"late"] * most


def test_unix_socket(py_session, background, tmp_path):
    path = tmp_path / "local.sock"

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nunix")
        writer.close()

    async def listen():
        return await asyncio.start_unix_server(serve, path)
    server = background.run(listen())
    session = py_session(local="unix:%s" % path)
    assert session.gateway.run(session.fetch("GET", "/")).body == b"unix"
    background.loop.call_soon_threadsafe(server.close)


def test_no_descriptor_is_lost(py_session, origin):
    """After requests of all sorts the agent has as many descriptors open as before."""
    async def die(r):
        await r.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        return False
    origin.on("/die", die)
    session = py_session()

    def descriptors():
        return len(os.listdir("/proc/%d/fd" % session.agent.pid))

    def round_of_requests():
        for url in ("/", "/die", "/status/204", "/close/100", "/bytes/100000"):
            failure(session, session.start("GET", url))
    round_of_requests()
    before = descriptors()
    for _ in range(20):
        round_of_requests()
    assert descriptors() <= before
