"""One agent through thousands of reconnects and requests, one gateway through thousands of tunnels:
at the end memory and descriptors are what they were soon after the start.

Not part of the suite: `make test-soak`. SOAK_RECONNECTS (10000) and SOAK_REQUESTS (200000) of one
agent process, SOAK_TUNNELS (1000) at once and SOAK_ROUNDS (10) of them for the gateway;
SOAK_SECONDS (600) for all of it, beyond which it has failed.
"""
import contextlib
import hashlib
import os
import resource
import secrets
import select
import signal
import socket
import struct
import time

import pytest

import spaces
from conftest import Gateway
from net_faults import net_certs, path_tool, settled
from net_world import HOST, VISITORS, World
from origin import pattern, pattern_sha
from procs import wait_until
from rawagent import RawAgent, frame
from visitor import Broken, Visitor

__all__ = ["net_certs", "path_tool"]
RECONNECTS = int(os.environ.get("SOAK_RECONNECTS", "10000"))
REQUESTS = int(os.environ.get("SOAK_REQUESTS", "200000"))
TUNNELS = int(os.environ.get("SOAK_TUNNELS", "1000"))
ROUNDS = int(os.environ.get("SOAK_ROUNDS", "10"))
SECONDS = int(os.environ.get("SOAK_SECONDS", "600"))
# The first part, in which what is ever touched is touched.
WARM = 0.1
# A page or two that were needed late: of code and stack; of a thousand connections.
AGENT_KB, GATEWAY_KB = 8, 256
BREAK = 3


class Clock:
    def __init__(self, part):
        self.end = time.monotonic() + SECONDS * part

    def look(self, done, of):
        assert time.monotonic() < self.end, "%d of %d when time was up; take fewer" % (done, of)


def told(program, name):
    """A number that SIGUSR1 logs. So many lines are logged here that this one may be left out."""
    for _ in range(20):
        since = program.mark()
        program.send(signal.SIGUSR1)
        with contextlib.suppress(AssertionError):
            return int(program.wait_for_log(name + r" (\d+)", since, timeout=0.5).group(1))
    raise AssertionError("no counters")


# ---- one agent ----

class Visits:
    """Requests on one connection that is kept, and made again when the gateway ends it."""

    def __init__(self, world):
        self.world, self.connection, self.count = world, None, 0

    def ask(self, method="GET", target="/", body=None):
        """The response, or None when there was none."""
        try:
            if self.connection is None:
                with self.world.cloud.inside():
                    self.connection = Visitor(("127.0.0.1", VISITORS), HOST)
            answer = self.connection.request(method, target, body=body)
        except (Broken, OSError, ValueError):
            answer = None
        if answer is None or answer.get("connection") == "close":
            self.close()
        self.count += answer is not None and answer.status == 200
        return answer

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def until_served(self):
        wait_until(self.served, "a visitor to be served")

    def served(self):
        answer = self.ask()
        return answer is not None and answer.status == 200

    def good(self, **kwargs):
        answer = self.ask(**kwargs)
        assert answer is not None and answer.status == 200, (kwargs, answer, self.world.agent.log()
                                                             [-2000:])
        return answer

    def many(self, count):
        """Small ones, all sent before the first is answered."""
        self.connection.send(b"".join(b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % HOST.encode()
                                      for _ in range(count)))
        for _ in range(count):
            answer = self.connection.response()
            assert answer.status == 200, answer
            self.count += 1


def session_of_requests(visits, count, turn):
    """Small ones, and some of each kind that has a body."""
    size = turn * 37 % 9000
    assert visits.good(target="/bytes/%d" % size).sha == pattern_sha(size)
    assert visits.good(target="/chunked/%d" % size).sha == pattern_sha(size)
    told = visits.good(method="POST", target="/describe", body=pattern(size)).body
    assert hashlib.sha256(pattern(size)).hexdigest().encode() in told
    visits.many(count - 3)


def in_flight(world, turn):
    """A body that the break meets, one way or the other."""
    with world.cloud.inside():
        v = Visitor(("127.0.0.1", VISITORS), HOST)
    if turn % 2:
        v.begin("GET", "/bytes/3000000")
        v.exactly(1000)
    else:
        v.begin("POST", "/echo", [("Content-Length", "3000000")], body=bytes(20000))
    return v


def break_off(world, visits, turn):
    """The connection, in one of several ways, and the wait for the next one."""
    meets = in_flight(world, turn) if turn % 5 == 0 else None
    if turn % 500 == 499:
        world.gateway.kill()
        world.start_gateway()
        visits.close()
    else:
        world.path.set(cut=BREAK, syn=1)
        visits.ask()
    visits.until_served()
    if meets:
        meets.close()


