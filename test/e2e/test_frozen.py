"""Gateways that stop in the worst moment: while refusals are due, with a connection that is full.

The agent must notice within its ping timeout, without burning the processor, and dial again.
"""
import asyncio
import time

import pytest

from pygateway import Aborted
from valve import Valve

# More than any agent's slots.
FLOOD = 200
FAST = ("--ping-interval", "1s", "--ping-timeout", "1s")


async def endless(r):
    await r.send(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        await r.send(bytes(65536))


async def silent(r):
    await r.reader.read()


# ---- how it stops, once it takes nothing any more ----

async def freeze(session, valve):
    pass


async def chatter(session, valve):
    """In one direction only: it goes on giving signs of life."""
    while session.ws.open:
        await session.send("Pong", timestamp=1)
        await asyncio.sleep(0.1)


async def reset(session, valve):
    valve.reset()


@pytest.fixture(params=["tls", "clear"])
def secure(request):
    return request.param == "tls"


@pytest.fixture
def make_valve(background):
    valves = []

    def make(port):
        valves.append(Valve(background, ("127.0.0.1", port)))
        return valves[-1]
    yield make
    for valve in valves:
        valve.stop()


@pytest.mark.parametrize("stop", [freeze, chatter, reset])
def test_it_takes_no_refusals(make_py, make_agent, make_valve, origin, certs, mode, secure, stop):
    origin.on("/endless", endless)
    origin.on("/silent", silent)
    gateway = make_py(mode, certs=certs if secure else None, window=1 << 40)
    valve = make_valve(gateway.port)
    agent = make_agent(gateway.url.replace(str(gateway.port), str(valve.port)), "the-token",
                       origin.local, *FAST, "--log-level", "info",
                       ca=certs / "ca.pem" if secure else None)
    session = gateway.session()

    async def act():
        await session.start(url="/endless", name="download")
        valve.up.clear()
        for i in range(FLOOD):
            await session.send("HttpRequest", id="q%d" % i, method="GET", url="/silent",
                               headers=[])
        await stop(session, valve)
    began, burnt = time.monotonic(), agent.cpu_seconds()
    task = asyncio.run_coroutine_threadsafe(act(), gateway.background.loop)
    agent.wait_for_log("disconnected: ")
    burnt, took = agent.cpu_seconds() - burnt, time.monotonic() - began
    task.cancel()
    assert burnt < 0.5 * took + 0.1, "%.1f s of CPU in %.1f s" % (burnt, took)
    gateway.background.loop.call_soon_threadsafe(valve.open)
    gateway.session(1)


def test_a_response_without_an_end_makes_way(py_session, origin):
    """Plain mode: refusals cannot go out within a message, and no input is taken before."""
    begun = asyncio.Event()

    async def event_stream(r):
        await r.send(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(20000))
        begun.set()
        await r.reader.read()
    origin.on("/endless", event_stream)
    origin.on("/silent", silent)
    session = py_session("plain", *FAST)

    async def act():
        stream = await session.start(url="/endless", name="endless")
        await begun.wait()
        for i in range(30):
            await session.send("HttpRequest", id="q%d" % i, method="GET", url="/silent",
                               headers=[])
        return await session.collect(stream)
    with pytest.raises(Aborted, match="made way for other requests"):
        session.gateway.run(act())
    session.gateway.run(session.expect("Error", match=lambda fields: fields["code"] == 503))
    assert session.agent.sessions() == 1
