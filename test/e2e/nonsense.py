"""Seeded nonsense: what a local server and a gateway can do to the agent, at random.

The gateway's part keeps to the protocol except in its last step, so that the agent has no reason to
end the session, and every request must come to an end.
"""
import asyncio
import time

from hostile import CLOSE, PING, PONG, frame

# ---- a local server: /odd/KIND/SEED ----

HEAD_LIMIT = 8192


def head_of(size):
    start = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: "
    return start + b"y" * (size - len(start) - 4) + b"\r\n\r\n"


async def flush(r, data):
    await r.send(data)
    await asyncio.sleep(0.002)


async def good(r, n):
    await r.body()
    return await r.reply(200, body=b"g" * (n * 37 % 70000))


async def chunks(r, n):
    await r.body()
    await r.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for i in range(n % 40):
        await r.chunk(b"c" * (n * i % 5000 + 1))
    await r.send(b"0\r\nTrailer: %d\r\n\r\n" % n)
    return True


async def reset(r, n):
    if n % 2:
        await flush(r, b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf"[:n % 60])
    r.writer.transport.abort()
    return False


async def half(r, n):
    await r.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"h" * (n % 50000))
    return False


async def early(r, n):
    """Answers before it has read the request."""
    await r.reply(413, body=b"no")
    await asyncio.sleep(n % 5 / 100)
    return n % 2 == 0 and r.get("content-length", "0") == "0" and not r.all("transfer-encoding")


async def interims(r, n):
    for i in range(n % 60):
        await r.send(b"HTTP/1.1 %d Wait\r\nLink: <%d>\r\n\r\n" % (103 if i % 2 else 100, i))
    return await good(r, n)


async def bad_chunks(r, n):
    await r.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    await flush(r, [b"zz\r\n", b"3\r\nabcdef\r\n", b"fffffffffffffffff\r\n", b"3 \n"][n % 4])
    return False


async def long_head(r, n):
    await r.send(head_of(HEAD_LIMIT - 1 + n % 3) + b"ok")
    return False


async def silent(r, n):
    await r.reader.read(n)
    await asyncio.sleep(2)
    return False


async def deaf(r, _):
    await asyncio.sleep(2)
    return False


