"""What one address may have. 127.0.0.1 is exempt, so that everybody else here has another one."""
import socket

import pytest

from pyagent import PyAgent
from rawagent import RawAgent
from visitor import Broken

ATTACKER, OTHER, DEVICE = "127.0.0.2", "127.0.0.3", "127.0.0.4"


def connect(gateway, source):
    return socket.create_connection(gateway.address, 20, (source, 0))


def ends(sock):
    """Waits for the other side to say something or to end."""
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True


def status(gateway, source, name="nobody"):
    with gateway.visit(name, source=source) as visitor:
        return visitor.request("GET", "/").status


def fill(gateway, source, count):
    return [connect(gateway, source) for _ in range(count)]


def close(*socks):
    for sock in socks:
        sock.close()


# ---- connections ----

@pytest.mark.parametrize("tls", [True, False])
def test_connections_of_one_address(make_gateway, certs, tls):
    gateway = make_gateway("--max-per-address", "5", certs=certs if tls else None)
    held = fill(gateway, ATTACKER, 5)
    for _ in range(3):
        assert ends(connect(gateway, ATTACKER))
    gateway.wait_for_log(ATTACKER + r" is turned away: .*--max-per-address")
    assert gateway.counter("turned away") == 3
    assert gateway.log().count("is turned away") == 1, "a line for an address, not for each"
    assert status(gateway, OTHER) == 404
    held.pop().close()
    gateway.wait_counter("connections", 4)
    assert status(gateway, ATTACKER) == 404
    close(*held)


def test_half_of_the_connections_by_default(make_gateway):
    gateway = make_gateway("--max-requests", "7", certs=None)
    held = fill(gateway, ATTACKER, 4)
    assert ends(connect(gateway, ATTACKER))
    assert status(gateway, OTHER) == 404
    close(*held)


def test_new_connections_of_one_address(make_gateway):
    """Handshakes are what they cost: one a second, five at once."""
    gateway = make_gateway("--connect-rate", "1")
    for _ in range(5):
        assert status(gateway, ATTACKER) == 404
    refused = 0
    for _ in range(20):
        try:
            status(gateway, ATTACKER)
        except (OSError, Broken):
            refused += 1
    assert refused > 0
    gateway.wait_for_log(ATTACKER + r" is turned away: .*--connect-rate")
    assert status(gateway, OTHER) == 404


@pytest.mark.parametrize("options, source", [
    ((), "127.0.0.1"), (("--trust-proxy", "127.0.0.2"), ATTACKER)])
def test_exempt_addresses(make_gateway, options, source):
    gateway = make_gateway("--max-per-address", "1", "--connect-rate", "1", "--request-rate", "1",
                           *options, certs=None)
    held = fill(gateway, source, 20)
    with gateway.visit("nobody", source=source) as visitor:
        for _ in range(30):
            assert visitor.request("GET", "/").status == 404
    assert gateway.counter("turned away") == 0
    close(*held)


def test_agents_are_not_counted(make_gateway):
    """A house full of devices is one address."""
    gateway = make_gateway("--max-per-address", "2", certs=None)
    agents = [RawAgent(gateway, gateway.token("n%d" % i), source=DEVICE) for i in range(5)]
    assert gateway.counter("tunnels") == 5
    held = fill(gateway, DEVICE, 2)
    assert ends(connect(gateway, DEVICE))
    close(*agents, *held)


# ---- requests ----

def test_requests_of_one_address(make_gateway):
    gateway = make_gateway("--request-rate", "1", certs=None)
    with gateway.visit("nobody", source=ATTACKER) as visitor:
        answers = [visitor.request("GET", "/").status for _ in range(5)]
        assert answers == [404] * 5
        last = visitor.request("GET", "/")
        while last.status == 404:  # a second has passed
            last = visitor.request("GET", "/")
        assert last.status == 429 and int(last.get("retry-after")) > 0
        assert last.get("connection") == "close" and visitor.closed()
    assert status(gateway, OTHER) == 404
    assert gateway.counter("turned away") == 1


# ---- who makes room ----

PART = b"GET / HTTP/1.1\r\nHost: "


