"""Visitors who are slow enough to keep what others need, and those who are merely slow."""
import time

import pytest

from pyagent import PyAgent


@pytest.fixture
def make(make_gateway, background):
    """A gateway and an agent of it."""
    agents = []

    def start(*options, **kwargs):
        gateway = make_gateway("--request-timeout", "5m", *options, certs=None)
        agents.append(PyAgent(background, gateway, gateway.token("one"), **kwargs))
        return gateway, agents[-1]
    yield start
    for agent in agents:
        agent.close()


def drip(visitor, piece, pause, until):
    """A piece now and then, until there is an answer or the time is over."""
    end = time.monotonic() + until
    visitor.sock.settimeout(pause)
    while time.monotonic() < end:
        try:
            visitor.send(piece)
            if not visitor.more() or visitor.buffer:
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


@pytest.mark.parametrize("fields, piece", [
    ([("Content-Length", "100000")], b"u"), ([("Transfer-Encoding", "chunked")], b"1\r\nu\r\n")],
    ids=["length", "chunked"])
def test_dripping_body(make, fields, piece):
    gateway, agent = make("--header-timeout", "500ms")
    with gateway.visit("one") as visitor:
        visitor.begin("POST", "/", fields)
        name = agent.request()["id"]
        assert drip(visitor, piece, 0.05, 20), "not cut off"
        assert visitor.response().status == 408
    assert agent.run(agent.expect("Error"))["request_id"] == name


def test_dripping_body_after_continue(make):
    """While the device has not asked for it, nobody waits for the body; then it has to come."""
    gateway, agent = make("--header-timeout", "500ms")
    with gateway.visit("one") as visitor:
        visitor.begin("POST", "/", [("Content-Length", "100000"), ("Expect", "100-continue")])
        name = agent.request()["id"]
        visitor.sock.settimeout(2)  # longer than a slow body may take
        with pytest.raises(TimeoutError):
            visitor.more()
        agent.respond(name, 100)
        assert visitor.head().status == 100
        assert drip(visitor, b"u", 0.05, 20), "not cut off"
        assert visitor.response().status == 408


def test_slow_body_arrives(make):
    """Longer than a head may take, but within the rate."""
    gateway, agent = make("--header-timeout", "2s")
    with gateway.visit("one") as visitor:
        visitor.begin("POST", "/", [("Content-Length", "30000")])
        request = agent.request()
        name, taken = request["id"], 0
        for _ in range(30):
            visitor.send(b"u" * 1000)
            time.sleep(0.1)  # the slowness itself
        while request.get("more"):
            request = agent.run(agent.expect("HttpBody"))
            taken += len(request.get("body", b""))
        assert taken == 30000
        agent.respond(name, body=b"thanks")
        assert visitor.response().body == b"thanks"


def test_device_that_takes_its_time(make):
    """It is not the visitor who is slow when there is no credit."""
    gateway, agent = make("--header-timeout", "300ms", window=1000)
    with gateway.visit("one") as visitor:
        visitor.begin("POST", "/", [("Content-Length", "2000")], body=b"u" * 2000)
        name = agent.request()["id"]
        visitor.sock.settimeout(1.5)
        with pytest.raises(TimeoutError):
            visitor.more()
        agent.run(agent.send("Window", id=name, credit=5000))
        while agent.run(agent.expect("HttpBody")).get("more"):
            pass
        agent.respond(name, body=b"at last")
        assert visitor.response().body == b"at last"


def test_any_rate(make):
    gateway, _ = make("--header-timeout", "300ms", "--least-rate", "0")
    with gateway.visit("one") as visitor:
        visitor.begin("POST", "/", [("Content-Length", "100000")])
        assert not drip(visitor, b"u", 0.05, 2)


def test_silent_upgraded_stream(make):
    gateway, agent = make("--upgrade-timeout", "500ms")
    visitor, name = agent.upgraded()
    assert agent.run(agent.expect("Error"))["request_id"] == name
    assert visitor.closed()
    visitor.close()


def test_upgraded_visitor_who_takes_nothing(make, make_gateway, background):
    """He may be silent for ever, but not leave what is sent to him."""
    gateway = make_gateway("--upgrade-timeout", "0", "--request-timeout", "1s", "--stream-window",
                           "4096", certs=None)
    agent = PyAgent(background, gateway, gateway.token("one"))
    visitor, name = agent.upgraded()
    window = agent.answer[1]["window"]

    async def push():
        credit = window
        while True:
            await agent.send("HttpBody", id=name, more=True, body=b"d" * credit)
            while True:
                kind, fields = await agent.receive()
                if kind == "Window":
                    credit = fields["credit"]
                    break
                if kind == "Error":
                    return fields
    assert agent.run(push(), 60)["request_id"] == name
    visitor.close()
    agent.close()


def test_slow_reader_keeps_his_response(make_gateway, background):
    """The end of a response is taken more slowly than the time without progress, but is taken."""
    gateway = make_gateway("--request-timeout", "2s", "--stream-window", "2M", certs=None)
    agent = PyAgent(background, gateway, gateway.token("one"))
    body = b"d" * (2 << 20)
    with gateway.visit("one", receive_buffer=4096) as visitor:
        visitor.begin("GET", "/")
        name = agent.request()["id"]
        agent.respond(name, body=body[:1 << 20], more=True)
        agent.run(agent.send("HttpBody", id=name, body=body[1 << 20:]))
        response, taken = visitor.head(), 0
        begin = time.monotonic()
        for piece in visitor.pieces(response):
            taken += len(piece)
            if time.monotonic() - begin < 4:
                time.sleep(0.05)  # the slowness itself
    assert taken == len(body)
    agent.close()
