"""Ends that fail or leave: nothing that is cut off looks complete, nothing is left behind."""
import asyncio

import pytest

from origin import pattern
from procs import wait_until
from visitor import Broken


# ---- when it breaks ----

@pytest.mark.parametrize("framing", [b"Content-Length: 100000", b"Transfer-Encoding: chunked"])
def test_broken_midway_never_looks_complete(tunnel, origin, framing):
    async def breaks(r):
        await r.send(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n"
                     + (b"c350\r\n" if b"chunked" in framing else b"") + pattern(30000))
        return False
    origin.on("/breaks", breaks)
    with tunnel.visit() as visitor:
        visitor.begin("GET", "/breaks")
        try:
            response = visitor.head()
            if response.status == 502:
                return
            with pytest.raises(Broken):
                for _ in visitor.pieces(response):
                    pass
        except Broken:
            pass


def test_broken_midway_to_http_1_0(tunnel, origin):
    """Without a length the end of the connection is the only sign: the length must be there, or
    the connection must not end cleanly."""
    async def breaks(r):
        await r.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + pattern(30000))
        return False
    origin.on("/breaks10", breaks)
    with tunnel.visit() as visitor:
        visitor.begin("GET", "/breaks10", version="HTTP/1.0")
        with pytest.raises(Broken):
            response = visitor.head()
            assert response.status in (200, 502)
            if response.status == 502:
                raise Broken
            assert response.get("content-length") == "100000"
            for _ in visitor.pieces(response):
                pass


def test_local_server_dies_before_answering(tunnel, origin):
    async def dies(r):
        return False
    origin.on("/dies", dies)
    with tunnel.visit() as visitor:
        assert visitor.request("POST", "/dies", body=b"x").status == 502
        assert visitor.request("GET", "/").status == 200


def test_upload_into_a_dying_server(tunnel, origin):
    async def dies(r):
        await r.reader.read(1000)
        r.writer.transport.abort()
        return False
    origin.on("/dies-reading", dies)
    with tunnel.visit() as visitor:
        visitor.begin("POST", "/dies-reading", [("Content-Length", "2000000")])
        try:
            visitor.send(pattern(2000000))
            status = visitor.response().status
        except (OSError, Broken):
            return
        assert status == 502


def test_idle_connection_that_died(tunnel, origin):
    """A kept connection was closed: the next safe request is repeated on a fresh one."""
    async def once(r):
        await r.reply(200, body=b"once")
        r.writer.close()
        return False
    origin.on("/once", once)
    with tunnel.visit() as visitor:
        for _ in range(10):
            assert visitor.request("GET", "/once").body == b"once"


def test_request_is_never_repeated_when_that_is_not_safe(tunnel, origin):
    posts = []

    async def swallow(r):
        await r.body()
        posts.append(r)
        return False
    origin.on("/swallow", swallow)
    with tunnel.visit() as visitor:
        assert visitor.request("GET", "/").status == 200
        assert visitor.request("POST", "/swallow", body=b"pay once").status == 502
    assert len(posts) == 1


def test_local_connections_are_kept(tunnel, origin):
    with tunnel.visit() as visitor:
        visitor.request("GET", "/")
        before = origin.accepted
        for _ in range(20):
            assert visitor.request("GET", "/").status == 200
        assert origin.accepted <= before + 1


# ---- leaving ----

def test_visitor_leaves_while_waiting(tunnel, origin):
    waiting, gone = [], []

    async def wait(r):
        waiting.append(r)
        gone.append(await r.reader.read() == b"")
        return False
    origin.on("/wait", wait)
    with tunnel.visit() as visitor:
        visitor.begin("GET", "/wait")
        wait_until(lambda: waiting, "the request")
    wait_until(lambda: gone, "the local connection to close")


def test_visitor_leaves_in_a_download(tunnel, origin):
    gone = []

    async def endless(r):
        await r.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while True:
                await r.chunk(b"x" * 10000)
        except ConnectionError:
            gone.append(True)
            raise
    origin.on("/endless", endless)
    with tunnel.visit() as visitor:
        visitor.begin("GET", "/endless")
        visitor.head()
        visitor.exactly(300000)
    wait_until(lambda: gone, "the local connection to close")
    assert tunnel.request("GET", "/").status == 200


def test_visitor_leaves_in_an_upload(tunnel, origin):
    ended = []

    async def reads(r):
        try:
            await r.body()
            ended.append("complete")
        except asyncio.IncompleteReadError:
            ended.append("cut")
        return False
    origin.on("/reads", reads)
    with tunnel.visit() as visitor:
        visitor.begin("POST", "/reads", [("Content-Length", "1000000")])
        visitor.send(b"x" * 300000)
        if tunnel.mode != "plain":
            wait_until(lambda: origin.seen("/reads"), "the request")
    if tunnel.mode != "plain":
        wait_until(lambda: ended, "the local connection to close")
        assert ended == ["cut"]
    assert "complete" not in ended
    assert tunnel.request("GET", "/").status == 200
