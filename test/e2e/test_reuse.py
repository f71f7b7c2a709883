"""Connections to the local server that are used again: never for another request's answer."""
import asyncio
import signal

from origin import pattern

# What nobody asked for; whoever gets it has another's answer.
STRAY = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray"


def connections(origin, *paths):
    """The connection of the last request for each path."""
    return [origin.seen(path)[-1].writer for path in paths]


def on_whole(origin, path, answer):
    """What the local server sends there at once, keeping the connection."""
    async def serve(r):
        await r.body()
        await r.send(answer)
        return True
    origin.on(path, serve)


def test_a_connection_is_used_again(py_session, origin):
    session = py_session()

    async def look():
        for path in ("/bytes/1", "/bytes/2"):
            await session.fetch("GET", path)
    session.gateway.run(look())
    first, second = connections(origin, "/bytes/1", "/bytes/2")
    assert first is second


def test_a_post_has_a_connection_of_its_own(py_session, origin):
    """The idle one may be dying, and a POST cannot be sent twice."""
    session = py_session()

    async def look():
        await session.fetch("GET", "/bytes/1")
        return (await session.fetch("POST", "/echo", body=b"once")).body
    assert session.gateway.run(look()) == b"once"
    idle, posted = connections(origin, "/bytes/1", "/echo")
    assert idle is not posted


def test_surplus_behind_a_head(py_session, origin):
    """Bytes read along with the answer, and beyond its end: the connection is over."""
    on_whole(origin, "/surplus", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + STRAY)
    on_whole(origin, "/no-body", b"HTTP/1.1 204 No Content\r\n\r\n" + STRAY)
    session = py_session()

    async def look():
        bodies = []
        for path in ("/surplus", "/no-body", "/bytes/10"):
            bodies.append((await session.fetch("GET", path)).body)
        return bodies
    assert session.gateway.run(look()) == [b"ok", b"", pattern(10)]
    assert len(set(connections(origin, "/surplus", "/no-body", "/bytes/10"))) == 3


def test_surplus_behind_a_body(py_session, origin):
    """The same, read along with the last chunk."""
    begun = asyncio.Event()

    async def surplus(r):
        await r.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
        await begun.wait()
        await r.send(b"2\r\nay\r\n0\r\n\r\n" + STRAY)
        return True
    origin.on("/surplus", surplus)
    session = py_session()

    async def look():
        stream = await session.start("GET", "/surplus")
        await stream.head
        begun.set()
        return [(await session.collect(stream)).body,
                (await session.fetch("GET", "/bytes/10")).body]
    assert session.gateway.run(look()) == [b"okay", pattern(10)]
    assert len(set(connections(origin, "/surplus", "/bytes/10"))) == 2


def test_surplus_in_the_socket(py_session, origin):
    """An answer, a second one that nobody asked for, and the next request, all in one turn of the
    agent: it has no time to see that the idle connection is not quiet."""
    asked, answered = asyncio.Event(), asyncio.Event()
    size = 9000     # more than the agent reads along with a head

    async def serve(r):
        asked.set()
        while not session.frozen:
            await asyncio.sleep(0.005)
        await r.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s%s" %
                     (size, pattern(size), STRAY))
        answered.set()
        return True
    origin.on("/surplus", serve)
    session = py_session()
    session.frozen = False

    async def look():
        first = await session.start("GET", "/surplus")
        await asked.wait()
        session.agent.send(signal.SIGSTOP)
        session.frozen = True
        await answered.wait()
        # Records that the agent takes one by one, putting what it has to say between them.
        for _ in range(4):
            await session.send("HttpBody", id="nobody", body=bytes(16000), more=True)
        second = await session.start("GET", "/bytes/10")
        session.agent.send(signal.SIGCONT)
        return [(await session.collect(s)).body for s in (first, second)]
    assert session.gateway.run(look()) == [pattern(size), pattern(10)]
    assert len(set(connections(origin, "/surplus", "/bytes/10"))) == 2
