"""What the gateway does to heads on their way: fields, cookies, request lines."""
import time
from email.utils import parsedate_to_datetime

import pytest

from conftest import DOMAIN
from pyagent import PyAgent
from pygateway import Aborted
from test_gateway import described, values

FIELDS_MAX = 100  # include/limits.h
HEADERS_MAX = 116


@pytest.fixture
def foreign(make_gateway, background):
    """A visitor of an agent in Python: what reaches it, and what it answers."""
    gateway = make_gateway()
    agent = PyAgent(background, gateway, gateway.token("one"))
    visitor = gateway.visit("one")
    yield agent, visitor
    visitor.close()
    agent.close()


def some_fields(count):
    return [("X-%d" % n, "") for n in range(count)]


# ---- how many ----

def test_number_of_fields_of_a_request(tunnel):
    """Host is one of them."""
    with tunnel.visit() as visitor:
        told = described(visitor.request("GET", "/describe", some_fields(FIELDS_MAX - 1)))
        assert len([n for n, _ in told["fields"] if n.startswith("x-")]) >= FIELDS_MAX - 1
        assert visitor.request("GET", "/", some_fields(FIELDS_MAX)).status == 431
        assert visitor.closed()
    assert tunnel.request("GET", "/").status == 200


def test_number_of_fields_of_a_response(tunnel, origin):
    async def many(request):
        return await request.reply(200, some_fields(int(request.query)))
    origin.on("/many", many)
    with tunnel.visit() as visitor:
        response = visitor.request("GET", "/many?%d" % (FIELDS_MAX - 1))
        assert response.status == 200 and response.get("x-%d" % (FIELDS_MAX - 2)) is not None
        assert visitor.request("GET", "/many?%d" % FIELDS_MAX).status == 502
        assert visitor.request("GET", "/many?1").status == 200


def test_number_of_fields_of_an_agents_message(foreign):
    agent, visitor = foreign
    for count, status in ((FIELDS_MAX, 200), (HEADERS_MAX + 1, 502), (1, 200)):
        visitor.begin("GET", "/")
        agent.respond(agent.request()["id"], headers=[(b"x-%d" % n, b"") for n in range(count)])
        response = visitor.response()
        assert response.status == status, count


def test_number_of_fields_of_a_clouds_message(py_session):
    session = py_session("tlv")
    for count, error in ((HEADERS_MAX - 1, None), (HEADERS_MAX, 431), (1, None)):
        fields = [("host", "one")] + some_fields(count)
        try:
            reply = session.gateway.run(session.fetch("GET", "/", fields))
        except Aborted as aborted:
            assert aborted.code == error
        else:
            assert error is None and reply.status == 200


# ---- what a visitor may not say ----

def test_other_forwarded_fields(tunnel):
    """Only a trusted proxy knows a prefix or a port: frameworks build links of them."""
    told = described(tunnel.request("GET", "/describe", [
        ("X-Forwarded-Prefix", "/forged"), ("X_Forwarded_Port", "1"), ("X-Forwarded", "stays")]))
    assert {n for n, _ in told["fields"] if n.replace("_", "-").startswith("x-forwarded")} == {
        "x-forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"}


def test_other_forwarded_fields_of_a_trusted_proxy(through_proxy):
    told = described(through_proxy("127.0.0.0/8", [("X-Forwarded-Prefix", "/real")]))
    assert values(told, "x-forwarded-prefix") == ["/real"]


# ---- what it adds ----

def test_via(tunnel, origin):
    async def answer(request):
        return await request.reply(200, [("Via", "1.1 inner"), ("X-Got", ", ".join(
            request.all("via")))])
    origin.on("/via", answer)
    with tunnel.visit() as visitor:
        response = visitor.request("GET", "/via", [("Via", "1.0 outer")])
        assert response.get("x-got") == "1.0 outer, 1.1 adit"
        assert response.all("via") == ["1.1 inner", "1.1 adit"]
        response = visitor.request("GET", "/via", version="HTTP/1.0")
        assert response.get("x-got") == "1.0 adit"


