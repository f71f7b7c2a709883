"""No agent and no visitor takes from others what is theirs: turns, slots, streams."""
import os
import socket
import threading
import time

import pytest

import wire
from procs import wait_until
from rawagent import PING, PONG, RawAgent, frame
from tracing import WAITS, X86, Traced

pytestmark = pytest.mark.alone

# A turn's budget of one connection (INPUT_MAX), and the record with which it goes over it.
TURN_BYTES = 65536 + 16384
# What may come before Auth is complete (AUTH_BYTES_MAX), and what is read at once.
AUTH_BYTES = 16384
READ, READV = 0, 19


# ---- turns ----

@X86
@pytest.mark.skipif(os.geteuid() != 0, reason="ptrace of another program")
def test_one_turn_one_budget(make_gateway):
    """Between two looks at the poller no more is read of one connection than its budget, however
    much is there."""
    gateway = make_gateway(certs=None)
    agent = RawAgent(gateway, gateway.token("one"))
    with Traced(gateway.pid) as traced:
        sent = agent.fill(frame(PING, b"a" * 2) * 2048)
        assert sent > 2 * TURN_BYTES, "not enough to see it"
        turns = [0]
        while sum(turns) < sent // 2:
            number, begins, result = traced.next_stop()
            if begins and number in (*WAITS, 232, 281):
                turns.append(0)
            elif not begins and number in (READ, READV) and result > 0:
                turns[-1] += result
    assert max(turns) <= TURN_BYTES, turns
    agent.close()


def median_time(visitor, count):
    times = []
    for _ in range(count):
        begin = time.monotonic()
        assert visitor.request("GET", "/").status == 200
        times.append(time.monotonic() - begin)
    return sorted(times)[count // 2]


@pytest.mark.parametrize("what", [
    frame(PING, b"a"), frame(2, wire.encode_tlv("Ping", {"timestamp": 1}))],
    ids=["frames", "messages"])
def test_visitors_beside_a_flood(make_gateway, make_agent, origin, what):
    """One agent says small things as fast as it can, and listens to nothing."""
    gateway = make_gateway(certs=None)
    make_agent(gateway.url, gateway.token("one"), origin.local).wait_open()
    attacker = RawAgent(gateway, gateway.token("two"))
    over = threading.Event()

    def flood():
        data = what * (1000000 // len(what))
        while not over.is_set():
            try:
                attacker.sock.sendall(data)
            except OSError:
                return
    with gateway.visit("one") as visitor:
        median_time(visitor, 5)
        alone = median_time(visitor, 9)
        thread = threading.Thread(target=flood)
        thread.start()
        try:
            beside = median_time(visitor, 9)
        finally:
            over.set()
            attacker.sock.shutdown(socket.SHUT_RDWR)
            thread.join()
            attacker.close()
    # Turns of a millisecond, a few for a request; all at once they were hundreds of them.
    assert beside < 25 * max(alone, 0.01), (alone, beside)


# ---- before Auth ----

@pytest.mark.parametrize("what", [
    frame(PING) * 100, frame(PONG) * 100, frame(2, b"", False) + frame(0, b"", False) * 100,
], ids=["pings", "pongs", "empty parts"])
def test_flood_before_auth(make_gateway, what):
    gateway = make_gateway(certs=None)
    agent = RawAgent(gateway)
    agent.sock.sendall((what + what[-6:] * 10000)[:4 * AUTH_BYTES])
    assert agent.close_code() == 1008
    gateway.wait_for_log("no Auth")
    agent.close()


def test_auth_after_some_pings(make_gateway):
    gateway = make_gateway(certs=None)
    agent = RawAgent(gateway)
    agent.sock.sendall(frame(PING, b"early") * 100)
    agent.auth(gateway.token("one"))
    agent.close()


def test_unknown_message_before_auth(make_gateway):
    gateway = make_gateway(certs=None)
    agent = RawAgent(gateway)
    agent.sock.sendall(frame(2, b"\xc8later"))
    assert agent.close_code() == 1002
    agent.close()


# ---- slots ----

UNNAMED_MAX = 32  # TUNNELS_UNNAMED_MAX


def test_strangers_take_no_tunnel(make_gateway):
    """More of them than there are tunnels; the oldest makes room, who says a token has his."""
    gateway = make_gateway("--max-tunnels", "2", certs=None)
    tokens = [gateway.token(name) for name in ("one", "two", "three")]
    strangers = [RawAgent(gateway) for _ in range(UNNAMED_MAX + 2)]
    agents = [RawAgent(gateway, token) for token in tokens[:2]]
    assert strangers[0].close_code() is None
    gateway.wait_for_log("makes room for newer ones")
    third = RawAgent(gateway)
    third.say("Auth", token=tokens[2], agent="raw/1", window=65536, max_streams=8)
    kind, fields = third.message()
    assert kind == "AuthError" and "in use" in fields["error"] and fields["retry_after"] > 0
    assert third.close_code() == 4401
    agents[0].close()
    with RawAgent(gateway) as again:
        wait_until(lambda: gateway.counter("tunnels") == 1, "the tunnel of who has gone")
        again.auth(tokens[2])
    for agent in (*strangers, *agents, third):
        agent.close()


def test_take_over_when_all_are_in_use(make_gateway):
    """What holds the only tunnel is the agent's own connection, which died unnoticed."""
    gateway = make_gateway("--max-tunnels", "1", certs=None)
    token = gateway.token("one")
    for _ in range(3):
        dead = RawAgent(gateway, token)
        alive = RawAgent(gateway, token)
        assert dead.close_code() == 4409
        with gateway.visit("one") as visitor:
            visitor.begin("GET", "/")
            assert alive.message()[0] == "HttpRequest"
        dead.close()
        alive.close()


def test_browsers_are_no_agents(make_gateway):
    gateway = make_gateway(certs=None)
    agent = RawAgent(gateway, fields=[b"Origin: https://elsewhere.example"])
    assert agent.head.startswith(b"HTTP/1.1 403 ")
    agent.close()
