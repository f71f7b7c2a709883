"""Whoever has gone is noticed, also when what he sent before lies unread."""
import asyncio
import socket
import struct
import time

import pytest

from procs import wait_until
from pyagent import PyAgent
from rawagent import RawAgent

SMALL = 4096          # an agent's credit
WINDOW = 8 << 20      # more than the kernel takes for a visitor who reads nothing
UPLOAD = 100000       # more than that, and than the gateway reads ahead


def reset(visitor):
    """The connection is gone at once, with nothing said."""
    visitor.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    visitor.close()


@pytest.fixture(params=["tls", "clear"])
def slow(request, make_gateway, background, certs):
    """An agent that takes SMALL bytes of a body and then no more; nothing else ends the wait."""
    gateway = make_gateway("--request-timeout", "5m", "--upgrade-timeout", "5m",
                           "--ping-interval", "5m", certs=certs if request.param == "tls" else None)
    agent = PyAgent(background, gateway, gateway.token("one"), window=SMALL)
    yield gateway, agent
    agent.close()


def uploading(gateway, agent, fields=()):
    """A visitor whose body fills the credit, and waits: and the request's id."""
    visitor = gateway.visit("one")
    visitor.begin("POST", "/", [("Content-Length", str(UPLOAD)), *fields])
    visitor.send(b"u" * (UPLOAD // 2))
    request = agent.request()
    taken = len(request.get("body", b""))
    while taken < SMALL:
        taken += len(agent.run(agent.expect("HttpBody")).get("body", b""))
    return visitor, request["id"]


@pytest.mark.parametrize("leave", [lambda v: v.close(), reset], ids=["closed", "reset"])
def test_visitor_gone_with_bytes_unread(slow, leave):
    gateway, agent = slow
    visitor, name = uploading(gateway, agent)
    leave(visitor)
    assert agent.run(agent.expect("Error"))["request_id"] == name
    wait_until(lambda: gateway.counter("connections") == 1, "the visitor's connection to be free")


def test_visitor_gone_with_one_byte_unread(slow):
    """The first of his next request."""
    gateway, agent = slow
    visitor = gateway.visit("one")
    visitor.begin("GET", "/", body=b"G")
    name = agent.request()["id"]
    visitor.close()
    assert agent.run(agent.expect("Error"))["request_id"] == name


def upgraded(agent):
    visitor, name = agent.upgraded()
    visitor.send(b"u" * UPLOAD)
    taken = 0
    while taken < SMALL:
        taken += len(agent.run(agent.expect("HttpBody"))["body"])
    return visitor, name


def test_upgraded_visitor_reset_with_bytes_unread(slow):
    gateway, agent = slow
    visitor, name = upgraded(agent)
    reset(visitor)
    assert agent.run(agent.expect("Error"))["request_id"] == name


def test_half_close_with_bytes_unread(make_gateway, background):
    """Upgraded and in the clear, a visitor may end his direction: all of it arrives, and he hears
    the answer."""
    gateway = make_gateway("--request-timeout", "5m", certs=None)
    agent = PyAgent(background, gateway, gateway.token("one"), window=SMALL)
    visitor, name = upgraded(agent)
    visitor.sock.shutdown(socket.SHUT_WR)
    agent.run(agent.send("Ping", timestamp=1))
    agent.run(agent.expect("Pong"))
    before = gateway.cpu_seconds()
    taken = SMALL
    while True:
        agent.run(agent.send("Window", id=name, credit=SMALL))
        piece = agent.run(agent.expect("HttpBody"))
        taken += len(piece.get("body", b""))
        if not piece.get("more"):
            break
    assert taken == UPLOAD
    assert gateway.cpu_seconds() - before < 1, "it spins"
    agent.run(agent.send("HttpBody", id=name, body=b"all heard"))
    assert visitor.to_end() == b"all heard"
    visitor.close()
    agent.close()


def test_half_close_after_the_tunnel_was_lost(make_gateway, background):
    """What had come is handed over, whatever the visitor says meanwhile."""
    gateway = make_gateway("--request-timeout", "5m", "--stream-window", "%d" % WINDOW, "--hold",
                           "0", certs=None)
    agent = PyAgent(background, gateway, gateway.token("one"))
    visitor, name = agent.upgraded(receive_buffer=65536)
    for _ in range(WINDOW // 16384):
        agent.run(agent.send("HttpBody", id=name, body=b"d" * 16384, more=True))
    agent.run(agent.send("Ping", timestamp=1))
    agent.run(agent.expect("Pong"))
    agent.cut()
    wait_until(lambda: gateway.counter("tunnels") == 0, "the tunnel to be lost")
    visitor.sock.shutdown(socket.SHUT_WR)
    assert visitor.to_end() == b"d" * WINDOW
    visitor.close()
    with gateway.visit("one") as again:
        assert again.request().status == 502


def test_agent_that_takes_nothing(make_gateway):
    """It goes on to say that it lives, which is not enough."""
    gateway = make_gateway("--ping-interval", "300ms", "--ping-timeout", "700ms",
                           "--request-timeout", "5m", certs=None)
    with RawAgent(gateway, gateway.token("one"), window=1 << 40) as agent:
        visitors = [gateway.visit("one") for _ in range(4)]
        for visitor in visitors:
            visitor.begin("POST", "/", [("Content-Length", str(64 << 20))])
            visitor.sock.setblocking(False)
        piece = b"u" * 100000

        def lost():
            time.sleep(0.1)  # a ping now and then
            try:
                agent.say("Ping", timestamp=1)
            except ConnectionError:
                return True
            for visitor in visitors:
                try:
                    while visitor.sock.send(piece):
                        pass
                except BlockingIOError:
                    pass
            return False
        wait_until(lost, "the session to end")
        wait_until(lambda: gateway.counter("tunnels") == 0, "the tunnel to be free")
        for visitor in visitors:
            visitor.close()


def test_tunnels_are_used_again(make_gateway):
    """As many as there are, beside those that have no name yet, come and go."""
    gateway = make_gateway("--max-tunnels", "1", certs=None)
    token = gateway.token("one")
    for _ in range(40):
        with RawAgent(gateway, token):
            pass
        wait_until(lambda: gateway.counter("tunnels") == 0, "the tunnel to be free")


def stalls(gateway):
    before = gateway.counter("body bytes")
    time.sleep(0.2)  # in which bytes would have come
    return gateway.counter("body bytes") == before > 0


def test_agent_reset_with_bytes_unread(make_gateway, background):
    """Plain mode: nothing is read of the agent while a visitor takes nothing."""
    gateway = make_gateway("--stream-window", "4096", "--ping-interval", "5m", "--request-timeout",
                           "5m", certs=None)
    agent = PyAgent(background, gateway, gateway.token("one"), "plain")
    with gateway.visit("one", receive_buffer=4096) as visitor:
        visitor.begin("GET", "/")
        name = agent.request()["id"]
        answer = agent.send("HttpResponse", id=name, status=200, headers=[],
                            body=b"d" * (32 << 20))
        sending = asyncio.run_coroutine_threadsafe(answer, agent.background.loop)
        assert visitor.head().status == 200
        wait_until(lambda: stalls(gateway), "the visitor to be full")
        sock = agent.ws.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        agent.cut()
        gateway.wait_for_log(r"tunnel one from \S+ (?!open)")
        assert len(visitor.to_end()) < 32 << 20
    sending.exception()
