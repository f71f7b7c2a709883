"""What a cloud may say, in any form, and what it must not: to the agent in every mode."""
import asyncio

import pytest
import websockets

import wire
from conftest import MODES, next_session
from pygateway import Stream


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
