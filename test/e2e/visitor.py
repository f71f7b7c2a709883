"""A visitor: HTTP/1.1 on a plain socket, with nothing hidden, repaired or joined.

Used towards a local server directly and towards a gateway, so that both answers can be compared.
"""
import hashlib
import socket
import ssl

TIMEOUT = 20.0


class Broken(Exception):
    """The connection ended before the response did."""


class Response:
    def __init__(self, version, status, reason, fields):
        self.version, self.status, self.reason = version, status, reason
        self.fields = fields      # (lower-case name, value), in order
        self.interim = []         # status codes of the 1xx responses before it
        self.body = b""
        self.trailers = []

    def all(self, name):
        return [v for n, v in self.fields if n == name]

    def get(self, name, default=None):
        return next(iter(self.all(name)), default)

    @property
    def sha(self):
        return hashlib.sha256(self.body).hexdigest()

    def __repr__(self):
        return "<%d %s %r %d bytes>" % (self.status, self.reason, self.fields, len(self.body))


class Visitor:
    """One connection."""

    def __init__(self, address, host, ca=None, timeout=TIMEOUT, receive_buffer=None,
                 source=None):
        self.host = host
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            sock.bind((source, 0))
        sock.settimeout(timeout)
        sock.connect(address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if ca:
            context = ssl.create_default_context(cafile=str(ca))
            sock = context.wrap_socket(sock, server_hostname=host.split(":")[0])
        self.sock = sock
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    # ---- bytes ----

    def send(self, data):
        self.sock.sendall(data)

    def more(self):
        """Receives; False at the end of the connection, however it came."""
        try:
            data = self.sock.recv(65536)
        except (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return False
        self.buffer += data
        return bool(data)

    def until(self, end):
        while end not in self.buffer:
            if not self.more():
                raise Broken(self.buffer)
        taken, _, self.buffer = self.buffer.partition(end)
        return taken

    def exactly(self, n):
        while len(self.buffer) < n:
            if not self.more():
                raise Broken(len(self.buffer))
        taken, self.buffer = self.buffer[:n], self.buffer[n:]
        return taken

    def to_end(self):
        while self.more():
            pass
        taken, self.buffer = self.buffer, b""
        return taken

    def closed(self):
        """Waits for the other side to end the connection; True if nothing more came."""
        return self.to_end() == b""

    # ---- responses ----

    def head(self):
        lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        version, status, reason = (lines[0] + " ").split(" ", 2)
        fields = [(n.lower(), v.strip(" \t")) for n, _, v in (f.partition(":") for f in lines[1:])]
        return Response(version, int(status), reason.strip(), fields)

    def pieces(self, response, method="GET"):
        """The body as it comes: RFC 9112 section 6.3."""
        if method == "HEAD" or response.status in (204, 304) or response.status < 200:
            return
        if "chunked" in response.all("transfer-encoding"):
            yield from self.chunks(response)
        elif response.get("content-length") is not None:
            left = int(response.get("content-length"))
            while left:
                if not self.buffer and not self.more():
                    raise Broken("%d bytes missing" % left)
                piece, self.buffer = self.buffer[:left], self.buffer[left:]
                left -= len(piece)
                yield piece
        else:
            while self.buffer or self.more():
                piece, self.buffer = self.buffer, b""
                yield piece

    def chunks(self, response):
        while True:
            size = int(self.until(b"\r\n").split(b";")[0], 16)
            if size == 0:
                break
            yield self.exactly(size)
            assert self.exactly(2) == b"\r\n"
        while True:
            line = self.until(b"\r\n").decode("latin-1")
            if not line:
                return
            name, _, value = line.partition(":")
            response.trailers.append((name.lower(), value.strip()))

    def response(self, method="GET"):
        """Head and whole body, interim responses apart."""
        interim = []
        response = self.head()
        while 100 <= response.status < 200 and response.status != 101:
            interim.append(response.status)
            response = self.head()
        response.interim = interim
        response.body = b"".join(self.pieces(response, method))
        return response

    # ---- requests ----

    def begin(self, method="GET", target="/", fields=(), version="HTTP/1.1", body=b""):
        """The request head, in one piece with `body`; Host is added unless it is there."""
        fields = [(n, v) for n, v in fields]
        if not any(n.lower() == "host" for n, _ in fields):
            fields.insert(0, ("Host", self.host))
        lines = ["%s %s %s" % (method, target, version)] + ["%s: %s" % f for f in fields]
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)

    def chunk(self, data):
        self.send(b"%x\r\n%s\r\n" % (len(data), data) if data else b"0\r\n\r\n")

    def request(self, method="GET", target="/", fields=(), body=None, version="HTTP/1.1"):
        fields = list(fields)
        if body is not None:
            fields.append(("Content-Length", str(len(body))))
        self.begin(method, target, fields, version, body or b"")
        return self.response(method)
