"""Bodies of any size and framing, both ways, byte for byte; and what HTTP says about them."""
import asyncio
import hashlib
import json

import pytest

from conftest import DOMAIN
from origin import describe, pattern, pattern_sha
from procs import run

SIZES = [0, 1, 125, 126, 4095, 4096, 4097, 16383, 16384, 65535, 65536, 65537, 300001, 5000000]


# ---- down ----

@pytest.mark.parametrize("framing", ["bytes", "chunked", "close"])
def test_down(tunnel, framing):
    with tunnel.visit() as visitor:
        for size in SIZES:
            response = visitor.request("GET", "/%s/%d" % (framing, size))
            assert response.status == 200
            assert response.sha == pattern_sha(size), size
            if framing == "bytes":
                assert response.get("content-length") == str(size)
                assert response.get("transfer-encoding") is None


@pytest.mark.parametrize("framing", ["bytes", "chunked", "close"])
def test_down_to_http_1_0(tunnel, framing):
    for size in (0, 1, 70000):
        response = tunnel.request("GET", "/%s/%d" % (framing, size), version="HTTP/1.0")
        assert response.get("transfer-encoding") is None
        assert response.sha == pattern_sha(size)


def test_many_small_chunks(tunnel):
    response = tunnel.request("GET", "/chunked/20000/1")
    assert response.sha == pattern_sha(20000)


def test_trailers_do_no_harm(tunnel, origin):
    async def trailers(r):
        await r.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                     b"5;ext=\"1\"\r\nhello\r\n0\r\nX-Sum: 5\r\nX-Other: y\r\n\r\n")
        return True
    origin.on("/trailers", trailers)
    with tunnel.visit() as visitor:
        for _ in range(2):
            assert visitor.request("GET", "/trailers").body == b"hello"


@pytest.mark.parametrize("status", [200, 201, 206, 304, 400, 404, 500, 503, 599])
def test_status(tunnel, status):
    with tunnel.visit() as visitor:
        for _ in range(2):
            assert visitor.request("GET", "/status/%d" % status).status == status


def test_204_and_304_have_no_body(tunnel, origin):
    with tunnel.visit() as visitor:
        for status in (204, 304):
            response = visitor.request("GET", "/status/%d" % status)
            assert response.status == status
            assert response.get("transfer-encoding") is None
            assert response.get("etag") == '"x"'
            assert visitor.request("GET", "/").status == 200


def test_head(tunnel):
    with tunnel.visit() as visitor:
        response = visitor.request("HEAD", "/bytes/123456")
        assert response.get("content-length") == "123456"
        assert visitor.request("GET", "/").body == b"hello from the local server\n"


def test_content_length_0_is_kept(tunnel):
    response = tunnel.request("GET", "/bytes/0")
    assert response.all("content-length") == ["0"]
    told = json.loads(tunnel.request("POST", "/describe", body=b"").body)
    assert ["content-length", "0"] in [[n.lower(), v] for n, v in told["fields"]]


def test_get_without_a_body_stays_without(tunnel):
    told = json.loads(tunnel.request("GET", "/describe").body)
    names = [n.lower() for n, _ in told["fields"]]
    assert "content-length" not in names and "transfer-encoding" not in names


def test_local_server_that_speaks_http_1_0(tunnel, origin):
    async def old(r):
        await r.send(b"HTTP/1.0 200 Fine\r\nServer: old\r\n\r\n" + pattern(100000))
        return False
    origin.on("/old", old)
    response = tunnel.request("GET", "/old")
    assert response.status == 200 and response.sha == pattern_sha(100000)


def test_response_in_single_bytes(tunnel, origin):
    async def dribble(r):
        for byte in b"HTTP/1.1 200 OK\r\nX-Slow: yes\r\nContent-Length: 9\r\n\r\npiecemeal":
            await r.send(bytes([byte]))
            await asyncio.sleep(0)
        return True
    origin.on("/dribble", dribble)
    response = tunnel.request("GET", "/dribble")
    assert response.body == b"piecemeal" and response.get("x-slow") == "yes"


