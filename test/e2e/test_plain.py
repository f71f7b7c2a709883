"""Plain mode, which knows no credit: what a slow visitor keeps, and whom he keeps waiting."""
import time

import pytest

from origin import pattern_sha
from pyagent import PyAgent
from test_streams import Pour
from visitor import Broken

BIG = 16000001  # more than sockets and the gateway hold


@pytest.fixture
def plain(tunnels, origin, steady):
    return tunnels("plain", origin)


def test_slow_visitor_gets_all_of_it(plain, origin):
    """What he has not taken waits outside of the gateway; nobody else does, so that he has time."""
    pour = Pour(origin)
    with plain.visit(receive_buffer=4096) as slow:
        slow.begin("GET", "/pours")
        pour.wait_until_it_stops()
        assert pour.chunks < 1000
    with plain.visit(receive_buffer=4096) as slow:
        slow.begin("GET", "/bytes/%d" % BIG)
        slow.until(b"\r\n")
        time.sleep(7)  # the time after which others would not have waited for him
        slow.buffer = b"HTTP/1.1 200 OK\r\n" + slow.buffer
        assert slow.response().sha == pattern_sha(BIG)
        assert slow.request("GET", "/").status == 200


@pytest.mark.parametrize("rate", [0, 100])
def test_slow_visitor_does_not_stall_others(make_gateway, make_agent, origin, rate):
    """He is broken off, at a standstill and at some bytes a second."""
    pour = Pour(origin)
    gateway = make_gateway("--request-timeout", "5m", "--queue-timeout", "5m")
    agent = make_agent(gateway.url, gateway.token("one"), origin.local,
                       "--protocol", "plain", ca=gateway.ca)
    agent.wait_open()
    with gateway.visit("one", receive_buffer=4096) as slow, gateway.visit("one") as other:
        slow.begin("GET", "/pours")
        pour.wait_until_it_stops()
        other.begin("GET", "/")
        other.sock.settimeout(0.1)
        end = time.monotonic() + 60
        while b"\r\n\r\n" not in other.buffer:
            assert time.monotonic() < end, "still waiting"
            slow.sock.recv(rate)
            try:
                assert other.more()
            except TimeoutError:
                continue
        assert other.response().body == b"hello from the local server\n"
        with pytest.raises(Broken):
            slow.response()
    assert agent.sessions() == 1 and "disconnected" not in agent.log()


def test_quick_visitor_is_not_broken_off(plain):
    """Others wait, but he takes what comes."""
    with plain.visit() as quick, plain.visit() as other:
        quick.begin("GET", "/bytes/%d" % BIG)
        other.begin("GET", "/")
        assert quick.response().sha == pattern_sha(BIG)
        assert other.response().status == 200


def test_agent_that_ignores_the_end_of_a_response(make_gateway, background):
    """A foreign agent goes on with the message of a visitor who was broken off: it is skipped."""
    gateway = make_gateway("--request-timeout", "5m", "--stream-window", "4096")
    agent = PyAgent(background, gateway, gateway.token("one"), "plain")
    with gateway.visit("one", receive_buffer=4096) as slow, gateway.visit("one") as other:
        slow.begin("GET", "/")
        first = agent.request()["id"]
        other.begin("GET", "/")
        second = agent.request()["id"]
        agent.respond(first, body=b"x" * BIG)
        agent.respond(second, body=b"ok")
        assert other.response().body == b"ok"
        with pytest.raises(Broken):
            slow.response()
    agent.close()
