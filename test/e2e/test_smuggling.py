"""What two readers could read two ways is refused: by the gateway from visitors, by the agent from
the local server. The tables are test/vectors/http_bad_*.txt; see there for each case."""
import socket

import pytest

import vectors
from conftest import DOMAIN, MODES
from origin import Origin, describe
from procs import wait_until
from visitor import Broken, Visitor

REQUESTS = {name: (stage, error, data)
            for name, stage, error, data in vectors.rows("http_bad_requests.txt", 3)}
RESPONSES = {name: (stage, error, data)
             for name, stage, error, data in vectors.rows("http_bad_responses.txt", 3)}
ANSWERS = {"ERR_HTTP": 400, "ERR_HTTP_SMUGGLE": 400, "ERR_HTTP_SIZE": 431, "ERR_HTTP_VERSION": 505}

pytestmark = pytest.mark.usefixtures("steady")


def test_tables_are_long_enough():
    assert len(REQUESTS) >= 60 and len(RESPONSES) >= 40


@pytest.fixture(scope="module")
def victim(background):
    """A local server of this module's own, so that whatever arrives is known to be unexpected."""
    it = Origin(background)
    it.on("/", describe)
    yield it
    it.stop()


def attack(tunnel, data):
    """Sends the bytes; the answer, and that the connection is over after it."""
    with tunnel.visit() as visitor:
        visitor.send(data.replace(b"Host: a\r\n", b"Host: %s\r\n" % tunnel.host.encode()))
        response = visitor.response()
        assert visitor.closed(), "the connection goes on after a request that was refused"
    return response


@pytest.mark.parametrize("name", REQUESTS)
def test_bad_request(tunnels, victim, name):
    stage, error, data = REQUESTS[name]
    tunnel = tunnels("tlv", victim)
    before, accepted = len(victim.requests), victim.errors[:]
    response = attack(tunnel, data)
    assert response.status == ANSWERS[error]
    arrived = victim.requests[before:]
    if stage == "chunk":
        # The head was good: it may have gone ahead, but nothing that follows is a request.
        assert len(arrived) <= 1 and all(r.line == "POST / HTTP/1.1" for r in arrived)
    else:
        assert arrived == []
    assert victim.errors == accepted


def test_nothing_is_left_over(tunnels, victim):
    """After all of these the tunnel is as good as new."""
    tunnel = tunnels("tlv", victim)
    before = len(victim.requests)
    assert tunnel.request("POST", "/", body=b"fine").status == 200
    assert [r.line for r in victim.requests[before:]] == ["POST / HTTP/1.1"]
    wait_until(lambda: victim.connections <= 16, "connections to be closed")


# A head is judged before the encoding matters.
MODES_OF = {name: ["tlv"] if RESPONSES[name][0] == "head" else MODES for name in RESPONSES}


@pytest.mark.parametrize("name, mode", [(n, m) for n in RESPONSES for m in MODES_OF[n]])
def test_bad_response(tunnels, victim, mode, name):
    stage, _, data = RESPONSES[name]

    async def misbehave(request):
        await request.send(data)
        return False
    victim.on("/bad", misbehave)
    tunnel = tunnels(mode, victim)
    with tunnel.visit() as visitor:
        visitor.begin("GET", "/bad")
        try:
            response = visitor.response()
        except Broken:
            assert stage == "chunk", "the head alone shows what is wrong"
        else:
            assert response.status == 502
            assert visitor.request("GET", "/").status == 200


def test_pipelined_behind_a_refused_request(tunnels, victim):
    """What follows a request that was refused is never read as a request."""
    tunnel = tunnels("tlv", victim)
    before = len(victim.requests)
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    response = attack(tunnel, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
                              b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled)
    assert response.status == 400
    assert victim.requests[before:] == []


def test_body_is_not_a_request(tunnels, victim):
    tunnel = tunnels("tlv", victim)
    before = len(victim.requests)
    inner = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    assert tunnel.request("POST", "/", body=inner).status == 200
    assert tunnel.request("GET", "/", body=inner).status == 200
    assert [r.path for r in victim.requests[before:]] == ["/", "/"]


def test_response_splitting_by_a_pipelining_server(tunnels, victim):
    """Bytes behind a response are no answer to the next request."""
    async def two_at_once(request):
        await request.send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none"
                           b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")
        return True
    victim.on("/two", two_at_once)
    tunnel = tunnels("tlv", victim)
    with tunnel.visit() as visitor:
        assert visitor.request("GET", "/two").body == b"one"
        assert b"forged" not in visitor.request("GET", "/").body


# ---- slow heads ----

def test_slow_head_is_cut_off(make_gateway):
    """A field now and then is no progress: the head as a whole has its time."""
    gateway = make_gateway("--header-timeout", "500ms")
    with gateway.visit("x") as visitor:
        visitor.send(b"GET / HTTP/1.1\r\nHost: x.%s\r\n" % DOMAIN.encode())
        visitor.sock.settimeout(0.05)
        for _ in range(100):
            try:
                visitor.send(b"X: y\r\n")
                if not visitor.more() or visitor.buffer:
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        else:
            raise AssertionError("not cut off")
        assert not visitor.buffer or visitor.buffer.startswith(b"HTTP/1.1 408 ")


def test_silent_visitor_is_cut_off(make_gateway):
    gateway = make_gateway("--header-timeout", "300ms", "--idle-timeout", "300ms")
    with gateway.visit("x") as visitor:
        visitor.to_end()
    with Visitor(gateway.address, "x." + DOMAIN, ca=gateway.ca) as visitor:
        assert visitor.request("GET", "/").status == 404
        visitor.to_end()


def test_many_slow_heads_do_not_starve_others(make_gateway, make_agent, origin):
    """All but a few of the slots are taken by silence; they come free again in time."""
    gateway = make_gateway("--header-timeout", "500ms", "--max-requests", "8")
    make_agent(gateway.url, gateway.token("one"), origin.local,
               ca=gateway.ca).wait_open()
    slow = [socket.create_connection(gateway.address) for _ in range(8)]

    def served():
        try:
            with gateway.visit("one") as visitor:
                return visitor.request("GET", "/").status == 200
        except (OSError, Broken):
            return False
    wait_until(served, "a free slot")
    for s in slow:
        s.close()