# ---- up ----

@pytest.mark.parametrize("chunked", [False, True])
def test_up(tunnel, chunked):
    with tunnel.visit() as visitor:
        for size in SIZES:
            data = pattern(size)
            if chunked:
                visitor.begin("POST", "/describe", [("Transfer-Encoding", "chunked")])
                at, step = 0, 1
                while at < size:
                    visitor.chunk(data[at:at + step])
                    at, step = at + step, step * 3 % 100003
                visitor.chunk(b"")
                response = visitor.response()
            else:
                response = visitor.request("POST", "/describe", body=data)
            told = json.loads(response.body)
            assert told["length"] == size
            assert told["sha"] == hashlib.sha256(data).hexdigest()


def test_up_and_down_at_once(streams, origin):
    """The local server answers while it reads."""
    async def both(r):
        await r.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        async for piece in r.pieces():
            await r.chunk(piece)
        await r.chunk(b"")
        return True
    origin.on("/both", both)
    with streams.visit() as visitor:
        visitor.begin("POST", "/both", [("Transfer-Encoding", "chunked")])
        response, came = None, b""
        for n in range(20):
            data = b"%d:" % n + pattern(5000, n)
            visitor.chunk(data)
            if response is None:
                response = visitor.head()
                pieces = visitor.pieces(response)
            came = b""
            while len(came) < len(data):
                came += next(pieces)
            assert came == data
        visitor.chunk(b"")
        assert list(pieces) == []


def test_answer_before_the_body_is_read(tunnel, origin):
    """413 at once, without reading: the visitor still gets to see it."""
    async def early(r):
        await r.reply(413, [("Connection", "close")], b"too big for me\n")
        return False
    origin.on("/early", early)
    with tunnel.visit() as visitor:
        visitor.begin("POST", "/early", [("Content-Length", "3000000")])
        try:
            visitor.send(pattern(3000000))
        except OSError:
            pass
        response = visitor.response()
        assert (response.status, response.body) == (413, b"too big for me\n")


# ---- Expect: 100-continue, RFC 9110 section 10.1.1 ----

def test_100_continue(streams, origin):
    async def asks(r):
        await r.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        return await r.reply(200, body=await r.body())
    origin.on("/asks", asks)
    with streams.visit() as visitor:
        visitor.begin("POST", "/asks", [("Content-Length", "5"), ("Expect", "100-continue")])
        assert visitor.head().status == 100
        visitor.send(b"hello")
        assert visitor.response().body == b"hello"


def test_100_continue_refused(tunnel, origin):
    async def refuses(r):
        await r.reply(417, [("Connection", "close")])
        return False
    origin.on("/refuses", refuses)
    with tunnel.visit() as visitor:
        visitor.begin("POST", "/refuses", [("Content-Length", "5"), ("Expect", "100-continue")])
        if tunnel.mode == "plain":
            visitor.send(b"hello")
        assert visitor.response().status == 417


def test_100_continue_with_curl(tunnel, origin, certs, tmp_path):
    async def asks(r):
        await r.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        return await describe(r)
    origin.on("/asks-curl", asks)
    data = pattern(1500000)
    (tmp_path / "up").write_bytes(data)
    name = "%s.%s:%d" % (tunnel.name, DOMAIN, tunnel.gateway.port)
    status, out, err = run([
        "curl", "-sS", "-v", "--http1.1", "--cacert", certs / "ca.pem", "--resolve",
        name + ":127.0.0.1", "-H", "Expect: 100-continue", "--data-binary",
        "@%s" % (tmp_path / "up"), "https://%s/asks-curl" % name])
    assert status == 0, err
    assert json.loads(out)["sha"] == hashlib.sha256(data).hexdigest()
    # In plain mode curl gets tired of waiting, and the server's 100 comes too late for it.
    assert ("HTTP/1.1 100 Continue" in err) == (tunnel.mode != "plain")


