"""Where one visitor's response ends, and where his request goes: whatever an agent sends."""
import pytest

from conftest import DOMAIN, MODES
from pyagent import PyAgent
from visitor import Broken


@pytest.fixture(params=MODES)
def foreign(request, make_gateway, background):
    """An agent in Python, its gateway and a visitor."""
    gateway = make_gateway()
    agent = PyAgent(background, gateway, gateway.token("one"), request.param)
    with gateway.visit("one") as visitor:
        yield agent, visitor
    agent.close()


# ---- a body that is not as long as its head says ----

def test_longer_body_than_announced(foreign):
    """Not a byte beyond it reaches the visitor, who would take it for the next response."""
    agent, visitor = foreign
    visitor.begin("GET", "/")
    agent.respond(agent.request()["id"], headers=[(b"content-length", b"3")], body=b"four")
    assert visitor.head().get("content-length") == "3"
    assert len(visitor.to_end()) <= 3


def test_longer_body_than_announced_in_several_messages(make_gateway, background):
    gateway = make_gateway()
    agent = PyAgent(background, gateway, gateway.token("one"))
    with gateway.visit("one") as visitor:
        visitor.begin("GET", "/")
        name = agent.request()["id"]
        agent.respond(name, headers=[(b"content-length", b"3")], more=True, body=b"thr")
        agent.run(agent.send("HttpBody", id=name, body=b"HTTP/1.1 200 Forged\r\n\r\n"))
        assert visitor.head().status == 200
        assert visitor.to_end() in (b"", b"thr")
    agent.close()


def test_shorter_body_than_announced(foreign):
    """The connection ends: the visitor sees that something is missing."""
    agent, visitor = foreign
    visitor.begin("GET", "/")
    agent.respond(agent.request()["id"], headers=[(b"content-length", b"5")], body=b"four")
    with pytest.raises(Broken):
        visitor.response()


def test_body_where_none_may_be(foreign):
    agent, visitor = foreign
    for method, status in (("HEAD", 200), ("GET", 304), ("GET", 204)):
        visitor.begin(method, "/")
        agent.respond(agent.request()["id"], status, headers=[(b"content-length", b"3")],
                      body=b"four")
        assert visitor.response(method).status == status
    assert visitor.buffer == b""


# ---- where a request goes ----

def test_only_a_label_and_a_dot_make_a_name(foreign):
    agent, visitor = foreign
    host = "one." + DOMAIN
    for wrong in ("onex" + DOMAIN, "one-" + DOMAIN, "one." + DOMAIN[1:], "one.x" + DOMAIN,
                  "one." + DOMAIN + "x"):
        assert visitor.request("GET", "/", [("Host", wrong)]).status == 404, wrong
    visitor.begin("GET", "/", [("Host", host)])
    agent.respond(agent.request()["id"], body=b"ok")
    assert visitor.response().body == b"ok"


# ---- a body that is kept back ----

def test_refused_before_the_body_that_was_to_follow(make_gateway):
    """With Expect nobody knows whether the body still comes (RFC 9110 section 10.1.1): what follows
    could be it, or the next request. Without it, it comes for sure, and the connection lives."""
    gateway = make_gateway()
    with gateway.visit("nobody") as visitor:
        visitor.begin("POST", "/", [("Content-Length", "5")], body=b"12345")
        assert visitor.response().status == 404
        assert visitor.request("GET", "/").status == 404
        visitor.begin("POST", "/", [("Content-Length", "5"), ("Expect", "100-continue")])
        response = visitor.response()
        assert response.status == 404 and response.get("connection") == "close"
        assert visitor.closed()
