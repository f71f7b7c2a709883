"""Peers at their worst, on both sides of the agent.

First what once went wrong, each by itself; then whole sessions of seeded nonsense. HOSTILE_ROUNDS=N
runs N sessions of each encoding instead of a few, HOSTILE_SEED=N begins with another seed.
"""
import asyncio
import os
import random
import signal
import socket
import ssl
import time

import pytest

from hostile import CLOSE, HostileGateway, descriptors, frame
from nonsense import Nonsense, odd
from procs import wait_until

ROUNDS = int(os.environ.get("HOSTILE_ROUNDS", "2"))
SEED = int(os.environ.get("HOSTILE_SEED", "1"))


@pytest.fixture
def hostile(make_agent, origin):
    """Makes a gateway and an agent of it, in front of `origin`."""
    gateways, agents = [], []

    def make(mode, *options, local=None, receive_buffer=None):
        gateways.append(HostileGateway(mode, receive_buffer))
        agent = make_agent(gateways[-1].url, "the-token",
                           local or origin.local, *options)
        agents.append(agent)
        return gateways[-1], agent
    yield make
    for agent in agents:
        print(agent.log()[-2000:])
    for gateway in gateways:
        gateway.close()


@pytest.fixture
def endless(origin):
    async def pour(r):
        await r.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await r.send(b"x" * 65536)
    origin.on("/endless", pour)


# ---- time ----

def test_ping_goes_out_when_it_is_due(hostile):
    """With the timeout shorter than the interval, a Ping put a turn late is a session lost."""
    gateway, _ = hostile("tlv", "--ping-interval", "300ms", "--ping-timeout", "200ms")
    session = gateway.session()
    session.until(lambda: session.pings >= 3, "three Pings", 5)


@pytest.mark.parametrize("how", ["stop", "close"])
def test_goodbye_to_a_gateway_that_reads_nothing(hostile, endless, how):
    gateway, agent = hostile("tlv", receive_buffer=16384)
    session = gateway.session(window=1 << 40)
    session.request("/endless")
    time.sleep(0.3)
    if how == "stop":
        agent.send(signal.SIGTERM)
        assert agent.wait(5) == 0
    else:
        session.raw(frame(CLOSE, b"\x03\xe9"))
        agent.wait_for_log("disconnected", timeout=5)


# ---- a tunnel that is full ----

def test_busy_download_starves_nobody(hostile, endless):
    """While one response fills the tunnel at all times, another request gets its turn."""
    gateway, _ = hostile("tlv", receive_buffer=16384)
    session = gateway.session(window=1 << 40)

    def sip():
        session.pump(0.01, 8192)
        time.sleep(0.002)  # slower than the local server
    session.request("/endless")
    for _ in range(100):
        sip()
    before, name = session.body, session.request("/")
    while not session.streams[name].over:
        sip()
        assert session.body - before < 5000000, "no answer in 5 MB of another one"
    assert session.streams[name].head["status"] == 200


def test_given_up_in_the_middle_of_a_head(hostile, endless, origin):
    """Heads of two records, given up while the tunnel is full: no connection stays behind."""
    async def long_head(r):
        await r.send(b"HTTP/1.1 200 OK\r\nX: " + b'"' * 8168 + b"\r\n\r\n")
        await r.reader.read()
    origin.on("/long-head", long_head)
    gateway, agent = hostile("json", receive_buffer=16384)
    session = gateway.session(window=1 << 40)
    before = descriptors(agent)
    for sips in (30, 60, 10, 45, 20, 50, 35, 55):
        busy = session.request("/endless")
        time.sleep(0.1)
        names = [session.request("/long-head", "POST", more=True,
                                 headers=[(b"content-length", b"100")]) for _ in range(15)]
        for _ in range(sips):
            session.pump(0.01, 4096)
        for name in names:
            session.send("HttpBody", id=name)
        session.abort(busy)
        for name in names:
            assert session.answer(name).error == 400
    wait_until(lambda: descriptors(agent) == before, "the connections' end")


