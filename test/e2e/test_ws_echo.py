"""ws-echo, and with it the frame codec, against a server made of raw sockets and none of our code.

The cases follow the outline of the suites that judge WebSocket clients: framing, control frames,
reserved bits and opcodes, fragmentation, UTF-8, the closing handshake, sizes.
"""
import base64
import hashlib
import os
import socket
import struct
import subprocess
import threading
import time
from contextlib import ExitStack

import pytest

from procs import BUILD, RUNNER, Proc

ECHO = [*RUNNER, str(BUILD / "ws-echo")]
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def frame(opcode, payload=b"", fin=True, rsv=0):
    n = len(payload)
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    if n < 126:
        return head + bytes([n]) + payload
    if n < 65536:
        return head + b"\x7e" + struct.pack(">H", n) + payload
    return head + b"\x7f" + struct.pack(">Q", n) + payload


def close(code=1000, reason=b""):
    return frame(CLOSE, struct.pack(">H", code) + reason)


class Server:
    """Accepts one ws-echo, speaks to it frame by frame."""

    def __init__(self, accept=None, status=b"101 Switching Protocols", extra=b"", early=b""):
        listener = socket.create_server(("127.0.0.1", 0))
        self.url = "ws://127.0.0.1:%d/runCase?case=1&agent=adit" % listener.getsockname()[1]
        self.process = Proc([*ECHO, self.url])
        listener.settimeout(10)
        self.socket = listener.accept()[0]
        listener.close()
        self.socket.settimeout(20)
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            self.fill()
        self.request, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        key = [line.split(b":", 1)[1].strip() for line in self.request.split(b"\r\n")
               if line.lower().startswith(b"sec-websocket-key:")][0]
        self.key = key
        good = base64.b64encode(hashlib.sha1(key + GUID).digest())
        self.socket.sendall(b"HTTP/1.1 " + status + b"\r\n"
                            b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
                            b"Sec-WebSocket-Accept: " + (accept or good) + b"\r\n" +
                            extra + b"\r\n" + early)

    def fill(self):
        data = self.socket.recv(1 << 20)
        if not data:
            raise EOFError
        self.buffer += data

    def take(self, n):
        while len(self.buffer) < n:
            self.fill()
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def send(self, data):
        self.socket.sendall(data)

    def read_frame(self):
        first, second = self.take(2)
        assert second & 0x80, "a client masks"
        n = second & 0x7f
        if n == 126:
            n, = struct.unpack(">H", self.take(2))
            assert n > 125
        elif n == 127:
            n, = struct.unpack(">Q", self.take(8))
            assert n > 65535
        key = self.take(4)
        body = self.take(n)
        mask = (key * (n // 4 + 1))[:n]
        plain = (int.from_bytes(body, "big") ^ int.from_bytes(mask, "big")).to_bytes(n, "big")
        return first & 15, bool(first & 0x80), plain

    def read_message(self):
        """The next data message, or control frame, as (opcode, payload)."""
        opcode, fin, payload = self.read_frame()
        parts = [payload]
        while not fin:
            more, fin, payload = self.read_frame()
            assert more == CONT
            parts.append(payload)
        return opcode, b"".join(parts)

    def end(self):
        """Closes TCP; the program's exit status and what it said."""
        self.socket.close()
        return self.process.wait(), self.process.log()

    def close_cleanly(self):
        self.send(close())
        assert self.read_message() == (CLOSE, struct.pack(">H", 1000))
        assert self.end() == (0, "")


@pytest.fixture
def server():
    with ExitStack() as ends:
        def make(**args):
            made = Server(**args)
            ends.callback(made.process.kill)
            ends.callback(made.socket.close)
            return made
        yield make


SIZES = [0, 1, 125, 126, 127, 128, 65535, 65536, 65537]


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("chop", [None, 997])
def test_echo(server, opcode, size, chop):
    s = server()
    payload = b"*" * size if opcode == TEXT else bytes(i * 7 & 255 for i in range(size))
    data = frame(opcode, payload)
    for at in range(0, len(data), chop or len(data)):
        s.send(data[at:at + (chop or len(data))])
    got = s.read_frame()
    assert got == (opcode, True, payload), "one frame for one frame"
    s.close_cleanly()


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("size", [1 << 20, 16 << 20, (64 << 20) + 12345])
@pytest.mark.parametrize("fragment", [None, 65536])
def test_big(server, opcode, size, fragment):
    """Sent whole before anything is read, as long as it is one that ws-echo promises to hold."""
    s = server()
    block = "0123456789abc\u20ac".encode() if opcode == TEXT else os.urandom(4093)
    payload = (block * (size // len(block) + 1))[:size - size % len(block)]

    def send():
        step = fragment or len(payload)
        for at in range(0, len(payload), step):
            s.send(frame(CONT if at else opcode, payload[at:at + step], at + step >= len(payload)))

    if size <= 16 << 20:
        send()
    else:
        threading.Thread(target=send, daemon=True).start()
    got = s.read_message()
    assert got[0] == opcode and got[1] == payload
    s.close_cleanly()


def test_tiny_pieces(server):
    """Every byte of several frames in a segment of its own."""
    s = server()
    s.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    data = frame(TEXT, "H\u20ac".encode(), False) + frame(PING, b"p")
    data += frame(CONT, "\U0001f600".encode()) + frame(BINARY, b"z" * 130)
    for byte in data:
        s.send(bytes([byte]))
        time.sleep(0.001)
    assert s.read_message() == (PONG, b"p")
    assert s.read_message() == (TEXT, "H\u20ac\U0001f600".encode())
    assert s.read_message() == (BINARY, b"z" * 130)
    s.close_cleanly()


def test_many_messages_unread(server):
    """A server that reads nothing until it has sent everything."""
    s = server()
    s.send(b"".join(frame(TEXT, b"%06d" % i) for i in range(100000)))
    for i in range(100000):
        assert s.read_frame() == (TEXT, True, b"%06d" % i)
    s.close_cleanly()


def test_frames_with_the_101(server):
    s = server(early=frame(TEXT, b"early") + frame(PING, b"!"))
    assert s.read_message() == (TEXT, b"early")
    assert s.read_message() == (PONG, b"!")
    s.close_cleanly()


def test_masks_differ(server):
    s = server()
    s.send(frame(TEXT, b"a") * 8)
    keys = set()
    for _ in range(8):
        assert s.take(2) == b"\x81\x81"
        keys.add(s.take(4))
        s.take(1)
    assert len(keys) == 8
    s.close_cleanly()


# What is sent, and the messages that come back before a clean end.
GOOD = {
    "ping": (frame(PING), [(PONG, b"")]),
    "ping with text": (frame(PING, b"Hello"), [(PONG, b"Hello")]),
    "ping with binary": (frame(PING, b"\0\xff\xfe\xfd\xfc\xfb\0\xff"),
                         [(PONG, b"\0\xff\xfe\xfd\xfc\xfb\0\xff")]),
    "ping of 125": (frame(PING, b"\xfe" * 125), [(PONG, b"\xfe" * 125)]),
    "pong unasked": (frame(PONG), []),
    "pong unasked with payload": (frame(PONG, b"x") + frame(PING, b"y"), [(PONG, b"y")]),
    "ten pings": (b"".join(frame(PING, b"%d" % i) for i in range(10)),
                  [(PONG, b"%d" % i) for i in range(10)]),
    "two fragments": (frame(TEXT, b"one", False) + frame(CONT, b"two"), [(TEXT, b"onetwo")]),
    "binary fragments": (frame(BINARY, b"\0", False) + frame(CONT, b"\xff"), [(BINARY, b"\0\xff")]),
    "ping between": (frame(TEXT, b"one", False) + frame(PING, b"p") + frame(CONT, b"two"),
                     [(PONG, b"p"), (TEXT, b"onetwo")]),
    "pings between five": (b"".join(frame(CONT if i else TEXT, b"%d" % i, False) +
                                    frame(PING, b"%d" % i) for i in range(4)) + frame(CONT, b"4"),
                           [(PONG, b"%d" % i) for i in range(4)] + [(TEXT, b"01234")]),
    "empty fragments": (frame(TEXT, b"", False) + frame(CONT, b"", False) + frame(CONT),
                        [(TEXT, b"")]),
    "empty around": (frame(TEXT, b"", False) + frame(CONT, b"middle", False) + frame(CONT),
                     [(TEXT, b"middle")]),
    "empty text": (frame(TEXT), [(TEXT, b"")]),
    "UTF-8": (frame(TEXT, "Hello-\u00b5@\u00df\u00f6\u00e4\u00fc\u00e0\u00e1-UTF-8!!".encode()),
              [(TEXT, "Hello-\u00b5@\u00df\u00f6\u00e4\u00fc\u00e0\u00e1-UTF-8!!".encode())]),
    "UTF-8 split in a character": (frame(TEXT, b"\xce", False) + frame(CONT, b"\xba\xe1", False) +
                                   frame(CONT, b"\xbd\xb9"), [(TEXT, b"\xce\xba\xe1\xbd\xb9")]),
    "UTF-8 by the byte": (b"".join(frame(CONT if i else TEXT, b"\xf4\x8f\xbf\xbf"[i:i + 1], i == 3)
                                   for i in range(4)), [(TEXT, b"\xf4\x8f\xbf\xbf")]),
    "noncharacters": (frame(TEXT, b"\xef\xbf\xbe\xef\xbf\xbf"),
                      [(TEXT, b"\xef\xbf\xbe\xef\xbf\xbf")]),
    "binary is not UTF-8": (frame(BINARY, b"\xff\xc0"), [(BINARY, b"\xff\xc0")]),
    "text after binary": (frame(BINARY, b"\xc3") + frame(TEXT, b"a"),
                          [(BINARY, b"\xc3"), (TEXT, b"a")]),
}


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("chop", [None, 1, 7])
def test_good(server, name, chop):
    sent, expected = GOOD[name]
    s = server()
    s.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for at in range(0, len(sent), chop or len(sent)):
        s.send(sent[at:at + (chop or len(sent))])
    for message in expected:
        assert s.read_message() == message
    s.close_cleanly()


BAD = {
    "RSV1": (frame(TEXT, b"x", rsv=4), 1002),
    "RSV2": (frame(TEXT, b"x", rsv=2), 1002),
    "RSV3": (frame(BINARY, b"x", rsv=1), 1002),
    "RSV in ping": (frame(PING, rsv=5), 1002),
    "RSV in close": (frame(CLOSE, rsv=7), 1002),
    "opcode 3": (frame(3), 1002),
    "opcode 4": (frame(4, b"x"), 1002),
    "opcode 7": (frame(7), 1002),
    "opcode 11": (frame(11), 1002),
    "opcode 15": (frame(15, b"x"), 1002),
    "ping of 126": (frame(PING, b"\xfe" * 126), 1002),
    "close of 126": (frame(CLOSE, b"\x03\xe8" + b"x" * 124), 1002),
    "fragmented ping": (frame(PING, b"x", False) + frame(CONT), 1002),
    "fragmented pong": (frame(PONG, b"x", False) + frame(CONT), 1002),
    "continuation of nothing": (frame(CONT, b"x"), 1002),
    "continuation of nothing, not last": (frame(CONT, b"x", False), 1002),
    "start within": (frame(TEXT, b"x", False) + frame(TEXT, b"y"), 1002),
    "binary within text": (frame(TEXT, b"x", False) + frame(BINARY, b"y"), 1002),
    "length not minimal, 16 bits": (b"\x82\x7e\0\x05abcde", 1002),
    "length not minimal, 64 bits": (b"\x82\x7f\0\0\0\0\0\0\0\x05abcde", 1002),
    "length with the top bit": (b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 1002),
    "masked by a server": (b"\x81\x81abcdx", 1002),
    "close of one byte": (frame(CLOSE, b"x"), 1002),
    **{"close %d" % code: (close(code), 1002) for code in
       [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535]},
    "close reason not UTF-8": (close(1000, b"\xce\xba\xe1\xbd\xb9\xcf\x83\xed\xa0\x80"), 1007),
    "text not UTF-8": (frame(TEXT, b"\xce\xba\xed\xa0\x80edited"), 1007),
    "text not UTF-8, second fragment": (frame(TEXT, b"good", False) + frame(CONT, b"\xff"), 1007),
    "text ends within a character": (frame(TEXT, b"\xce"), 1007),
    "text ends within a character, fragments": (frame(TEXT, b"a\xe2", False) +
                                                frame(CONT, b"\x82"), 1007),
    # Section 8.1 with fail-fast: the rest of the frame, or of the message, never comes.
    "not UTF-8, frame incomplete": (b"\x81\x7e\x10\x00ab\xf4\x90", 1007),
    "not UTF-8, message incomplete": (frame(TEXT, b"\xf4", False) +
                                      frame(CONT, b"\x90", False), 1007),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("chop", [None, 1])
def test_bad(server, name, chop):
    sent, code = BAD[name]
    s = server()
    s.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for at in range(0, len(sent), chop or len(sent)):
        s.send(sent[at:at + (chop or len(sent))])
    opcode, payload = s.read_message()
    assert opcode == CLOSE, "no message is echoed"
    assert struct.unpack(">H", payload[:2])[0] == code
    payload[2:].decode()
    s.send(close(code))
    status, said = s.end()
    assert status == 1 and said.startswith("ws-echo: ") and "\n" not in said


CODES = [*range(1000, 1004), *range(1007, 1015), 3000, 3999, 4000, 4401, 4999]


@pytest.mark.parametrize("code", CODES)
def test_close_code_comes_back(server, code):
    s = server()
    s.send(close(code, "\u20ac".encode() * 41))
    assert s.read_message() == (CLOSE, struct.pack(">H", code))
    assert s.end() == (0, "")


def test_close_without_code(server):
    s = server()
    s.send(frame(CLOSE))
    assert s.read_message() == (CLOSE, b"")
    assert s.end() == (0, "")


def test_nothing_after_close(server):
    s = server()
    s.send(frame(TEXT, b"part", False) + close() + frame(PING, b"late") + frame(TEXT, b"late"))
    assert s.read_message() == (CLOSE, struct.pack(">H", 1000))
    s.socket.settimeout(0.3)
    with pytest.raises(socket.timeout):
        s.take(1)
    assert s.end() == (0, "")


def test_echo_then_close_at_once(server):
    s = server()
    s.send(frame(TEXT, b"last words") + close())
    assert s.read_message() == (TEXT, b"last words")
    assert s.read_message() == (CLOSE, struct.pack(">H", 1000))
    assert s.end() == (0, "")


def test_no_closing_handshake(server):
    s = server()
    s.send(frame(TEXT, b"x"))
    s.read_message()
    status, said = s.end()
    assert status == 1 and "closing handshake" in said


@pytest.mark.parametrize("args", [
    {"accept": b"AAAAAAAAAAAAAAAAAAAAAAAAAAA="},
    {"status": b"200 OK"},
    {"status": b"404 Not Found"},
    {"extra": b"Sec-WebSocket-Extensions: permessage-deflate\r\n"},
    {"extra": b"Sec-WebSocket-Protocol: chat\r\n"},
])
def test_handshake_refused(server, args):
    s = server(**args)
    assert s.process.wait() == 1 and s.process.log().startswith("ws-echo: ")


def test_request(server):
    s = server()
    lines = s.request.split(b"\r\n")
    assert lines[0] == b"GET /runCase?case=1&agent=adit HTTP/1.1"
    fields = dict(line.lower().split(b": ", 1) for line in lines[1:])
    assert fields[b"host"] in s.url.encode()
    assert fields[b"upgrade"] == b"websocket" and fields[b"connection"] == b"upgrade"
    assert fields[b"sec-websocket-version"] == b"13" and len(base64.b64decode(s.key)) == 16
    assert b"sec-websocket-extensions" not in fields
    s.close_cleanly()


@pytest.mark.parametrize("args", [[], ["nonsense"], ["wss://127.0.0.1/"], ["ws://127.0.0.1:1/"],
                                  ["a", "b"]])
def test_usage(args):
    result = subprocess.run([*ECHO, *args], capture_output=True, timeout=10)
    assert result.returncode == 1 and result.stderr.count(b"\n") == 1


def test_with_the_websockets_library():
    """Another implementation at the other end; permessage-deflate is offered by neither."""
    import asyncio

    import websockets

    async def judge():
        done = asyncio.get_running_loop().create_future()

        async def handler(peer, path=None):
            try:
                for message in ["", "text \u20ac", b"\0\xff", "x" * 300000, os.urandom(5 << 20)]:
                    await peer.send(message)
                    assert await peer.recv() == message
                await peer.send(["frag", "ment", "ed"])
                assert await peer.recv() == "fragmented"
                await (await peer.ping(b"payload"))
                await peer.close(1001, "bye")
                done.set_result(peer.close_code)
            except Exception as error:
                done.set_exception(error)

        async with websockets.serve(handler, "127.0.0.1", 0, max_size=None) as listening:
            port = listening.sockets[0].getsockname()[1]
            process = Proc([*ECHO, "ws://localhost:%d/" % port])
            code = await asyncio.wait_for(done, 30)
            return code, await asyncio.to_thread(process.wait)

    assert asyncio.run(judge()) == (1001, 0)