@pytest.mark.parametrize("said", [b"", PART], ids=["nothing", "part of a head"])
@pytest.mark.parametrize("tls", [True, False])
def test_silent_ones_make_room(make_gateway, certs, tls, said):
    """The longest first, whatever they hold back: bytes of a handshake or of a request."""
    gateway = make_gateway("--max-requests", "4", "--max-per-address", "100", "--max-tunnels", "1",
                           "--header-timeout", "5m", certs=certs if tls else None)
    if tls and said:
        silent = [gateway.visit("nobody", source=ATTACKER) for _ in range(4)]
        socks = [visitor.sock for visitor in silent]
    else:
        silent = socks = fill(gateway, ATTACKER, 4)
    for sock in socks:
        sock.sendall(said)
    gateway.wait_counter("connections", 4)
    for _ in range(2):
        assert status(gateway, OTHER) == 404
    assert ends(socks[0])
    socks[3].settimeout(0.2)
    with pytest.raises(TimeoutError):
        socks[3].recv(1)
    close(*silent)


def test_agents_find_a_place(make_gateway, background):
    """Where every visitor's connection has a request that does not end."""
    gateway = make_gateway("--max-requests", "4", "--max-per-address", "100", "--max-tunnels", "2",
                           "--request-timeout", "5m", certs=None)
    token = gateway.token("one")
    RawAgent(gateway, token, source=DEVICE).close()
    slow = PyAgent(background, gateway, gateway.token("two"))
    gateway.wait_counter("tunnels", 1)
    busy = [gateway.visit("two", source=ATTACKER) for _ in range(4)]
    for visitor in busy:
        visitor.begin("GET", "/")
        slow.request()
    assert ends(connect(gateway, OTHER))
    with RawAgent(gateway, token, source=DEVICE) as agent:
        assert gateway.counter("tunnels") == 2
        assert agent.head
    close(*busy)
    slow.close()


# ---- a tunnel's streams ----

def begin(gateway, agent, source, count):
    """Requests that the agent has, and does not answer: the visitors."""
    visitors, names = [gateway.visit("one", source=source) for _ in range(count)], []
    for visitor in visitors:
        visitor.begin("GET", "/")
        names.append(agent.request()["id"])
    return visitors, names


def test_streams_of_one_address(make_gateway, background):
    """Three quarters for one alone, and something is left for those who come later."""
    gateway = make_gateway("--request-timeout", "5m", "--queue-timeout", "5m", certs=None)
    agent = PyAgent(background, gateway, gateway.token("one"), max_streams=8)
    held, names = begin(gateway, agent, ATTACKER, 6)
    waits = gateway.visit("one", source=ATTACKER)
    waits.begin("GET", "/waits")
    gateway.wait_counter("requests", 8)  # with the upgrade
    with gateway.visit("one", source=OTHER) as visitor:
        visitor.begin("GET", "/other")
        request = agent.request()
        assert request["url"] == "/other", "the seventh of one address overtook"
        agent.respond(request["id"], body=b"served")
        assert visitor.response().body == b"served"
    agent.respond(names[0], body=b"late")
    assert held[0].response().body == b"late"
    assert agent.request()["url"] == "/waits", "its turn when one of its own has ended"
    close(waits, *held)
    agent.close()


def test_one_alone_gets_what_there_is(make_gateway, background):
    gateway = make_gateway("--request-timeout", "5m", certs=None)
    agent = PyAgent(background, gateway, gateway.token("one"), max_streams=1)
    with gateway.visit("one", source=ATTACKER) as visitor:
        visitor.begin("GET", "/")
        agent.respond(agent.request()["id"], body=b"one")
        assert visitor.response().body == b"one"
    agent.close()


def test_queue_of_one_address(make_gateway, background):
    gateway = make_gateway("--queue", "4", "--request-timeout", "5m", "--queue-timeout", "5m",
                           certs=None)
    agent = PyAgent(background, gateway, gateway.token("one"), max_streams=1)
    held, names = begin(gateway, agent, OTHER, 1)
    waiting = [gateway.visit("one", source=ATTACKER) for _ in range(3)]
    for i, visitor in enumerate(waiting):
        visitor.begin("GET", "/%d" % i)
        gateway.wait_counter("requests", 3 + i)
    assert status(gateway, ATTACKER, "one") == 503
    with gateway.visit("one", source=DEVICE) as visitor:
        visitor.begin("GET", "/device")
        gateway.wait_counter("requests", 7)
        for i in range(3):
            agent.respond(names[-1], body=b"")
            request = agent.request()
            assert request["url"] == "/%d" % i
            names.append(request["id"])
        agent.respond(names[-1], body=b"")
        agent.respond(agent.request()["id"], body=b"device")
        assert visitor.response().body == b"device"
    close(*held, *waiting)
    agent.close()
