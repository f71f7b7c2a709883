"""SIGTERM of a gateway: what is under way ends, agents leave one by one, nobody is lost."""
import base64
import hashlib
import re
import selectors
import signal
import socket
import threading
import time

import pytest

import wire
from drains import Gate, local, stopped
from origin import pattern
from procs import wait_until
from pyagent import PyAgent
from rawagent import RawAgent
from visitor import Broken


@pytest.fixture
def gate(origin, background):
    it = Gate(background)
    origin.on("/gate", it.download)
    yield it
    it.let_on()


# ---- one gateway ----

@pytest.mark.parametrize("mode", ["tlv", "json", "plain"])
def test_a_download_runs_through(make_gateway, make_agent, origin, gate, mode):
    gateway = make_gateway()
    agent = make_agent(gateway.url, gateway.token("one"), local(origin), "--protocol", mode,
                       ca=gateway.ca)
    agent.wait_open()
    with gateway.visit("one") as visitor:
        visitor.begin("GET", "/gate")
        response = visitor.head()
        assert response.status == 200
        gateway.send(signal.SIGTERM)
        gateway.wait_for_log("stopping: 1 tunnels, 1 visitors, who have 30 s to end")
        time.sleep(1.5)   # beyond all that ends by itself: the stream alone keeps it
        assert gateway.running() and agent.sessions() == 1 and "disconnected" not in agent.log()
        gate.let_on()
        assert b"".join(visitor.pieces(response)) == pattern(gate.size)
        assert visitor.closed()
    assert stopped(gateway) == (1, 0)
    agent.wait_for_log("disconnected: the (gateway|cloud)|connecting again")


@pytest.mark.parametrize("mode", ["tlv", "json", "plain"])
def test_an_upload_runs_through(make_gateway, make_agent, origin, mode):
    gateway = make_gateway()
    make_agent(gateway.url, gateway.token("one"), local(origin), "--protocol", mode,
               ca=gateway.ca).wait_open()
    before = gateway.counter("requests")
    with gateway.visit("one") as visitor:
        visitor.begin("POST", "/echo", [("Content-Length", "400000")], body=pattern(1000))
        gateway.wait_counter("requests", before + 1)
        gateway.send(signal.SIGTERM)
        gateway.wait_for_log("stopping")
        time.sleep(1)
        visitor.send(pattern(399000, 1000))
        response = visitor.response()
        assert response.body == pattern(400000) and response.get("connection") == "close"
    assert stopped(gateway) == (1, 0)


@pytest.mark.parametrize("again", [False, True], ids=["time", "signal"])
def test_time_is_up(make_gateway, make_agent, origin, gate, again):
    """Or somebody says so: what is still under way is seen to be cut."""
    gateway = make_gateway("--drain", "1h" if again else "1s")
    agent = make_agent(gateway.url, gateway.token("one"), local(origin), ca=gateway.ca)
    agent.wait_open()
    with gateway.visit("one") as visitor:
        visitor.begin("GET", "/gate")
        response = visitor.head()
        begin = time.monotonic()
        gateway.send(signal.SIGTERM)
        gateway.wait_for_log("stopping")
        if again:
            gateway.send(signal.SIGTERM)
        with pytest.raises(Broken):
            list(visitor.pieces(response))
    assert stopped(gateway) == (1, 1)
    assert time.monotonic() - begin < 8
    agent.wait_for_log("connecting again")


def test_nobody_is_there(make_gateway):
    gateway = make_gateway()
    begin = time.monotonic()
    gateway.send(signal.SIGTERM)
    assert stopped(gateway) == (0, 0)
    assert time.monotonic() - begin < 3


def test_as_without_a_drain(make_gateway, background):
    """A request under way has a second; an idle visitor none."""
    gateway = make_gateway("--drain", "0")
    agent = PyAgent(background, gateway, gateway.token("one"))
    idle, busy = gateway.visit("one"), gateway.visit("one")
    busy.begin("GET", "/")
    name = agent.request()["id"]
    gateway.send(signal.SIGTERM)
    gateway.wait_for_log("stopping")
    assert idle.closed()
    agent.respond(name, body=b"in time")
    response = busy.response()
    assert response.body == b"in time" and response.get("connection") == "close"
    assert agent.run(agent.expect("Goaway"))["delay_ms"] == 1000
    assert agent.close_code() == 1001
    assert stopped(gateway) == (1, 0)


def test_kept_connections(make_gateway, make_agent, origin):
    """Who was promised another request may send it for a moment, and is told that it is the last
    one. Who does not is closed; a connection without any request yet has a page."""
    gateway = make_gateway("--header-timeout", "1m")
    make_agent(gateway.url, gateway.token("one"), local(origin), ca=gateway.ca).wait_open()
    idle, asks, new = (gateway.visit("one") for _ in range(3))
    assert idle.request("GET", "/").status == asks.request("GET", "/").status == 200
    begin = time.monotonic()
    gateway.send(signal.SIGTERM)
    try:
        response = asks.request("GET", "/")
        assert response.status == 200 and response.get("connection") == "close"
    except Broken:
        # A machine that stood still for so long.
        assert time.monotonic() - begin > 0.4
    assert idle.closed()
    wait_until(lambda: gateway.counter("tunnels") == 0, "the tunnel to leave")
    response = new.request("GET", "/")
    assert response.status == 503 and b"restarted" in response.body
    assert response.get("connection") == "close" and int(response.get("retry-after")) > 0
    assert new.closed()
    assert stopped(gateway) == (1, 0)