def test_refusal_waits_for_a_long_answer(hostile, origin):
    """Plain mode: what is refused hears of it when the message under way is out; that the agent
    reads nothing meanwhile is not the gateway's silence."""
    gate = asyncio.Event()

    async def slow(r):
        await r.send(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 20000)
        await gate.wait()
        return False
    origin.on("/slow", slow)
    gateway, _ = hostile("plain", "--ping-interval", "200ms", "--ping-timeout", "200ms")
    session = gateway.session()
    names = [session.request("/slow")]
    session.until(lambda: session.parts, "the first part")
    names += [session.request("/") for _ in range(17)]
    end = time.monotonic() + 1
    while time.monotonic() < end:
        session.pump(0.05)
        assert session.closed is None
    origin.background.loop.call_soon_threadsafe(gate.set)
    answers = [session.answer(name) for name in names]
    assert [a.error for a in answers if a.error is not None].count(503) >= 1
    assert sum(a.head is not None for a in answers) >= 16


# ---- bytes in pieces ----

def test_upgrade_answer_in_two_records(background, make_agent, certs):
    """What comes along with the record before it is in the agent's memory, not in the socket."""
    gateway = HostileGateway("tlv")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs / "server.pem", certs / "server.key")
    agent = make_agent(gateway.url.replace("ws:", "wss:").replace("127.0.0.1", "localhost"),
                       "the-token", "127.0.0.1:9", "--connect-timeout", "3s",
                       ca=certs / "ca.pem")
    raw = gateway.listener.accept()[0]
    raw.settimeout(5)
    tls = TlsOverBio(raw, context)
    answer = gateway.upgrade_answer(tls.until(b"\r\n\r\n"))
    tls.object.write(answer[:40])
    tls.object.write(answer[40:])
    tls.flush()
    agent.wait_for_log("connected, protocol", timeout=2.5)
    raw.close()
    gateway.close()


class TlsOverBio:
    """TLS records gathered before they are sent."""

    def __init__(self, conn, context):
        self.conn, self.incoming, self.outgoing = conn, ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.call(self.object.do_handshake)

    def call(self, function, *args):
        while True:
            try:
                result = function(*args)
                self.flush()
                return result
            except ssl.SSLWantReadError:
                self.flush()
                self.incoming.write(self.conn.recv(65536))

    def flush(self):
        self.conn.sendall(self.outgoing.read())

    def until(self, end):
        data = b""
        while not data.endswith(end):
            data += self.call(self.object.read, 4096)
        return data


# ---- the local server ----

def test_unknown_local_name_is_nobody(hostile):
    """Not the device itself, which the unspecified address would reach."""
    with socket.socket(socket.AF_INET6) as device:
        device.bind(("::1", 0))
        device.listen()
        device.settimeout(0.2)
        gateway, _ = hostile("tlv", local="nowhere.invalid:%d" % device.getsockname()[1])
        session = gateway.session()
        assert session.fetch("/").error == 502
        with pytest.raises(TimeoutError):
            device.accept()


# ---- sessions of seeded nonsense ----

def one_session(session, seed, agent):
    """All steps at random; then nothing of them may be left, and a good request is answered."""
    nonsense = Nonsense(session, random.Random(seed))
    for _ in range(150):
        nonsense.step()
    nonsense.settle()
    name = session.request("/")
    nonsense.give(name, 1000)
    answer = session.answer(name, 5)
    assert answer.head and answer.head["status"] == 200
    since = agent.mark()
    agent.send(signal.SIGUSR1)
    told = agent.wait_for_log(r"streams_active (\d+)", since)
    assert told.group(1) == "0", "streams are left"
    return nonsense


@pytest.mark.parametrize("mode", ["tlv", "json", "plain"])
def test_nonsense(hostile, origin, mode):
    origin.on("/odd", odd)
    gateway, agent = hostile(mode, "--ping-interval", "2s", "--request-timeout", "1s")
    for seed in range(SEED, SEED + ROUNDS):
        print("seed", seed)
        session = gateway.session(window=random.Random(seed).choice([0, 1, 1000, 65536, 1 << 40]))
        nonsense = one_session(session, seed, agent)
        before = agent.cpu_seconds()
        time.sleep(0.3)
        assert agent.cpu_seconds() - before <= 0.03, "busy without work"
        # Standard streams, the tunnel, idle connections.
        assert descriptors(agent) <= 4 + 16
        if seed == SEED:
            memory = agent.status("VmHWM")
        nonsense.farewell()
    gateway.session().close()
    assert agent.status("VmHWM") <= memory + 200