async def too_much(r, n):
    await r.body()
    await r.reply(200, body=b"much")
    await flush(r, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" * (n % 3) + b"more")
    return True


async def leaves(r, n):
    """Keeps the connection alive by its words only."""
    await r.body()
    await r.reply(200, body=b"bye")
    if n % 2:
        await asyncio.sleep(n % 10 / 1000)
    return False


async def dribble(r, n):
    await r.body()
    for byte in b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"d" * (n % 20):
        await r.send(bytes([byte]))
    return False


async def empty(r, n):
    await r.body()
    return await r.reply([204, 304, 205][n % 3], length=n % 3 == 2)


async def switch(r, n):
    """101, asked for or not; then both ways."""
    head = b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: odd\r\n\r\n"
    await r.send(head + b"s" * n)
    while data := await r.reader.read(4096):
        await r.send(data)
    return False


async def garbage(r, n):
    await flush(r, bytes((n * i * 7 + i) % 256 for i in range(n % 3000 + 1)))
    return False


KINDS = [good, good, good, chunks, reset, half, early, interims, bad_chunks, long_head, silent,
         deaf, too_much, leaves, dribble, empty, switch, garbage]


async def odd(r):
    _, _, kind, seed = r.path.split("/")
    return await KINDS[int(kind)](r, int(seed))


# ---- a gateway ----

class Nonsense:
    """Random steps on one session."""

    def __init__(self, session, random):
        self.session, self.random = session, random
        self.done = []     # ids that are free again

    def cut_up(self, kind, fields):
        """One message in random fragments, control frames between them, in random pieces."""
        s, random = self.session, self.random
        message = s.encoded(kind, **fields)
        out, at, opcode = [], 0, s.opcode
        while at < len(message) or not out:
            n = min(random.choice([0, 1, 2, 5, 100, 4000, 100000]), len(message) - at)
            out.append(frame(opcode, message[at:at + n], at + n == len(message)))
            at, opcode = at + n, 0
            if random.random() < 0.2:
                out.append(frame(random.choice([PING, PONG]), b"between"))
        self.in_pieces(b"".join(out))

    def in_pieces(self, data):
        random = self.random
        for _ in range(random.choice([0, 0, 0, 1, 5, 30])):
            n = random.randint(0, min(len(data), 300))
            self.session.raw(data[:n])
            data = data[n:]
            if random.random() < 0.1:
                time.sleep(0.001)
        self.session.raw(data)

    def send(self, kind, **fields):
        if self.random.random() < 0.3:
            self.cut_up(kind, fields)
        else:
            self.session.send(kind, **fields)

    def open_uploads(self):
        return [n for n, s in self.session.streams.items() if s.sending and s.error is None]

    # ---- steps ----

    def request(self):
        s, random = self.session, self.random
        kind, plain = random.randrange(len(KINDS)), s.mode == "plain"
        fields = {"headers": [(b"host", b"odd.test")]}
        if KINDS[kind] is switch and random.random() < 0.7:
            fields["headers"] += [(b"connection", b"upgrade"), (b"upgrade", b"odd")]
            fields["more"] = True
        elif random.random() < 0.5:
            size = random.choice([0, 1, 100, 4000, 50000 if plain else 4096])
            fields["body"] = b"u" * min(size, s.auth.get("window", size))
            fields["more"] = random.random() < 0.7
            if random.random() < 0.3:
                fields["headers"].append((b"content-length", b"%d" % random.randint(0, 9000)))
        if plain or not fields.get("more"):
            fields.pop("more", None)
        method = random.choice(["GET", "POST", "PUT", "HEAD", "OPTIONS", "PATCH"])
        name = self.done.pop() if self.done and random.random() < 0.3 else None
        s.request("/odd/%d/%d" % (kind, random.randrange(1 << 16)), method, name, **fields)

    def upload(self):
        names = self.open_uploads()
        if not names or self.session.mode == "plain":
            return
        name = self.random.choice(names)
        stream = self.session.streams[name]
        n = min(stream.credit, self.random.choice([0, 1, 1000, 4096, 16000]))
        stream.sending = self.random.random() < 0.7
        stream.credit -= n
        fields = {"more": True} if stream.sending else {}
        self.send("HttpBody", id=name, body=b"b" * n, **fields)

    def credit(self):
        names = [n for n, s in self.session.streams.items() if not s.over]
        if names:
            self.give(self.random.choice(names), self.random.choice([0, 1, 100, 70000, 1 << 40]))

    def give(self, name, n):
        if self.session.mode != "plain":
            self.session.streams[name].given += n
            self.session.send("Window", id=name, credit=n)

    def abort(self):
        names = list(self.session.streams)
        if names:
            self.session.abort(self.random.choice(names))

    def chatter(self):
        kind, fields = self.random.choice([
            ("Ping", {"timestamp": 7}), ("Pong", {"timestamp": 1 << 62}), ("Stats", {}),
            ("Window", {"id": "nobody", "credit": 5}), ("HttpBody", {"id": "nobody", "body": b"x"}),
            ("Error", {"request_id": "nobody", "error": "x"}), ("Error", {"error": "listen"})])
        self.send(kind, **fields)

    def stall(self):
        time.sleep(self.random.choice([0.001, 0.01, 0.05]))

    def read(self):
        for _ in range(self.random.randint(1, 6)):
            self.session.pump(0.002, self.random.choice([1, 100, 5000, 65536]))

    def step(self):
        self.random.choice([self.request, self.request, self.upload, self.upload, self.credit,
                            self.credit, self.abort, self.chatter, self.stall, self.read,
                            self.read, self.read])()
        for name, s in list(self.session.streams.items()):
            if s.ended and not s.sending:
                self.session.streams.pop(name)
                self.done.append(name)

    def settle(self):
        """Every request ends by itself, once its body has."""
        s = self.session
        for name in self.open_uploads():
            s.send("HttpBody", id=name)
            s.streams[name].sending = False
        for name, x in s.streams.items():
            if not x.over:
                self.give(name, 1 << 30)
        s.until(lambda: all(x.over for x in s.streams.values()), "every request's end", 6)
        s.streams.clear()

    def farewell(self):
        """The last step, after which the session is over."""
        s, random = self.session, self.random
        last = random.choice(["close", "cut", "midway", "garbage", "credit", "again", "goaway"])
        if s.mode == "plain" and last in ("credit", "goaway"):
            last = "cut"
        for _ in range(random.randint(0, 12)):
            self.request()
        if last == "close":
            s.raw(frame(CLOSE, b"\x03\xe9"))
        elif last == "midway":
            message = frame(s.opcode, s.encoded("HttpRequest", id="x", method="GET", url="/"))
            s.raw(message[:random.randint(1, len(message) - 1)])
        elif last == "garbage":
            s.raw(random.randbytes(2000))
        elif last == "credit":
            name = s.request("/odd/0/1", "POST", more=True)
            s.raw(frame(s.opcode, s.encoded("HttpBody", id=name, more=True, body=b"z" * 400000)))
        elif last == "again":
            name = s.request("/odd/11/1")
            s.send("HttpRequest", id=name, method="GET", url="/")
        elif last == "goaway":
            s.send("Goaway", delay_ms=random.choice([0, 50]))
        time.sleep(random.choice([0, 0.02]))
        s.close()
