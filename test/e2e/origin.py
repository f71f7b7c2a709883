"""A local HTTP/1.1 server whose every byte a test decides, and the loop that it runs on.

Handlers are coroutines `async def handler(request)`; they write to `request.writer` what they
like. The connection is kept when the handler returns True.
"""
import asyncio
import hashlib
import json
import random
import threading

from visitor import TIMEOUT


class Background:
    """An asyncio loop on a thread of its own; tests stay ordinary functions."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def run(self, coroutine, timeout=TIMEOUT):
        async def bounded():
            return await asyncio.wait_for(coroutine, timeout)
        return asyncio.run_coroutine_threadsafe(bounded(), self.loop).result(timeout + 5)

    def stop(self):
        async def cancel_all():
            tasks = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        asyncio.run_coroutine_threadsafe(cancel_all(), self.loop).result(TIMEOUT)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)


PATTERN = random.Random(1).randbytes((1 << 20) - 3)


def pattern(size, at=0):
    """Bytes at..at+size of an endless sequence in which no piece can change places unnoticed."""
    start = at % len(PATTERN)
    if start + size <= len(PATTERN):
        return PATTERN[start:start + size]
    whole = PATTERN[start:] + PATTERN * ((start + size) // len(PATTERN))
    return whole[:size]


def pattern_sha(size):
    digest = hashlib.sha256()
    for at in range(0, size, len(PATTERN)):
        digest.update(PATTERN[:min(len(PATTERN), size - at)])
    return digest.hexdigest()


class Request:
    def __init__(self, head, reader, writer):
        lines = head.decode("latin-1").split("\r\n")
        self.line = lines[0]
        self.method, self.target, self.version = lines[0].split(" ")
        self.path, _, self.query = self.target.partition("?")
        self.fields = [(n, v.strip()) for n, _, v in (f.partition(":") for f in lines[1:])]
        self.reader, self.writer = reader, writer

    def all(self, name):
        return [v for n, v in self.fields if n.lower() == name]

    def get(self, name, default=None):
        return next(iter(self.all(name)), default)

    async def pieces(self):
        if "chunked" in self.all("transfer-encoding"):
            while True:
                size = int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16)
                data = await self.reader.readexactly(size)
                await self.reader.readuntil(b"\r\n")
                if size == 0:
                    return
                yield data
        else:
            left = int(self.get("content-length", 0))
            while left:
                data = await self.reader.read(min(left, 65536))
                if not data:
                    raise asyncio.IncompleteReadError(b"", left)
                left -= len(data)
                yield data

    async def body(self):
        return b"".join([piece async for piece in self.pieces()])

    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()

    async def reply(self, status=200, fields=(), body=b"", length=True):
        lines = ["HTTP/1.1 %d Whatever" % status] + ["%s: %s" % f for f in fields]
        if length:
            lines.append("Content-Length: %d" % len(body))
        await self.send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)
        return True

    async def chunk(self, data):
        await self.send(b"%x\r\n%s\r\n" % (len(data), data) if data else b"0\r\n\r\n")


class Origin:
    def __init__(self, background):
        self.background = background
        self.handlers = dict(ROUTES)
        self.requests = []      # every request head that came
        self.connections = 0    # open ones
        self.accepted = 0
        self.errors = []        # what came that is no request
        self.server = background.run(self.start())
        self.port = self.server.sockets[0].getsockname()[1]
        self.address = ("127.0.0.1", self.port)
        self.local = "127.0.0.1:%d" % self.port  # for --local

    async def start(self):
        return await asyncio.start_server(self.serve, "127.0.0.1", 0)

    def stop(self):
        self.background.loop.call_soon_threadsafe(self.server.close)

    def on(self, path, handler):
        self.handlers[path] = handler

    def seen(self, path):
        return [r for r in self.requests if r.path == path]

    async def serve(self, reader, writer):
        self.connections += 1
        self.accepted += 1
        try:
            while await self.serve_one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self.connections -= 1
            writer.close()

    async def serve_one(self, reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as end:
            if end.partial:
                self.errors.append(end.partial)
            return False
        request = Request(head[:-4], reader, writer)
        self.requests.append(request)
        first = "/" + "".join(request.path.split("/")[1:2])
        handler = self.handlers.get(request.path) or self.handlers.get(first) or not_found
        return await handler(request)


# ---- what every test may ask for ----

async def not_found(r):
    await r.body()
    return await r.reply(404, [("Content-Type", "text/plain")], b"nothing here\n")


async def hello(r):
    return await r.reply(200, [("Content-Type", "text/plain")], b"hello from the local server\n")


async def describe(r):
    """The request as it arrived, and its body's length and SHA-256, as JSON."""
    digest, size = hashlib.sha256(), 0
    async for piece in r.pieces():
        digest.update(piece)
        size += len(piece)
    told = {"line": r.line, "fields": [list(f) for f in r.fields], "length": size,
            "sha": digest.hexdigest()}
    return await r.reply(200, [("Content-Type", "application/json")], json.dumps(told).encode())


async def echo(r):
    body = await r.body()
    return await r.reply(200, [("Content-Type", "application/octet-stream")], body)


async def sized(r):
    """/bytes/N: N bytes of the pattern, by length."""
    size = int(r.path.split("/")[2])
    await r.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
    if r.method != "HEAD":
        for at in range(0, size, 1 << 18):
            await r.send(pattern(min(1 << 18, size - at), at))
    return True


async def chunked(r):
    """/chunked/N[/PIECE]: the same, in chunks of uneven sizes or of PIECE bytes."""
    parts = r.path.split("/")
    size, piece = int(parts[2]), int(parts[3]) if len(parts) > 3 else 0
    await r.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    at, step = 0, 1
    while at < size:
        n = min(piece or step, size - at)
        r.writer.write(b"%x\r\n%s\r\n" % (n, pattern(n, at)))
        at, step = at + n, step % 70001 * 3 + 1
        await r.writer.drain()
    await r.send(b"0\r\n\r\n")
    return True


async def to_close(r):
    """/close/N: the same, ended by the connection's end."""
    size = int(r.path.split("/")[2])
    await r.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    for at in range(0, size, 1 << 18):
        await r.send(pattern(min(1 << 18, size - at), at))
    return False


async def status(r):
    """/status/N: that status, with a short body where it may have one."""
    code = int(r.path.split("/")[2])
    await r.body()
    if code in (204, 304):
        return await r.reply(code, [("ETag", '"x"')], length=False)
    return await r.reply(code, [("X-Code", str(code))], b"" if r.method == "HEAD" else b"status\n")


ROUTES = {"/": hello, "/describe": describe, "/echo": echo, "/bytes": sized, "/chunked": chunked,
          "/close": to_close, "/status": status}
