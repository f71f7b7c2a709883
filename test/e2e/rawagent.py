"""An agent on a bare socket in the clear, for what no library would send or leave unread."""
import socket
import struct

import wire

PING, PONG = 9, 10


def frame(opcode, payload=b"", fin=True):
    """A client's frame; the mask is zero."""
    assert len(payload) < 65536
    long = len(payload) > 125
    head = bytes([opcode | 0x80 * fin, 0x80 | (126 if long else len(payload))])
    return head + (struct.pack(">H", len(payload)) if long else b"") + bytes(4) + payload


class RawAgent:
    """The upgrade at once, and Auth with a token; the rest is the caller's."""

    def __init__(self, gateway, token=None, fields=(), source="127.0.0.1", window=65536):
        self.sock = socket.create_connection(gateway.address, 20, (source, 0))
        self.sock.sendall(b"\r\n".join([
            b"GET /_adit HTTP/1.1", b"Host: " + gateway.host("x").encode(),
            b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Version: 13",
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            b"Sec-WebSocket-Protocol: adit.tlv.v1", *fields, b"", b""]))
        self.head = b""
        while b"\r\n\r\n" not in self.head:
            piece = self.sock.recv(1)
            if not piece:
                break
            self.head += piece
        if token:
            self.auth(token, window)

    def auth(self, token, window=65536):
        self.say("Auth", token=token, agent="raw/1", window=window, max_streams=8)
        assert self.message()[0] == "AuthSuccess"

    def say(self, kind, **fields):
        self.sock.sendall(frame(2, wire.encode_tlv(kind, fields)))

    def exactly(self, n):
        data = b""
        while len(data) < n:
            piece = self.sock.recv(n - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def frame(self):
        """The next one: opcode, payload."""
        opcode, n = self.exactly(2)
        if n == 126:
            n, = struct.unpack(">H", self.exactly(2))
        return opcode & 15, self.exactly(n)

    def message(self):
        while True:
            opcode, payload = self.frame()
            if opcode == 2:
                return wire.decode_tlv(payload)

    def close_code(self):
        try:
            while True:
                opcode, payload = self.frame()
                if opcode == 8:
                    return struct.unpack(">H", payload[:2])[0]
        except (EOFError, ConnectionResetError):
            return None

    def fill(self, data):
        """Sends until nothing more is taken; the bytes."""
        self.sock.setblocking(False)
        total = 0
        try:
            while True:
                total += self.sock.send(data[total % len(data):])
        except BlockingIOError:
            pass
        self.sock.setblocking(True)
        return total

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
