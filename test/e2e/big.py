"""1 GiB down and 1 GiB up through TLS, while the agent's memory is watched. Not part of the suite:
run with `make test-big`. BIG_MIB takes another size, BIG_MODES other modes."""
import asyncio
import hashlib
import json
import os
import threading

import pytest

from origin import PATTERN, pattern
from procs import wait_until

SIZE = int(os.environ.get("BIG_MIB", "1024")) << 20
MODES = os.environ.get("BIG_MODES", "tlv json plain").split()
WARM = 10 << 20


@pytest.fixture(params=MODES)
def tunnel(request, tunnels, origin, steady):
    tunnel = tunnels(request.param, origin)
    if not hasattr(tunnel, "filled"):
        fill(tunnel, origin)
        tunnel.filled = True
    return tunnel


def fill(tunnel, origin):
    """Uploads that the local server does not read fill the agent's buffers to the last. They are
    static: what a page of them costs is seen when it is first used, at whatever moment."""
    gate = asyncio.Event()

    async def reluctant(r):
        await gate.wait()
        return await r.reply(200, body=b"%d" % len(await r.body()))
    origin.on("/reluctant", reluctant)
    size, done = 12 << 20, []

    def upload():
        with tunnel.visit(timeout=60) as visitor:
            done.append(visitor.request("POST", "/reluctant", body=pattern(size)).body)
    threads = [threading.Thread(target=upload) for _ in range(16)]
    for thread in threads:
        thread.start()
    samples = []

    def settled():
        samples.append(tunnel.agent.status("VmRSS"))
        return len(samples) > 100 and len(set(samples[-100:])) == 1
    wait_until(settled, "the buffers to fill")
    origin.background.loop.call_soon_threadsafe(gate.set)
    for thread in threads:
        thread.join(60)
    assert done == [b"%d" % size] * 16


class Memory:
    """The agent's resident memory, the first sample after the first 10 MiB."""

    def __init__(self, agent):
        self.agent, self.samples = agent, []

    def sample(self, at):
        if at >= WARM:
            self.samples.append((self.agent.status("VmRSS"), self.agent.status("VmHWM")))

    def check(self, what):
        self.sample(WARM)
        first, last = self.samples[0], self.samples[-1]
        print("%s: VmRSS %d kB, VmHWM %d kB, %d samples" % (what, *last, len(self.samples)))
        assert len(self.samples) > 3
        assert {s[0] for s in self.samples} == {first[0]} and first[1] == last[1], self.samples


def expected():
    digest, at = hashlib.sha256(), 0
    while at < SIZE:
        n = min(len(PATTERN), SIZE - at)
        digest.update(PATTERN[:n])
        at += n
    return digest.hexdigest()


def pieces():
    for at in range(0, SIZE, 1 << 20):
        yield at, pattern(min(1 << 20, SIZE - at), at)


@pytest.mark.parametrize("framing", ["bytes", "chunked"])
def test_down(tunnel, framing):
    memory, digest, at, shown = Memory(tunnel.agent), hashlib.sha256(), 0, 0
    with tunnel.visit() as visitor:
        visitor.begin("GET", "/%s/%d%s" % (framing, SIZE, "/65536" * (framing == "chunked")))
        for piece in visitor.pieces(visitor.head()):
            digest.update(piece)
            at += len(piece)
            if at - shown > 4 << 20:
                memory.sample(at)
                shown = at
    assert at == SIZE and digest.hexdigest() == expected()
    memory.check("%s, down, %s" % (tunnel.mode, framing))


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_up(tunnel, framing):
    memory = Memory(tunnel.agent)
    with tunnel.visit(timeout=60) as visitor:
        visitor.begin("POST", "/describe", [
            ("Content-Length", str(SIZE)) if framing == "length"
            else ("Transfer-Encoding", "chunked")])
        for at, piece in pieces():
            visitor.send(piece) if framing == "length" else visitor.chunk(piece)
            if at % (4 << 20) == 0:
                memory.sample(at)
        if framing == "chunked":
            visitor.chunk(b"")
        told = json.loads(visitor.response().body)
    assert (told["length"], told["sha"]) == (SIZE, expected())
    memory.check("%s, up, %s" % (tunnel.mode, framing))
