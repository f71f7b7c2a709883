"""A cloud end of the tunnel in Python, on the `websockets` library; none of its code is ours.

It follows include/WIRE.md and shares nothing with the C gateway, so that an agent that works with
both works with the specification. As a library it lets a test say everything a cloud may say, and
what it must not. It serves no visitors: Session.fetch stands for one.
"""
import asyncio
import contextlib
import itertools
import ssl
import time

import websockets

import wire
from procs import DEADLINE

SUBPROTOCOLS = {"tlv": ["adit.tlv.v1"], "json": ["adit.json.v1"], "plain": None}
PIECE = 16000


class Aborted(Exception):
    """The agent gave a request up, or told that its body broke off."""

    def __init__(self, code, text):
        super().__init__("%s %s" % (code, text))
        self.code, self.text = code, text


class Stream:
    """One request and its response."""

    def __init__(self, session, name, window):
        self.session, self.id = session, name
        self.credit, self.credited = window, asyncio.Event()
        self.interim = []
        self.head = asyncio.get_running_loop().create_future()
        self.queue = asyncio.Queue()
        self.given = session.gateway.window    # what the agent may still send
        self.tx_open, self.rx_open = True, True

    # ---- from the agent ----

    def on_response(self, fields):
        if 100 <= fields["status"] < 200 and fields["status"] != 101:
            self.interim.append(fields["status"])
            return
        self.session.check(not self.head.done(), "a second HttpResponse for " + self.id)
        self.head.set_result(fields)
        self.on_body(fields)

    def on_body(self, fields):
        body = fields.get("body", b"")
        if self.session.streams_bodies:
            self.session.check(len(body) <= self.given, "more body than was credited")
            self.given -= len(body)
        if body:
            self.queue.put_nowait(body)
        if not fields.get("more"):
            error = fields.get("error")
            self.end(Aborted(fields.get("status"), error) if error else None)

    def end(self, error=None):
        """The agent's direction is over."""
        self.rx_open = False
        if not self.head.done():
            self.head.set_exception(error or Aborted(0, "no response"))
            self.head.exception()
        self.queue.put_nowait(error)
        if self.tx_open and error is None and self.head.result()["status"] != 101:
            # Nobody needs the rest of the request: section 6.
            self.session.answered.append(self)
        self.finish()

    def finish(self):
        if not self.rx_open and not self.tx_open:
            self.session.streams.pop(self.id, None)

    # ---- to the agent ----

    async def take_credit(self, most):
        while self.credit <= 0 and self.tx_open:
            self.credited.clear()
            await self.credited.wait()
        if not self.tx_open:
            raise Aborted(0, "the stream is over")
        taken = min(most, self.credit)
        self.credit -= taken
        return taken

    async def write(self, data, more=True):
        """Request body bytes, as credit allows."""
        at = 0
        while at < len(data):
            n = await self.take_credit(min(PIECE, len(data) - at))
            last = at + n == len(data)
            await self.session.send("HttpBody", id=self.id, body=bytes(data[at:at + n]),
                                    **({} if last and not more else {"more": True}))
            at += n
        if not more:
            if not data:
                await self.session.send("HttpBody", id=self.id)
            self.tx_open = False
            self.finish()

    async def abort(self, code=499, text="the visitor left"):
        if self.session.streams.get(self.id) is self:
            del self.session.streams[self.id]
        self.tx_open = False
        self.credited.set()
        await self.session.send("Error", request_id=self.id, error=text, code=code)

    async def read(self):
        """The next piece of the response body, None at its end; read bytes are credited again."""
        piece = await self.queue.get()
        if isinstance(piece, Aborted):
            raise piece
        if piece and self.session.streams_bodies and self.rx_open:
            self.given += len(piece)
            # An agent that ends closes behind the last piece, which has come all the same.
            with contextlib.suppress(websockets.exceptions.ConnectionClosedOK):
                await self.session.send("Window", id=self.id, credit=len(piece))
        return piece


class Reply:
    def __init__(self, stream, head, body):
        self.id, self.interim = stream.id, stream.interim
        self.status, self.body = head["status"], body
        self.fields = [(n.decode("latin-1").lower(), v.decode("latin-1"))
                       for n, v in head.get("headers", [])]

    def all(self, name):
        return [v for n, v in self.fields if n == name]

    def get(self, name, default=None):
        return next(iter(self.all(name)), default)


