"""An agent in Python, for what the gateway must stand from agents that are not ours."""
import ssl

import websockets

import wire
from procs import DEADLINE
from pygateway import SUBPROTOCOLS


class PyAgent:
    """Connects at once; the requests are for the caller to answer."""

    def __init__(self, background, gateway, token, mode="tlv", window=65536, auth=True, **fields):
        self.background, self.gateway, self.mode = background, gateway, mode
        self.window = window
        self.received = []
        background.run(self.connect(token, auth, fields))

    def run(self, coroutine, timeout=DEADLINE):
        return self.background.run(coroutine, timeout)

    async def connect(self, token, auth, fields):
        tls = ssl.create_default_context(cafile=str(self.gateway.ca)) if self.gateway.ca else None
        self.ws = await websockets.connect(
            self.gateway.url, ssl=tls, subprotocols=SUBPROTOCOLS[self.mode], compression=None,
            max_size=None, ping_interval=None, close_timeout=1)
        if auth:
            if self.mode != "plain":
                fields = {"window": self.window, "max_streams": 8, **fields}
            await self.send("Auth", token=token, agent="python/1", **fields)
            self.answer = await self.receive()

    async def send(self, kind, **fields):
        await self.ws.send(wire.encode(self.mode == "tlv", kind, fields))

    async def receive(self):
        message = wire.decode(await self.ws.recv())
        self.received.append(message)
        return message

    async def expect(self, kind):
        """The next message of that type; Pings on the way are answered."""
        while True:
            name, fields = await self.receive()
            if name == kind:
                return fields
            if name == "Ping":
                await self.send("Pong", timestamp=fields["timestamp"])

    def request(self):
        return self.run(self.expect("HttpRequest"))

    def respond(self, name, status=200, headers=(), **fields):
        self.run(self.send("HttpResponse", id=name, status=status, headers=list(headers), **fields))

    def upgraded(self, **options):
        """A visitor whose request was answered with 101, and the request's id."""
        visitor = self.gateway.visit("one", **options)
        visitor.begin("GET", "/", [("Connection", "upgrade"), ("Upgrade", "echo")])
        name = self.request()["id"]
        self.respond(name, 101, [(b"connection", b"upgrade"), (b"upgrade", b"echo")], more=True)
        assert visitor.head().status == 101
        return visitor, name

    def close_code(self):
        """Waits for the gateway to close."""
        async def drain():
            try:
                while True:
                    await self.ws.recv()
            except websockets.ConnectionClosed:
                return self.ws.close_code
        return self.run(drain())

    def cut(self):
        self.background.loop.call_soon_threadsafe(self.ws.transport.abort)

    def close(self):
        async def close():
            await self.ws.close()
        self.run(close())
