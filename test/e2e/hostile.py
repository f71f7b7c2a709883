"""A cloud end on bare sockets, without TLS: every byte, its piece and its moment are the test's.

It reads only when it is told to, which is how a peer that does not read is made. It checks what
the agent may do: one response per request, in order, within the credit, and nothing after its end.
"""
import base64
import hashlib
import os
import re
import select
import socket
import time

import wire
from procs import DEADLINE

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
PROTOCOLS = {"tlv": b"adit.tlv.v1", "json": b"adit.json.v1"}


def frame(opcode, payload, fin=True):
    size = len(payload)
    head = bytes([opcode | (0x80 if fin else 0)])
    if size < 126:
        return head + bytes([size]) + payload
    if size < 65536:
        return head + b"\x7e" + size.to_bytes(2, "big") + payload
    return head + b"\x7f" + size.to_bytes(8, "big") + payload


class Stream:
    """What the agent has said about one request."""

    def __init__(self, window, credit):
        self.head, self.ended, self.error = None, False, None
        self.body, self.given = 0, window   # came, may still come
        self.credit = credit                # what we may still send
        self.sending = False                # our HttpBody messages go on

    @property
    def over(self):
        return self.ended or self.error is not None


class Hostile:
    """One agent's connection, after the upgrade and AuthSuccess."""

    def __init__(self, conn, mode, window):
        self.conn, self.mode, self.window = conn, mode, window
        self.buffer, self.parts = b"", []
        self.auth, self.closed = None, None
        self.streams, self.stats, self.names = {}, [], 0
        self.pongs = self.pings = self.body = 0

    # ---- out ----

    def raw(self, data):
        self.conn.sendall(data)

    def encoded(self, kind, **fields):
        message = wire.encode(self.mode == "tlv", kind, fields)
        return message if isinstance(message, bytes) else message.encode()

    @property
    def opcode(self):
        return BINARY if self.mode == "tlv" else TEXT

    def send(self, kind, **fields):
        self.raw(frame(self.opcode, self.encoded(kind, **fields)))

    def request(self, url="/", method="GET", name=None, **fields):
        """Opens a stream; returns its id."""
        self.names += 1
        name = name or "h%d" % self.names
        s = self.streams[name] = Stream(self.window, self.auth.get("window", 0))
        s.sending = fields.get("more", False)
        s.credit -= len(fields.get("body", b""))
        # Before the body, which then needs no place of its own.
        headers = fields.pop("headers", [(b"host", b"hostile.test")])
        self.send("HttpRequest", id=name, method=method, url=url, headers=headers, **fields)
        return name

    def abort(self, name):
        """What the agent has sent of it already no longer counts."""
        self.streams.pop(name)
        self.send("Error", request_id=name, error="given up", code=499)

    # ---- in ----

    def frames(self, timeout, most=65536):
        """What comes within the time: whole frames of one read."""
        if self.closed is None and select.select([self.conn], [], [], timeout)[0]:
            try:
                data = self.conn.recv(most)
            except ConnectionError:
                data = b""
            self.buffer += data
            if not data:
                self.closed = self.closed or 0
        while True:
            cut = self.cut()
            if cut is None:
                return
            yield cut

    def cut(self):
        b = self.buffer
        if len(b) < 2:
            return None
        assert b[1] & 0x80, "the agent does not mask"
        size, at = b[1] & 0x7f, 2
        if size > 125:
            at = 4 if size == 126 else 10
            size = int.from_bytes(b[2:at], "big")
        if len(b) < at + 4 + size:
            return None
        key, payload = b[at:at + 4], b[at + 4:at + 4 + size]
        key = (key * (size // 4 + 1))[:size]
        self.buffer = b[at + 4 + size:]
        plain = (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")
        return b[0] & 15, bool(b[0] & 0x80), plain

    def pump(self, timeout=0.0, most=65536):
        """Reads once and looks at what came; true when anything did."""
        any_frame = False
        for opcode, fin, payload in self.frames(timeout, most):
            any_frame = True
            if opcode == CLOSE:
                self.closed = int.from_bytes(payload[:2], "big")
            elif opcode == PING:
                self.pings += 1
                self.raw(frame(PONG, payload))
            elif opcode == PONG:
                self.pongs += 1
            else:
                assert (opcode == 0) == bool(self.parts), "fragments out of order"
                self.parts.append(payload)
                if fin:
                    message, self.parts = b"".join(self.parts), []
                    self.take(*wire.decode(message if self.mode == "tlv" else message.decode()))
        return any_frame

    def take(self, kind, fields):
        name = fields.get("request_id") if kind == "Error" else fields.get("id")
        if kind == "Auth":
            self.auth = fields
        elif kind == "Stats":
            self.stats.append(fields)
        elif kind == "Ping":
            self.pings += 1
            self.send("Pong", timestamp=fields["timestamp"])
        elif kind == "Pong":
            self.pongs += 1
        elif name in self.streams:
            self.take_stream(self.streams[name], kind, fields, name)

    def take_stream(self, s, kind, fields, name):
        if kind == "Window":
            s.credit += fields["credit"]
            return
        assert not s.over, "%s for %s, which is over" % (kind, name)
        if kind == "Error":
            s.error = fields.get("code", 0)
            return
        if kind == "HttpResponse" and 100 <= fields["status"] < 200 and fields["status"] != 101:
            return
        assert (s.head is None) == (kind == "HttpResponse"), "%s twice or too early" % kind
        s.head = s.head or fields
        size = len(fields.get("body", b""))
        s.body, s.given, self.body = s.body + size, s.given - size, self.body + size
        if self.mode != "plain":
            assert s.given >= 0, "more body than was credited"
        if fields.get("error"):
            s.error = 0
        s.ended = not fields.get("more") or self.mode == "plain"

    def until(self, condition, what, timeout=DEADLINE, most=65536):
        end = time.monotonic() + timeout
        while not condition():
            self.pump(0.05, most)
            assert self.closed is None or condition(), "closed (%s) before %s" % (self.closed, what)
            assert time.monotonic() < end, "gave up waiting for " + what

    def answer(self, name, timeout=DEADLINE):
        """The stream, when it is over."""
        self.until(lambda: self.streams[name].over, "the end of " + name, timeout)
        return self.streams[name]

    def fetch(self, *args, timeout=DEADLINE, **fields):
        return self.answer(self.request(*args, **fields), timeout)

    def close(self):
        self.conn.close()


class HostileGateway:
    """Listens; one connection at a time is taken up."""

    def __init__(self, mode="tlv", receive_buffer=None):
        self.mode = mode
        self.listener = socket.socket()
        if receive_buffer:
            # With segments as on a real line, the agent's kernel keeps less, too.
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            self.listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(16)
        self.listener.settimeout(DEADLINE)
        self.url = "ws://127.0.0.1:%d/_adit" % self.listener.getsockname()[1]

    def accept(self):
        """The next connection and the upgrade's answer, which is not sent yet."""
        conn = self.listener.accept()[0]
        conn.settimeout(DEADLINE)
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            piece = conn.recv(4096)
            if not piece:
                raise ConnectionError("gone before its upgrade was complete")
            head += piece
        return conn, self.upgrade_answer(head)

    def upgrade_answer(self, head):
        key = re.search(rb"Sec-WebSocket-Key: (\S+)", head, re.I).group(1)
        accept = base64.b64encode(hashlib.sha1(
            key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        lines = [b"HTTP/1.1 101 Switching Protocols", b"Upgrade: websocket",
                 b"Connection: Upgrade", b"Sec-WebSocket-Accept: " + accept]
        if self.mode in PROTOCOLS:
            lines.append(b"Sec-WebSocket-Protocol: " + PROTOCOLS[self.mode])
        return b"\r\n".join(lines) + b"\r\n\r\n"

    def session(self, window=65536):
        conn, answer = self.accept()
        session = Hostile(conn, self.mode, window)
        session.raw(answer)
        session.until(lambda: session.auth, "Auth")
        fields = {} if self.mode == "plain" else {"window": window}
        session.send("AuthSuccess", session_id="hostile", server_time=int(time.time()), **fields)
        return session

    def close(self):
        self.listener.close()


def descriptors(agent):
    return len(os.listdir("/proc/%d/fd" % agent.pid))
