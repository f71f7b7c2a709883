"""Requests put to a file server directly and through the tunnel: the answers must be the same."""
import re

import pytest

from conftest import MODES
from visitor import Visitor

# Fields that may differ, and why.
FREE = {
    "via",                # RFC 9110 section 7.6.3: the gateway adds itself
    "date",               # the clock ran on between the two
    "connection",         # RFC 9110 section 7.6.1: each connection has its own
    "keep-alive",
    "transfer-encoding",  # framing is each connection's own; the decoded bodies are compared
}

pytestmark = pytest.mark.usefixtures("steady")

# name: (method, target, fields, body)
TABLE = {
    "page": ("GET", "/", [], None),
    "page by name": ("GET", "/index.html", [], None),
    "image": ("GET", "/image.png", [], None),
    "empty page": ("GET", "/nothing.html", [], None),
    "1 KiB": ("GET", "/1k.bin", [], None),
    "3 MB": ("GET", "/big.bin", [], None),
    "folder": ("GET", "/sub/", [], None),
    "folder without slash": ("GET", "/sub", [], None),
    "missing": ("GET", "/none.html", [], None),
    "missing, head": ("HEAD", "/none.html", [], None),
    "head": ("HEAD", "/", [], None),
    "head of 3 MB": ("HEAD", "/big.bin", [], None),
    "escaped name": ("GET", "/with%20space.html", [], None),
    "dot segments": ("GET", "/sub/../index.html", [], None),
    "above the root": ("GET", "/../../etc/passwd", [], None),
    "double slash": ("GET", "//index.html", [], None),
    "query": ("GET", "/index.html?a=1&b=%20&c", [], None),
    "long url": ("GET", "/index.html?" + "q" * 6000, [], None),
    "range": ("GET", "/big.bin", [("Range", "bytes=1000-1999")], None),
    "range to the end": ("GET", "/1k.bin", [("Range", "bytes=-24")], None),
    "range beyond": ("GET", "/1k.bin", [("Range", "bytes=5000-")], None),
    "not modified": ("GET", "/index.html",
                     [("If-Modified-Since", "Tue, 14 Nov 2023 22:13:20 GMT")], None),
    "modified": ("GET", "/index.html",
                 [("If-Modified-Since", "Mon, 13 Nov 2023 22:13:20 GMT")], None),
    "many fields": ("GET", "/index.html", [("X-%d" % i, "v" * 40) for i in range(80)], None),
    "empty field": ("GET", "/index.html", [("X-Empty", "")], None),
    "unusual method": ("PROPFIND", "/index.html", [], None),
    "post to a page": ("POST", "/index.html", [], b"a=b"),
}
NGINX = {
    "several ranges": ("GET", "/1k.bin", [("Range", "bytes=0-9,20-29")], None),
    "no content": ("GET", "/204", [], None),
    "no content, head": ("HEAD", "/204", [], None),
    "moved": ("GET", "/moved", [], None),
    "moved away": ("GET", "/away", [], None),
    "teapot": ("GET", "/teapot", [], None),
    "empty answer": ("GET", "/empty", [], None),
    "unauthorized": ("GET", "/private/x", [], None),
    "cookies": ("GET", "/cookies", [], None),
    "arguments": ("GET", "/args?x=%41&y=ä", [("Cookie", "a=1; b=2")], None),
    "several cookie fields": ("GET", "/args", [("Cookie", "a=1"), ("Cookie", "b=2")], None),
    "own fields": ("GET", "/agent", [("User-Agent", "test/1"), ("Accept", "a/b, */*;q=0.1"),
                                     ("X-Test", "one"), ("Content-Type", "x/y")], None),
    "obs-text": ("GET", "/agent", [("X-Test", "caf\xe9 \xff")], None),
    "quotes and backslashes": ("GET", "/agent", [("X-Test", 'a "b\\" \\x, c\t;d')], None),
    "etag matches": ("GET", "/etag", [("If-None-Match", "*")], None),
    "gzip as it goes": ("GET", "/gzip.css", [("Accept-Encoding", "gzip")], None),
    "gzip ready made": ("GET", "/ready.gz", [("Accept-Encoding", "gzip")], None),
    "options": ("OPTIONS", "/", [], None),
    "options asterisk": ("OPTIONS", "*", [], None),
    "delete of nothing": ("DELETE", "/put/none", [], None),
    "closing": ("GET", "/close", [], None),
    "expectation": ("POST", "/args", [("Expect", "100-continue")], b"x" * 100),
}


def ask(address, host, case, ca=None, version="HTTP/1.1"):
    method, target, fields, body = case
    target = target.encode().decode("latin-1")
    with Visitor(address, host, ca=ca) as visitor:
        return visitor.request(method, target, fields, body, version)


