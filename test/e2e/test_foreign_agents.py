"""The gateway against agents that are not ours, well-behaved and not."""
import time

import pytest

from conftest import DOMAIN, MODES
from pyagent import PyAgent
from visitor import Broken


@pytest.mark.parametrize("mode", MODES)
def test_python_agent(make_gateway, background, mode):
    gateway = make_gateway()
    agent = PyAgent(background, gateway, gateway.token("one"), mode)
    kind, fields = agent.answer
    assert kind == "AuthSuccess"
    assert fields["url"] == "https://one.%s:%d/" % (DOMAIN, gateway.port)
    assert fields["session_id"]
    assert abs(fields["server_time"] - time.time()) < 5
    if mode != "plain":
        assert fields["window"] >= 4096
    with gateway.visit("one") as visitor:
        visitor.begin("POST", "/a?b", [("Content-Length", "5"), ("X-A", "1"), ("X-A", "2")])
        visitor.send(b"hello")
        request = agent.request()
        assert (request["method"], request["url"]) == ("POST", "/a?b")
        assert [v for n, v in request["headers"] if n == b"x-a"] == [b"1", b"2"]
        body = request.get("body", b"")
        while request.get("more"):
            request = agent.run(agent.expect("HttpBody"))
            body += request.get("body", b"")
        assert body == b"hello"
        agent.respond(request["id"], 201, [(b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=2")],
                      body=b"made")
        response = visitor.response()
    assert (response.status, response.body) == (201, b"made")
    assert response.all("set-cookie") == ["a=1", "b=2"]
    agent.close()


def test_responses_out_of_order(make_gateway, background):
    gateway = make_gateway()
    agent = PyAgent(background, gateway, gateway.token("one"))
    visitors = [gateway.visit("one") for _ in range(5)]
    requests = []
    for i, visitor in enumerate(visitors):
        visitor.begin("GET", "/%d" % i)
        requests.append(agent.request())
    assert len({r["id"] for r in requests}) == 5
    for request in reversed(requests):
        agent.respond(request["id"], body=request["url"].encode())
    for i, visitor in enumerate(visitors):
        assert visitor.response().body == b"/%d" % i
        visitor.close()
    agent.close()


def test_agent_dies_while_answering(make_gateway, background):
    gateway = make_gateway()
    agent = PyAgent(background, gateway, gateway.token("one"))
    with gateway.visit("one") as early, gateway.visit("one") as late:
        early.begin("GET", "/early")
        begun = agent.request()
        agent.respond(begun["id"], body=b"half", more=True)
        response = early.head()
        late.begin("GET", "/late")
        agent.request()
        agent.cut()
        assert late.response().status == 502
        with pytest.raises(Broken):
            for _ in early.pieces(response):
                pass


@pytest.mark.parametrize("first", ["Ping", "HttpResponse"])
def test_auth_must_come_first(make_gateway, background, first):
    gateway = make_gateway()
    agent = PyAgent(background, gateway, "", auth=False)
    agent.run(agent.send("Ping", timestamp=1) if first == "Ping" else
              agent.send("HttpResponse", id="1", status=200, headers=[]))
    assert agent.close_code() == 1002


def test_wrong_token_of_a_python_agent(make_gateway, background):
    gateway = make_gateway()
    agent = PyAgent(background, gateway, "wrong")
    assert agent.answer[0] == "AuthError"
    assert agent.answer[1]["error"]
    assert agent.close_code() == 4401


def test_agents_errors(make_gateway, background):
    """What an agent must not do costs it its session, and its visitors a 502."""
    gateway = make_gateway("--stream-window", "4096")
    token = gateway.token("one")
    crimes = {
        "a second response": lambda a, r: [a.respond(r["id"], more=True), a.respond(r["id"])],
        "beyond the credit": lambda a, r: [a.respond(r["id"], body=b"x" * 70000, more=True)],
        "a malformed message": lambda a, r: [a.run(a.ws.send(b"\x05\x01"))],
        "text": lambda a, r: [a.run(a.ws.send("{}"))],
    }
    for name, commit in crimes.items():
        agent = PyAgent(background, gateway, token)
        with gateway.visit("one") as visitor:
            visitor.begin("GET", "/")
            commit(agent, agent.request())
            assert agent.close_code() in (1002, 1003, 1007), name
            with pytest.raises(Broken):
                if visitor.response().status == 502:
                    raise Broken
    assert gateway.running()


@pytest.mark.parametrize("name, value", [
    (b"x-a", b"1\r\nX-B: 2"), (b"x-a\r\nx-b", b"1"), (b"x a", b"1"), (b"", b"1"), (b"x-a", b"1\0")])
def test_fields_that_break_out_of_their_line(make_gateway, background, name, value):
    gateway = make_gateway()
    agent = PyAgent(background, gateway, gateway.token("one"))
    with gateway.visit("one") as visitor:
        visitor.begin("GET", "/")
        agent.respond(agent.request()["id"], headers=[(name, value)], body=b"x")
        assert visitor.response().status == 502
    agent.close()


def test_visitor_may_not_upgrade_on_the_agents_path(gateway):
    with gateway.visit("x") as visitor:
        response = visitor.request("GET", "/_adit")
        assert response.status in (400, 404, 426)