def test_interim_responses(tunnel, origin):
    """103 and the like reach HTTP/1.1 visitors that speak streams, and harm nobody."""
    async def hints(r):
        await r.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
                     b"HTTP/1.1 102 Processing\r\n\r\n")
        return await r.reply(200, body=b"final")
    origin.on("/hints", hints)
    response = tunnel.request("GET", "/hints")
    assert response.body == b"final"
    if tunnel.mode != "plain":
        assert response.interim == [103, 102]
    assert tunnel.request("GET", "/hints", version="HTTP/1.0").interim == []


# ---- fields ----

def test_repeated_fields_keep_their_order(tunnel, origin):
    async def repeats(r):
        return await r.reply(200, [("X-A", "1"), ("Set-Cookie", "a=1, b"), ("X-A", "2"),
                                   ("Set-Cookie", "c=2"), ("X-A", ""), ("X-A", "3")])
    origin.on("/repeats", repeats)
    response = tunnel.request("GET", "/repeats")
    assert response.all("x-a") == ["1", "2", "", "3"]
    assert response.all("set-cookie") == ["a=1, b", "c=2"]


def test_request_fields_arrive(tunnel):
    sent = [("X-B", "1"), ("Cookie", "a=1"), ("X-B", "2"), ("Cookie", "b=2"), ("X-Latin", "é"),
            ("Accept", "*/*"), ("X-Empty", ""), ("X-Quote", '"\\/\t!')]
    told = json.loads(tunnel.request("GET", "/describe", sent).body)
    fields = [(n.lower(), v) for n, v in told["fields"]]
    for name in {n.lower() for n, _ in sent}:
        assert [v for n, v in fields if n == name] == [v for n, v in sent if n.lower() == name]


def test_hop_by_hop_fields_stay_behind(tunnel):
    told = json.loads(tunnel.request("GET", "/describe", [
        ("Connection", "X-Secret, keep-alive"), ("X-Secret", "1"), ("Keep-Alive", "timeout=5"),
        ("TE", "trailers"), ("Proxy-Connection", "keep-alive"), ("Trailer", "X-T"),
        ("X-Kept", "1")]).body)
    names = [n.lower() for n, _ in told["fields"]]
    for name in ("x-secret", "keep-alive", "te", "proxy-connection", "trailer"):
        assert name not in names
    assert "x-kept" in names


def test_hop_by_hop_fields_of_the_response(tunnel, origin):
    async def hops(r):
        return await r.reply(200, [("Connection", "X-Hidden"), ("X-Hidden", "1"),
                                   ("Keep-Alive", "timeout=1"), ("X-Kept", "1")])
    origin.on("/hops", hops)
    response = tunnel.request("GET", "/hops")
    assert response.get("x-hidden") is None and response.get("keep-alive") is None
    assert response.get("x-kept") == "1"


def test_host_header_can_be_rewritten(make_gateway, make_agent, origin):
    gateway = make_gateway()
    make_agent(gateway.url, gateway.token("one"), origin.local,
               "--host-header", "printer.lan", ca=gateway.ca).wait_open()
    with gateway.visit("one") as visitor:
        told = json.loads(visitor.request("GET", "/describe").body)
    assert [v for n, v in told["fields"] if n.lower() == "host"] == ["printer.lan"]


def test_head_too_large(tunnel):
    with tunnel.visit() as visitor:
        visitor.begin("GET", "/", [("X-%d" % i, "y" * 1000) for i in range(100)])
        assert visitor.response().status == 431


def test_long_fields(tunnel):
    told = json.loads(tunnel.request("GET", "/describe?" + "q" * 3000,
                                     [("X-Long", "v" * 3000)]).body)
    assert "q" * 3000 in told["line"]
    assert "v" * 3000 in [v for _, v in told["fields"]]