def test_who_waits_for_a_stream_has_one_first(make_gateway, background):
    """The agent is told when nobody waits any more."""
    gateway = make_gateway("--max-streams", "1", "--hold", "0")
    agent = PyAgent(background, gateway, gateway.token("one"))
    before = gateway.counter("requests")
    visitors = [gateway.visit("one") for _ in range(3)]
    for n, visitor in enumerate(visitors):
        visitor.begin("GET", "/%d" % n)
        gateway.wait_counter("requests", before + n + 1)
    gateway.send(signal.SIGTERM)
    gateway.wait_for_log("stopping")
    time.sleep(1)
    for n, visitor in enumerate(visitors):
        request = agent.request()
        assert request["url"] == "/%d" % n
        assert not any(name == "Goaway" for name, _ in agent.received)
        agent.respond(request["id"])
        assert visitor.response().status == 200
    agent.run(agent.expect("Goaway"))
    assert agent.close_code() == 1001
    assert stopped(gateway) == (1, 0)


def test_held_visitors_are_sent_on(make_gateway):
    gateway = make_gateway()
    gateway.token("one")
    with gateway.visit("one") as visitor:
        visitor.begin("GET", "/")
        gateway.wait_counter("held", 1)
        gateway.send(signal.SIGTERM)
        response = visitor.response()
    assert response.status == 503 and b"restarted" in response.body
    assert stopped(gateway) == (0, 0)


def test_agents_leave_one_by_one(make_gateway):
    """Evenly, in their part of the time."""
    count = 40
    gateway = make_gateway("--drain", "4s", "--hold", "0", certs=None)
    agents = [RawAgent(gateway, gateway.token("t%d" % n)) for n in range(count)]
    selector, times = selectors.DefaultSelector(), []
    for agent in agents:
        selector.register(agent.sock, selectors.EVENT_READ, agent)
    begin = time.monotonic()
    gateway.send(signal.SIGTERM)
    while len(times) < count:
        ready = selector.select(20)
        assert ready, times
        for key, _ in ready:
            opcode, payload = key.data.frame()
            kind, fields = wire.decode_tlv(payload)
            assert opcode == 2 and kind == "Goaway" and fields["delay_ms"] <= 100
            assert key.data.close_code() == 1001
            times.append(time.monotonic() - begin)
            selector.unregister(key.fileobj)
            key.data.close()
    # From the first half second on, until half of the drain.
    assert times[0] > 0.4 and 1.0 < times[-1] - times[0] < 3, times
    gaps = [b - a for a, b in zip(times, times[1:])]
    assert sorted(gaps)[len(gaps) // 2] > 0.02, "in step: %s" % times
    assert stopped(gateway) == (count, 0)


def test_agents_that_come_late(make_gateway, background):
    """Whose connection came before the end, and the token after its begin, is sent on."""
    gateway = make_gateway(certs=None)
    token = gateway.token("one")
    other = RawAgent(gateway, gateway.token("two"))
    late = RawAgent(gateway)
    gateway.send(signal.SIGTERM)
    gateway.wait_for_log("stopping")
    late.say("Auth", token=token, agent="raw/1", window=1, max_streams=1)
    kind, fields = late.message()
    assert kind == "AuthError" and fields["retry_after"] == 1
    other.close()
    late.close()
    assert stopped(gateway)[1] == 0


# ---- the agent's side ----

class SlowGateway:
    """Reads late, says a lot, and asks the agent to leave while it answers a request."""

    def __init__(self, server):
        self.sock = server.accept()[0]
        self.sock.settimeout(20)
        key = re.search(rb"Sec-WebSocket-Key: (\S+)", self.until(b"\r\n\r\n")).group(1)
        accept = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        self.sock.sendall(b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
                          b"Sec-WebSocket-Protocol: adit.tlv.v1\r\nSec-WebSocket-Accept: "
                          + base64.b64encode(accept) + b"\r\n\r\n")
        self.sock.recv(1000)   # Auth

    def until(self, end):
        data = b""
        while not data.endswith(end):
            data += self.sock.recv(1)
        return data

    def say(self, kind, **fields):
        payload = wire.encode_tlv(kind, fields)
        assert len(payload) < 126
        self.sock.sendall(bytes([0x82, len(payload)]) + payload)

    def chatter(self):
        """Pings, until nobody takes them."""
        def run():
            try:
                while True:
                    self.sock.sendall(b"\x89\0" * 100)
            except OSError:
                pass
        threading.Thread(target=run, daemon=True).start()

    def to_end(self):
        data = b""
        try:
            while piece := self.sock.recv(65536):
                data += piece
        except ConnectionResetError:
            pass
        return data


def test_an_agents_last_words(make_agent, origin):
    """It has answered and leaves: what it has said still arrives, though it is still talked to."""
    size = 300000
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        make_agent("ws://127.0.0.1:%d/_adit" % server.getsockname()[1], "the-token", local(origin),
                   "--protocol", "tlv", "--base-delay", "1m", "--max-delay", "1m")
        gateway = SlowGateway(server)
        gateway.say("AuthSuccess", session_id="x", window=1 << 24)
        gateway.say("HttpRequest", id="r", method="GET", url="/bytes/%d" % size,
                    headers=[(b"host", b"x")])
        gateway.say("Goaway", delay_ms=0)
        gateway.chatter()
        time.sleep(0.3)
        assert len(gateway.to_end()) > size
        gateway.sock.close()
