"""Peers with small TLS records (RFC 6066 section 4), and the gateway of PROFILE=tiny, which sends
small ones: nothing is written past a record, and nothing stands still for want of a larger one.

Python's ssl cannot ask for small records: openssl s_client does, and fails when a larger one comes.
"""
import asyncio
import contextlib
import subprocess

import pytest

from conftest import DOMAIN, MODES, Gateway, runs_native
from origin import pattern, pattern_sha
from procs import ROOT, clean_env
from pyagent import PyAgent
from visitor import Visitor

SIZES = [512, 4096]


class Bridge:
    """A port in the clear; each connection goes on through an s_client of its own."""

    def __init__(self, background, gateway, size):
        self.background, self.gateway, self.size = background, gateway, size
        self.children = []
        self.server = background.run(asyncio.start_server(self.connect, "127.0.0.1", 0))
        self.address = ("127.0.0.1", self.server.sockets[0].getsockname()[1])
        self.url, self.ca = "ws://localhost:%d/_adit" % self.address[1], None

    async def connect(self, reader, writer):
        child = await asyncio.create_subprocess_exec(
            "openssl", "s_client", "-quiet", "-tls1_2", "-maxfraglen", str(self.size), "-connect",
            "127.0.0.1:%d" % self.gateway.port, "-CAfile", str(self.gateway.ca),
            "-verify_return_error", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        self.children.append(child)

        async def copy(source, sink):
            with contextlib.suppress(ConnectionError):
                while data := await source.read(65536):
                    sink.write(data)
                    await sink.drain()
            sink.close()
        await asyncio.gather(copy(reader, child.stdin), copy(child.stdout, writer))
        await child.wait()

    def visit(self, name, **kwargs):
        return Visitor(self.address, self.gateway.host(name), **kwargs)

    def stop(self):
        async def stop():
            self.server.close()
            for child in self.children:
                if child.returncode is None:
                    child.kill()
        self.background.run(stop())


@pytest.fixture
def bridge(background):
    """Makes ports whose connections go on in records of that size."""
    made = []

    def make(gateway, size):
        made.append(Bridge(background, gateway, size))
        return made[-1]
    yield make
    for it in made:
        it.stop()


@pytest.fixture(scope="module")
def tiny_gateway(tmp_path_factory):
    """The program of PROFILE=tiny with AddressSanitizer, built in a tree of its own."""
    if not runs_native():
        pytest.skip("builds the gateway of this machine")
    out = tmp_path_factory.mktemp("tiny")
    program = out / "host-asan-tiny/adit-gateway"
    subprocess.run(["make", "-C", ROOT, "-j2", "BOARD=host-asan", "PROFILE=tiny", "OUT=%s" % out,
                    program], check=True, stdout=subprocess.DEVNULL, env=clean_env())
    return program


@pytest.fixture(params=["usual", "tiny"])
def any_gateway(request, tmp_path, certs, monkeypatch):
    options = []
    if request.param == "tiny":
        program = request.getfixturevalue("tiny_gateway")
        monkeypatch.setattr("conftest.GATEWAY", [str(program)])
        # AddressSanitizer needs calls that the sandbox forbids.
        options = ["--seccomp=no", "--limits=no"]
    it = Gateway(tmp_path, *options, certs=certs)
    it.request_max, it.response_max = (3000, 4300) if options else (7000, 8000)
    yield it
    assert it.stop() == 0, it.log()
    assert "Sanitizer" not in it.log() and "runtime error" not in it.log(), it.log()


def tunnel(gateway, make_agent, origin, mode):
    agent = make_agent(gateway.url, gateway.token("one"), origin.local,
                       "--protocol", mode, ca=gateway.ca)
    agent.wait_open()
    return agent


def long_heads(origin, size):
    """A response head of many fields, each of which a message has packed shorter."""
    fields = "".join("%02x: \r\n" % n for n in range(90))
    fields += "X-Long: %s\r\n" % ("l" * (size - len(fields)))

    async def long(request):
        await request.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n%s\r\nok"
                           % fields.encode())
        return True
    origin.on("/long", long)
    return fields


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", MODES)
def test_visitor_with_small_records(any_gateway, make_agent, origin, bridge, mode, size):
    tunnel(any_gateway, make_agent, origin, mode)
    fields = long_heads(origin, any_gateway.response_max)
    with bridge(any_gateway, size).visit("one") as visitor:
        response = visitor.request("GET", "/long")
        assert response.body == b"ok"
        assert all(response.get(line.split(":")[0].lower()) is not None
                   for line in fields.split("\r\n") if line)
        for n in (0, 499, 500, 501, 511, 512, 513, 70001):
            assert visitor.request("GET", "/bytes/%d" % n).sha == pattern_sha(n)
            assert visitor.request("POST", "/echo", body=pattern(n)).body == pattern(n)
        assert visitor.request("GET", "/chunked/70001").sha == pattern_sha(70001)
        long = "q" * (any_gateway.request_max - 1000)
        assert visitor.request("GET", "/?" + long, [("X-Long", "q" * 500)]).status == 200
        assert visitor.request("GET", "/", [("Host", "no." + DOMAIN)]).status == 404


@pytest.mark.parametrize("size", SIZES)
def test_slow_visitor_with_small_records(any_gateway, make_agent, origin, bridge, size):
    """What waits for him in the gateway goes out in records of his size as well."""
    tunnel(any_gateway, make_agent, origin, "tlv")
    long_heads(origin, any_gateway.response_max)
    slow = bridge(any_gateway, size).visit("one", receive_buffer=4096)
    with slow:
        for target in ("/chunked/3000000", "/bytes/3000000"):
            slow.begin("GET", target)
            slow.until(b"\r\n")
            with any_gateway.visit("one") as other:
                assert other.request("GET", "/long").body == b"ok"
            slow.buffer = b"HTTP/1.1 200 OK\r\n" + slow.buffer
            assert slow.response().sha == pattern_sha(3000000)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", MODES)
def test_agent_with_small_records(any_gateway, background, bridge, mode, size):
    """Heads and bodies go to it in parts."""
    agent = PyAgent(background, bridge(any_gateway, size), any_gateway.token("a" * 63), mode)
    assert agent.answer[0] == "AuthSuccess"
    with any_gateway.visit("a" * 63) as visitor:
        for n in (0, 511, 512, 513, 30001):
            visitor.begin("POST", "/?" + "q" * (any_gateway.request_max - 1000),
                          [("Content-Length", str(n))], body=pattern(n))
            request = agent.request()
            name, body = request["id"], request.get("body", b"")
            while request.get("more"):
                request = agent.run(agent.expect("HttpBody"))
                body += request.get("body", b"")
            assert body == pattern(n)
            agent.respond(name, body=b"ok")
            assert visitor.response().body == b"ok"
    agent.close()


@pytest.mark.parametrize("mode", MODES)
def test_long_public_address(tmp_path, certs, background, bridge, mode):
    """AuthSuccess is never cut, and fits a record of 512 bytes with the longest of all names."""
    domain = ".".join(["d" * 59] * 4 + ["d", DOMAIN])
    assert len(domain) == 253

    gateway = Gateway(tmp_path, certs=certs, domain=domain)
    agent = PyAgent(background, bridge(gateway, 512), gateway.token("a" * 63), mode)
    assert agent.answer[0] == "AuthSuccess"
    assert domain in agent.answer[1]["url"]
    agent.run(agent.send("Ping", timestamp=7))
    assert agent.run(agent.expect("Pong"))["timestamp"] == 7
    agent.close()
    assert gateway.stop() == 0