class Session:
    """One agent's connection."""

    def __init__(self, gateway, ws):
        self.gateway, self.ws = gateway, ws
        self.tlv = ws.subprotocol == "adit.tlv.v1"
        self.streams_bodies = ws.subprotocol is not None
        self.streams, self.names = {}, itertools.count(1)
        self.answered = []             # streams whose request has not ended
        self.received = []             # every message: (type, fields)
        self.news = asyncio.Condition()
        self.auth = None
        self.open = False
        self.violations = []           # what the agent did against the specification
        self.ended = asyncio.Event()

    def check(self, holds, what):
        if not holds:
            self.violations.append(what)
            raise wire.Malformed(what)

    async def send(self, kind, **fields):
        await self.ws.send(wire.encode(self.tlv, kind, fields))

    async def receive(self):
        message = await self.ws.recv()
        self.check(isinstance(message, bytes) == self.tlv, "the wrong kind of WebSocket message")
        kind, fields = wire.decode(message)
        async with self.news:
            self.received.append((kind, fields))
            self.news.notify_all()
        return kind, fields

    async def expect(self, kind, since=0, timeout=DEADLINE, match=lambda fields: True):
        """The first message of that type, come or to come."""
        async def found():
            async with self.news:
                while True:
                    for name, fields in self.received[since:]:
                        if name == kind and match(fields):
                            return fields
                    await self.news.wait()
        return await asyncio.wait_for(found(), timeout)

    async def run(self):
        try:
            kind, self.auth = await self.receive()
            self.check(kind == "Auth", "the first message is " + kind)
            if not await self.gateway.answer_auth(self):
                return
            self.open = True
            self.gateway.opened.append(self)
            while True:
                self.dispatch(*await self.receive())
                # At once, so that nothing else of that id goes before.
                while self.answered:
                    await self.answered.pop().abort(499, "answered")
        except websockets.ConnectionClosed:
            pass
        finally:
            self.open = False
            for stream in list(self.streams.values()):
                stream.end(Aborted(0, "the session ended"))
            self.ended.set()

    def dispatch(self, kind, fields):
        if kind == "Ping" and self.gateway.answer_pings:
            asyncio.ensure_future(self.send("Pong", timestamp=fields["timestamp"]))
        name = fields.get("request_id") if kind == "Error" else fields.get("id")
        stream = self.streams.get(name)
        if kind == "Error" and stream:
            stream.tx_open = False
            stream.credited.set()
            stream.end(Aborted(fields.get("code"), fields.get("error")))
        elif kind == "HttpResponse" and stream:
            stream.on_response(fields)
        elif kind == "HttpBody" and stream:
            self.check(self.streams_bodies, "HttpBody in plain mode")
            self.check(stream.head.done(), "HttpBody before HttpResponse")
            stream.on_body(fields)
        elif kind == "Window" and stream:
            stream.credit += fields["credit"]
            stream.credited.set()

    # ---- requests ----

    async def start(self, method="GET", url="/", headers=(), body=b"", more=False, name=None):
        """Sends the request; with `more` the caller goes on with Stream.write."""
        stream = Stream(self, name or "r%d" % next(self.names), self.auth.get("window", 1 << 62))
        self.streams[stream.id] = stream
        fields = {"id": stream.id, "method": method, "url": url,
                  "headers": [(n.lower().encode(), v.encode()) for n, v in headers]}
        if not self.streams_bodies:
            assert not more, "plain mode has no HttpBody"
            fields.update({"body": body} if body else {})
            rest = b""
        else:
            first = await stream.take_credit(min(PIECE, len(body))) if body else 0
            fields.update({"body": bytes(body[:first])} if body else {})
            rest, more_follows = body[first:], more or first < len(body)
            fields.update({"more": True} if more_follows else {})
        await self.send("HttpRequest", **fields)
        if rest:
            # The agent may answer before it has read the whole body.
            asyncio.ensure_future(self.write_rest(stream, rest, more))
        elif not more:
            stream.tx_open = False
        return stream

    async def write_rest(self, stream, rest, more):
        try:
            await stream.write(rest, more)
        except (websockets.ConnectionClosed, Aborted):
            pass

    async def collect(self, stream):
        head = await stream.head
        body = bytearray()
        while (piece := await stream.read()) is not None:
            body += piece
        return Reply(stream, head, bytes(body))

    async def fetch(self, *args, **kwargs):
        return await self.collect(await self.start(*args, **kwargs))


class PyGateway:
    def __init__(self, background, mode="tlv", certs=None, window=65536, port=0, kind="server",
                 sock=None):
        self.background, self.mode, self.window = background, mode, window
        self.server_time = None  # the clock's
        self.tls = None
        if certs:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(certs / (kind + ".pem"), certs / (kind + ".key"))
        self.answer_pings = True
        self.answer = "accept"     # accept, refuse, silence
        self.refusal = {"error": "unknown token"}
        self.sessions, self.opened, self.requests = [], [], []
        self.server = background.run(self.serve(port, sock))
        self.port = self.server.sockets[0].getsockname()[1]
        self.url = "%s://localhost:%d/_adit" % ("wss" if certs else "ws", self.port)

    async def serve(self, port, sock):
        where = {"sock": sock} if sock else {"host": "127.0.0.1", "port": port}
        return await websockets.serve(
            self.handle, **where, ssl=self.tls, max_size=None, compression=None,
            subprotocols=SUBPROTOCOLS[self.mode], ping_interval=None, close_timeout=1,
            process_request=self.look_at)

    async def look_at(self, path, headers):
        self.requests.append((path, headers))

    async def handle(self, ws):
        session = Session(self, ws)
        self.sessions.append(session)
        await session.run()

    async def answer_auth(self, session):
        """True when the session is open."""
        if self.answer == "accept":
            fields = {"window": self.window} if session.streams_bodies else {}
            await session.send("AuthSuccess", session_id="s%d" % len(self.opened),
                               url="https://python.tunnel.test/", server_time=int(
                                    self.server_time or time.time()),
                               **fields)
            return True
        if self.answer == "refuse":
            await session.send("AuthError", **self.refusal)
            await session.ws.close(4401)
        else:
            await session.ws.wait_closed()
        return False

    # ---- for tests, which run on another thread ----

    def run(self, coroutine, timeout=DEADLINE):
        return self.background.run(coroutine, timeout)

    def session(self, index=0, timeout=DEADLINE):
        """The index-th session that was opened, waiting for it."""
        async def wait():
            while len(self.opened) <= index:
                await asyncio.sleep(0.005)
            return self.opened[index]
        return self.run(wait(), timeout)

    def stop(self):
        async def close():
            self.server.close()
            await self.server.wait_closed()
        self.run(close())