@pytest.mark.skipif(not spaces.may(), reason="no network namespaces here")
def test_agent(tmp_path, net_certs, path_tool):
    world = World(tmp_path, net_certs, path_tool, every=0, agent=[
        "--base-delay", "1ms", "--max-delay", "5ms", "--log-level", "info"])
    try:
        clock, visits, turn, first = Clock(0.75), Visits(world), 0, None
        each = max(3, -(-REQUESTS // RECONNECTS))
        begun = time.monotonic()
        while turn < RECONNECTS or visits.count < REQUESTS:
            clock.look(turn, RECONNECTS)
            session_of_requests(visits, each, turn)
            break_off(world, visits, turn)
            turn += 1
            if turn == int(RECONNECTS * WARM):
                visits.close()
                first = settled(world)["agent"]
        visits.close()
        again = told(world.agent, "reconnects")
        # Idle connections to the local server end by themselves.
        wait_until(lambda: settled(world)["agent"][1] <= first[1], "descriptors to close")
        last = settled(world)["agent"]
        print("\nagent: %d reconnects, %d requests, %d s; VmRSS %d kB > %d kB, descriptors %d > %d"
              % (again, visits.count, time.monotonic() - begun, first[0], last[0], first[1],
                 last[1]))
        assert again >= RECONNECTS and visits.count >= REQUESTS
        assert last[0] <= first[0] + AGENT_KB
    finally:
        world.close()


# ---- one gateway ----

def make_tokens(gateway):
    tokens = [secrets.token_hex(16) for _ in range(TUNNELS)]
    with gateway.tokens_file.open("w") as f:
        for i, token in enumerate(tokens):
            f.write("t%d %s\n" % (i, hashlib.sha256(token.encode()).hexdigest()))
    since = gateway.mark()
    gateway.send(1)
    gateway.wait_for_log("%d names in the tokens file" % TUNNELS, since)
    return tokens


def serve_one(gateway, agent, i, size=10):
    """A visitor of this tunnel, answered by it."""
    with gateway.visit("t%d" % i) as v:
        v.begin("POST", "/", [("Content-Length", str(size))], body=bytes(size))
        kind, fields = agent.message()
        while kind != "HttpRequest":
            kind, fields = agent.message()
        agent.say("HttpResponse", id=fields["id"], status=200, headers=[], body=pattern(size))
        assert v.response().body == pattern(size)


def leave(gateway, agent, tokens, i, ways):
    """By one of the ways in which agents go."""
    way = ways[i % len(ways)]
    if way == "close":
        agent.sock.sendall(frame(8, struct.pack(">H", 1000)))
    elif way == "reset":
        agent.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    elif way == "replaced":
        with RawAgent(gateway, tokens[i]):
            assert agent.close_code() == 4409
    elif way == "busy":
        with gateway.visit("t%d" % i) as v:
            v.begin("POST", "/", [("Content-Length", "100000")], body=bytes(3000))
            assert select.select([agent.sock], [], [], 20)[0]
            agent.close()
            assert v.response().status == 502
    if way != "silent":
        agent.close()


WAYS = ["close", "end", "reset", "replaced", "busy", "silent"]


def round_of_tunnels(gateway, tokens, ways):
    agents = [RawAgent(gateway, token) for token in tokens]
    for i, agent in enumerate(agents):
        serve_one(gateway, agent, i)
    for i, agent in enumerate(agents):
        leave(gateway, agent, tokens, i, ways)
    # The silent ones answer no ping.
    wait_until(lambda: told(gateway, "tunnels") == 0, "the silent ones to be gone", 60)
    for agent in agents:
        agent.close()


def touch_all(gateway, tokens):
    """What the gateway keeps for a connection is touched as far as it was needed, and the one that
    ended last is used next: each becomes a visitor's now, after it was an agent's."""
    agents = [RawAgent(gateway, token) for token in tokens]
    for agent in agents[1:]:
        agent.close()
        time.sleep(0.001)
        serve_one(gateway, agents[0], 0, 12000)
    agents[0].close()


def usage(gateway):
    wait_until(lambda: told(gateway, "connections") == 0, "the visitors to go")
    return gateway.status("VmRSS"), len(os.listdir("/proc/%d/fd" % gateway.pid))


def test_gateway(tmp_path):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # No more than are needed: one that is not given back is missing in the next round.
    gateway = Gateway(tmp_path, "--max-tunnels", str(TUNNELS + 1), "--max-requests", "8",
                      "--max-per-address", "8", "--connect-rate", "0", "--request-rate", "0",
                      "--ping-interval", "30s", "--ping-timeout", "2s")
    try:
        clock, tokens, samples, begun = Clock(0.25), make_tokens(gateway), [], time.monotonic()
        touch_all(gateway, tokens)
        for n in range(ROUNDS):
            clock.look(n, ROUNDS)
            # Silence takes its time to be found.
            round_of_tunnels(gateway, tokens, WAYS if n == 0 else WAYS[:-1])
            samples.append(usage(gateway))
        print("\ngateway: %d tunnels %d times, %d s; VmRSS %d kB > %d kB, descriptors %d > %d" % (
            TUNNELS, ROUNDS, time.monotonic() - begun, samples[0][0], samples[-1][0],
            samples[0][1], samples[-1][1]))
        assert samples[-1][0] <= samples[0][0] + GATEWAY_KB, samples
        assert samples[-1][1] <= samples[0][1], samples
    finally:
        gateway.kill()