def test_date(tunnel, origin):
    """Of the gateway's own pages, and of responses that have none."""
    async def undated(request):
        return await request.reply(200, [])

    async def dated(request):
        return await request.reply(200, [("Date", "Sun, 06 Nov 1994 08:49:37 GMT")])
    origin.on("/undated", undated)
    origin.on("/dated", dated)
    before = int(time.time())
    own = tunnel.request("GET", "/", [("Host", "nobody.%s" % DOMAIN)])
    for response in (own, tunnel.request("GET", "/undated")):
        (date,) = response.all("date")
        assert before <= parsedate_to_datetime(date).timestamp() <= time.time()
    assert tunnel.request("GET", "/dated").all("date") == ["Sun, 06 Nov 1994 08:49:37 GMT"]


def test_cookies_are_the_tunnels_own(tunnel, origin):
    async def cookies(request):
        return await request.reply(200, [
            ("Set-Cookie", "a=1; Domain=%s; Path=/" % DOMAIN),
            ("set-cookie", "b=2; path=/; domain = .TEST ; Secure"),
            ("Set-Cookie", "c=3; Domain=%s" % tunnel.host.split(":")[0]),
            ("Set-Cookie", "d=4; Path=/")])
    origin.on("/cookies", cookies)
    assert tunnel.request("GET", "/cookies").all("set-cookie") == [
        "a=1; Path=/", "b=2; path=/; Secure",
        "c=3; Domain=%s" % tunnel.host.split(":")[0], "d=4; Path=/"]


# ---- request lines ----

def test_targets_beyond_ascii(tunnel, origin):
    """Bytes in TLV; percent-encoded for JSON where they are no UTF-8, which its strings hold."""
    async def target(request):
        return await request.reply(200, [], request.target.encode("latin-1"))
    for path in ("/\xff", "/\xe4/x", "/\xc3\xa4"):
        origin.on(path, target)
        origin.on(path.replace("\xff", "%FF").replace("\xe4", "%E4"), target)
    with tunnel.visit() as visitor:
        for sent, encoded in (("/\xff?\x80=%41", "/%FF?%80=%41"), ("/\xe4/x?\xf6", "/%E4/x?%F6"),
                              ("/\xc3\xa4", "/\xc3\xa4")):
            got = visitor.request("GET", sent).body.decode("latin-1")
            assert got == (sent if tunnel.mode == "tlv" else encoded)


def test_targets_too_long_to_encode(foreign_json):
    agent, visitor = foreign_json
    visitor.begin("GET", "/" + "\xff" * 2000)
    assert agent.request()["url"] == "/" + "%FF" * 2000
    agent.respond(agent.received[-1][1]["id"])
    assert visitor.response().status == 200
    visitor.begin("GET", "/" + "\xff" * 6000)
    assert visitor.response().status == 431


@pytest.fixture
def foreign_json(make_gateway, background):
    gateway = make_gateway()
    agent = PyAgent(background, gateway, gateway.token("one"), "json")
    with gateway.visit("one") as visitor:
        yield agent, visitor
    agent.close()


def test_options_of_the_whole_server(tunnel, origin):
    """Also in absolute form without a path: RFC 9112 section 3.2.4."""
    async def target(request):
        return await request.reply(200, [("Allow", "GET")], request.target.encode())
    origin.on("*", target)
    for form in ("*", "http://" + tunnel.host):
        response = tunnel.request("OPTIONS", form)
        assert (response.status, response.get("allow"), response.body) == (200, "GET", b"*")


@pytest.mark.parametrize("version", ["HTTP/1.2", "HTTP/1.9"])
def test_later_versions_are_answered_as_1_1(tunnel, version):
    with tunnel.visit() as visitor:
        for _ in range(2):
            response = visitor.request("GET", "/", version=version)
            assert (response.version, response.status) == ("HTTP/1.1", 200)
        assert visitor.request("GET", "/", version="HTTP/2.0").status == 505


@pytest.mark.parametrize("status", [0, 1, 99, 600, 999, 2 ** 40])
def test_status_that_is_none(foreign, status):
    agent, visitor = foreign
    visitor.begin("GET", "/")
    agent.respond(agent.request()["id"], status)
    assert visitor.response().status == 502
    visitor.begin("GET", "/")
    agent.respond(agent.request()["id"], 204)
    assert visitor.response().status == 204