def without_boundary(body):
    """nginx counts the boundaries of multipart bodies, in 20 digits."""
    return re.sub(rb"\d{20}", b"0" * 20, body)


def same(direct, tunnelled):
    assert tunnelled.status == direct.status
    assert tunnelled.all("via") == ["1.1 adit"]
    assert without_boundary(tunnelled.body) == without_boundary(direct.body)
    kept, came = ([(n, re.sub(r"\d{20}", "0" * 20, v)) for n, v in r.fields if n not in FREE]
                  for r in (direct, tunnelled))
    # Names come in lower case and repeated ones stand together in JSON form.
    assert sorted(came, key=lambda f: f[0]) == sorted(kept, key=lambda f: f[0])


def compare(tunnel, server, case, version="HTTP/1.1"):
    direct = ask(server.address, tunnel.host, case, version=version)
    tunnelled = ask(tunnel.gateway.address, tunnel.host, case, tunnel.gateway.ca, version)
    same(direct, tunnelled)
    return tunnelled


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", [*TABLE, *NGINX])
def test_nginx(tunnels, nginx, mode, name):
    compare(tunnels(mode, nginx), nginx, {**TABLE, **NGINX}[name])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", TABLE)
def test_busybox(tunnels, busybox, mode, name):
    compare(tunnels(mode, busybox), busybox, TABLE[name])


@pytest.mark.parametrize("name", ["page", "3 MB", "head", "missing", "post to a page", "range"])
def test_http_1_0(tunnels, nginx, name):
    response = compare(tunnels("tlv", nginx), nginx, TABLE[name], "HTTP/1.0")
    assert "transfer-encoding" not in dict(response.fields)


@pytest.mark.parametrize("mode", MODES)
def test_upload_to_nginx(tunnels, nginx, mode):
    tunnel, data = tunnels(mode, nginx), bytes(range(256)) * 3000
    target = "/put/%s.bin" % mode
    assert tunnel.request("PUT", target, body=data).status == 201
    assert (nginx.folder / "put" / (mode + ".bin")).read_bytes() == data
    assert tunnel.request("PUT", target, body=data[:5]).status == 204
    assert tunnel.request("DELETE", target).status == 204
    assert tunnel.request("DELETE", target).status == 404


def test_absolute_form(tunnels, nginx):
    """RFC 9112 section 3.2.2: the target's authority goes before Host."""
    tunnel = tunnels("tlv", nginx)
    with tunnel.visit() as visitor:
        response = visitor.request("GET", "https://%s/args?x" % tunnel.host,
                                   [("Host", "elsewhere.example")])
    assert response.body == b"GET /args?x %s \n" % tunnel.host.split(":")[0].encode()


def test_connect_is_refused(tunnels, nginx):
    tunnel = tunnels("tlv", nginx)
    with tunnel.visit() as visitor:
        assert visitor.request("CONNECT", tunnel.host).status in (400, 405, 501)


def test_connections_are_kept(tunnels, nginx):
    """Many requests on one visitor's connection, of all sorts."""
    tunnel = tunnels("tlv", nginx)
    cases = [c for n, c in {**TABLE, **NGINX}.items() if n not in ("closing", "above the root")]
    with tunnel.visit() as visitor:
        for method, target, fields, body in cases:
            direct = ask(nginx.address, tunnel.host, (method, target, fields, body))
            target = target.encode().decode("latin-1")
            same(direct, visitor.request(method, target, fields, body))


def test_connection_close_is_obeyed(tunnels, nginx):
    with tunnels("tlv", nginx).visit() as visitor:
        assert visitor.request("GET", "/", [("Connection", "close")]).status == 200
        assert visitor.closed()


def test_http_1_0_connection_ends(tunnels, nginx):
    with tunnels("tlv", nginx).visit() as visitor:
        assert visitor.request("GET", "/", version="HTTP/1.0").status == 200
        assert visitor.closed()


def test_pipelining(tunnels, nginx):
    with tunnels("tlv", nginx).visit() as visitor:
        for i in range(20):
            visitor.begin("GET", "/args?%d" % i)
        for i in range(20):
            assert visitor.response().body.startswith(b"GET /args?%d " % i)


def test_pipelining_behind_a_body(tunnels, nginx):
    with tunnels("tlv", nginx).visit() as visitor:
        for i in range(5):
            visitor.begin("PUT", "/put/pipelined", [("Content-Length", "50000")])
            visitor.send(b"x" * 50000)
        assert [visitor.response().status for _ in range(5)] == [201, 204, 204, 204, 204]
