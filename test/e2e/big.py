"""1 GiB down and 1 GiB up through TLS, while the agent's memory is watched. Not part of the suite:
run with `pytest test/e2e/big.py`. BIG_MIB takes another size, BIG_MODES other modes."""
import hashlib
import json
import os

import pytest

from origin import PATTERN, pattern

SIZE = int(os.environ.get("BIG_MIB", "1024")) << 20
MODES = os.environ.get("BIG_MODES", "tlv json plain").split()
WARM = 10 << 20


@pytest.fixture(params=MODES)
def tunnel(request, tunnels, origin, steady):
    return tunnels(request.param, origin)


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
