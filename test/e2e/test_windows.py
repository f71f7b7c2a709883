"""The window of a stream follows the path (window.h): what the gateway grants, and keeps."""
import asyncio

import pytest

from procs import wait_until
from pyagent import PyAgent

FIRST = 4096
RTT = 0.2
PIECE = 16384
LENGTH = 1 << 30


class Download:
    """A response that has no end, of an agent a long way off: his Pongs take their time."""

    def __init__(self, gateway, agent, name="one"):
        self.agent, self.credit, self.sent = agent, FIRST, 0
        self.visitor = gateway.visit(name, receive_buffer=65536)
        self.visitor.begin("GET", "/")
        self.id = agent.request()["id"]
        agent.respond(self.id, 200, [(b"content-length", b"%d" % LENGTH)], more=True)
        self.visitor.head()

    def send(self):
        n = min(self.credit, PIECE)
        self.agent.run(self.agent.send("HttpBody", id=self.id, body=b"d" * n, more=True))
        self.credit -= n
        self.sent += n
        return n

    async def hear(self):
        kind, fields = await self.agent.receive()
        if kind == "Ping":
            await asyncio.sleep(RTT)
            await self.agent.send("Pong", timestamp=fields["timestamp"])
        elif kind == "Window" and fields["id"] == self.id:
            self.credit += fields["credit"]
        return kind

    def settle(self):
        """Hears all that the gateway has to say to what it was sent."""
        self.agent.run(self.agent.send("Ping", timestamp=1))
        while self.agent.run(self.hear()) != "Pong":
            pass

    def fill(self):
        """Uses all credit, and nobody takes it."""
        before = self.sent
        while self.credit:
            self.send()
        return self.sent - before

    def window(self):
        """Uses all credit, all of it taken: what is granted then."""
        self.visitor.exactly(self.fill())
        while not self.credit:
            self.settle()
        return self.credit

    def grow(self, most):
        """Until the window is that large, or grows no more."""
        last, same = FIRST, 0
        while last < most and same < 20:
            now = self.window()
            same = same + 1 if now <= last else 0
            last = max(last, now)
        return last


@pytest.fixture
def start(make_gateway, background):
    agents = []

    def make(*options):
        gateway = make_gateway("--stream-window", str(FIRST), "--request-timeout", "5m",
                               *options, certs=None)
        agents.append(PyAgent(background, gateway, gateway.token("one")))
        return gateway, agents[-1]
    yield make
    for agent in agents:
        agent.close()


def test_grows_and_ends(start):
    gateway, agent = start()
    download = Download(gateway, agent)
    assert download.grow(200000) >= 200000
    assert gateway.counter("window bytes") >= 200000 - FIRST
    agent.run(agent.send("Error", request_id=download.id, code=502, error="enough"))
    download.visitor.to_end()
    wait_until(lambda: gateway.counter("window bytes") == 0, "the budget to be whole")
    download.visitor.close()


def test_without_budget(start):
    gateway, agent = start("--buffer-memory", "0")
    download = Download(gateway, agent)
    assert download.grow(2 * FIRST) == FIRST
    download.visitor.close()


def test_held_bytes_count(start):
    """A visitor who stands still keeps what he was sent, and no more than that; it is his until he
    takes it, also when the stream has ended."""
    gateway, agent = start()
    download = Download(gateway, agent)
    download.grow(8 << 20)
    sent = download.fill()
    assert sent > 6 << 20, "more than the kernel takes"
    download.settle()
    before = gateway.counter("window bytes")
    agent.run(agent.send("Error", request_id=download.id, code=502, error="enough"))
    download.settle()
    assert 0 < gateway.counter("window bytes") < before, "what the kernel took is nobody's"
    assert download.visitor.to_end() == b"d" * sent
    wait_until(lambda: gateway.counter("window bytes") == 0, "the budget to be whole")
    download.visitor.close()


def test_many_slow_and_one_fast(start):
    """Those who were fast and stand still leave something to one more."""
    budget = 1 << 20
    gateway, agent = start("--buffer-memory", str(budget))
    slow = [Download(gateway, agent) for _ in range(7)]
    for download in slow:
        download.grow(budget)
        download.fill()
    assert budget * 9 // 10 < gateway.counter("window bytes") <= budget
    fast = Download(gateway, agent)
    assert fast.grow(budget) > FIRST
    assert gateway.counter("window bytes") <= budget
    for download in [*slow, fast]:
        download.visitor.close()
    wait_until(lambda: gateway.counter("window bytes") == 0, "the budget to be whole")
