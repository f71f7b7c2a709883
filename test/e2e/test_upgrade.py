"""Upgraded connections through the tunnel: WebSocket with a library on both ends, and raw bytes."""
import asyncio
import socket
import ssl
import threading
import time

import pytest
import websockets

from origin import pattern
from procs import wait_until

STREAMS = ["tlv", "json"]


class Local:
    """A WebSocket server on the local network."""

    def __init__(self, background):
        self.closed = {}  # path: close code

        async def serve(ws):
            self.path, self.headers = ws.path, ws.request_headers
            try:
                async for message in ws:
                    if message == "close 4321":
                        await ws.close(4321, "as you wish")
                    elif message == "fragments":
                        await ws.send(["in ", "several ", "pieces"])
                    else:
                        await ws.send(message)
            finally:
                await ws.wait_closed()
                self.closed[ws.path] = ws.close_code

        async def listen():
            return await websockets.serve(serve, "127.0.0.1", 0, max_size=None, ping_interval=None,
                                          subprotocols=["chat"], close_timeout=2)
        self.background = background
        self.server = background.run(listen())
        self.port = self.server.sockets[0].getsockname()[1]

    def stop(self):
        self.background.loop.call_soon_threadsafe(self.server.close)


@pytest.fixture(scope="module")
def local(background):
    it = Local(background)
    yield it
    it.stop()


@pytest.fixture(params=STREAMS)
def there(request, tunnels, local, steady):
    return tunnels(request.param, local)


def connect(tunnel, path="/chat?room=1", **options):
    gateway = tunnel.gateway
    tls = ssl.create_default_context(cafile=str(gateway.ca))
    return websockets.connect("wss://%s%s" % (tunnel.host, path), ssl=tls, host="127.0.0.1",
                              port=gateway.port, server_hostname=tunnel.host.split(":")[0],
                              max_size=None, ping_interval=None, close_timeout=5, **options)


def test_messages(there, local, background):
    async def talk():
        async with connect(there, subprotocols=["chat"], extra_headers={"X-Key": "1"}) as ws:
            assert ws.subprotocol == "chat"
            assert local.path == "/chat?room=1" and local.headers["X-Key"] == "1"
            for message in ("hello", "", "grüße \U0001f30d", b"", b"\0\xff" * 5, pattern(65535),
                            pattern(1 << 20), "x" * (1 << 20)):
                await ws.send(message)
                assert await ws.recv() == message
            await ws.send("fragments")
            assert await ws.recv() == "in several pieces"
            await (await ws.ping(b"over there?"))
    background.run(talk())


def test_extension_is_the_ends_affair(there, background):
    """permessage-deflate is between visitor and local server; the tunnel has no part in it."""
    async def talk():
        async with connect(there, compression="deflate") as ws:
            assert [e.name for e in ws.extensions] == ["permessage-deflate"]
            await ws.send("z" * 100000)
            assert await ws.recv() == "z" * 100000
    background.run(talk())


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4999])
def test_visitor_closes(there, local, background, code):
    path = "/closes?%s-%d" % (there.mode, code)

    async def talk():
        ws = await connect(there, path)
        await ws.send("x")
        await ws.recv()
        await ws.close(code, "done")
    background.run(talk())
    wait_until(lambda: path in local.closed, "the local server to be told")
    assert local.closed[path] == code


def test_local_server_closes(there, background):
    async def talk():
        ws = await connect(there)
        await ws.send("close 4321")
        with pytest.raises(websockets.ConnectionClosed):
            await ws.recv()
        assert (ws.close_code, ws.close_reason) == (4321, "as you wish")
    background.run(talk())


def test_many_at_once(there, background):
    async def one(n):
        async with connect(there) as ws:
            for i in range(20):
                data = pattern(1000 * n + i, n)
                await ws.send(data)
                assert await ws.recv() == data

    async def all_of_them():
        await asyncio.gather(*(one(n) for n in range(12)))
    background.run(all_of_them(), 60)


def test_visitor_vanishes(there, local, background):
    path = "/vanishes?%s" % there.mode

    async def vanish():
        ws = await connect(there, path)
        await ws.send("x")
        await ws.recv()
        ws.transport.abort()
    background.run(vanish())
    wait_until(lambda: path in local.closed, "the local server to notice")
    assert local.closed[path] == 1006


def test_refused_upgrade(there):
    """Not a WebSocket request: the local server's own answer comes through."""
    with there.visit() as visitor:
        response = visitor.request("GET", "/", [("Connection", "upgrade"), ("Upgrade", "other")])
    assert response.status in (400, 426)


def test_plain_mode_has_no_upgrades(tunnels, local, steady):
    tunnel = tunnels("plain", local)
    with tunnel.visit() as visitor:
        response = visitor.request("GET", "/", [
            ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")])
    assert response.status >= 400


# ---- any protocol ----

@pytest.fixture
def raw(make_gateway, make_agent, origin):
    """A tunnel without TLS to the gateway, so that a visitor can close one direction."""
    def make(mode, *agent_options, gateway_options=()):
        gateway = make_gateway(*gateway_options, certs=None)
        make_agent(gateway.url, gateway.token("one"), origin.local,
                   "--protocol", mode, *agent_options).wait_open()
        return gateway.visit("one")
    return make


def upgrade(visitor, path):
    visitor.begin("GET", path, [("Connection", "upgrade"), ("Upgrade", "lines/1")])
    response = visitor.head()
    assert response.status == 101
    assert response.get("upgrade") == "lines/1"
    assert "upgrade" in response.get("connection").lower()


SWITCH = b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: lines/1\r\n\r\n"


@pytest.mark.parametrize("mode", STREAMS)
def test_raw_bytes_and_half_close(raw, origin, mode):
    """The visitor ends its direction first; the other one still carries the answer."""
    async def reverse(r):
        await r.send(SWITCH + b"welcome\n")
        data = await r.reader.read()
        await r.send(data[::-1])
        return False
    origin.on("/reverse", reverse)
    data = pattern(500000)
    with raw(mode) as visitor:
        upgrade(visitor, "/reverse")
        assert visitor.until(b"\n") == b"welcome"
        visitor.send(data)
        visitor.sock.shutdown(socket.SHUT_WR)
        assert visitor.to_end() == data[::-1]


@pytest.mark.parametrize("mode", STREAMS)
def test_local_server_half_closes(raw, origin, mode):
    got = []

    async def listen(r):
        await r.send(SWITCH + b"goodbye")
        r.writer.write_eof()
        got.append(await r.reader.read())
        return False
    origin.on("/listen", listen)
    with raw(mode) as visitor:
        upgrade(visitor, "/listen")
        assert visitor.to_end() == b"goodbye"
        visitor.send(b"one last word")
        visitor.sock.shutdown(socket.SHUT_WR)
        wait_until(lambda: got, "the local server to hear")
    assert got == [b"one last word"]


@pytest.mark.parametrize("mode", STREAMS)
def test_silence_is_allowed(raw, origin, mode):
    """No timeout of requests or idle connections touches an upgraded one."""
    async def quiet(r):
        await r.send(SWITCH)
        line = await r.reader.readline()
        await r.send(line.upper())
        return False
    origin.on("/quiet", quiet)
    visitor = raw(mode, "--request-timeout", "300ms", "--ping-interval", "200ms",
                  gateway_options=("--request-timeout", "300ms", "--idle-timeout", "300ms",
                                   "--header-timeout", "300ms"))
    with visitor:
        upgrade(visitor, "/quiet")
        time.sleep(1.2)  # the silence itself is what is tested
        visitor.send(b"still here\n")
        assert visitor.to_end() == b"STILL HERE\n"


@pytest.mark.parametrize("mode", STREAMS)
def test_echo_both_ways_at_once(raw, origin, mode):
    """More than all buffers together goes round while both directions are busy."""
    async def echo(r):
        await r.send(SWITCH)
        while data := await r.reader.read(65536):
            await r.send(data)
        return False
    origin.on("/echo-raw", echo)
    data = pattern(8000000)
    with raw(mode) as visitor:
        upgrade(visitor, "/echo-raw")
        sender = threading.Thread(target=lambda: (visitor.send(data),
                                                  visitor.sock.shutdown(socket.SHUT_WR)))
        sender.start()
        back = visitor.to_end()
        sender.join()
        assert back == data


@pytest.mark.parametrize("mode", STREAMS)
def test_upgrade_not_taken(raw, origin, mode):
    """The answer is an ordinary one."""
    async def declines(r):
        return await r.reply(200, body=b"no, thank you")
    origin.on("/declines", declines)
    with raw(mode) as visitor:
        response = visitor.request("GET", "/declines", [("Connection", "upgrade"),
                                                        ("Upgrade", "lines/1")])
        assert (response.status, response.body) == (200, b"no, thank you")


@pytest.mark.parametrize("upgrades", [["h2c"], ["H2C"], ["lines/1, h2c"], ["lines/1", " h2c"]])
def test_no_upgrade_to_http2(raw, origin, upgrades):
    """Its requests would reach the local server as the visitor wrote them."""
    seen = []

    async def takes(r):
        seen.append([n.lower() for n, _ in r.fields])
        if "upgrade" in seen[-1]:
            await r.send(SWITCH)
            return False
        return await r.reply(200, body=b"as HTTP/1.1")
    origin.on("/h2c", takes)
    with raw("tlv") as visitor:
        response = visitor.request("GET", "/h2c", [
            ("Connection", "Upgrade, HTTP2-Settings"), ("HTTP2-Settings", "AAMAAABk"),
            *(("Upgrade", u) for u in upgrades)])
        assert (response.status, response.body) == (200, b"as HTTP/1.1")
        assert visitor.request("GET", "/").status == 200
    assert not {"upgrade", "connection", "http2-settings"} & set(seen[0])
