"""Agent and gateway together, and the gateway against agents and visitors of all sorts."""
import hashlib
import json
import re
import resource
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import DOMAIN, MODES, OPENED, token_lines
from procs import GATEWAY, run, wait_until
from pyagent import PyAgent
from visitor import Visitor


def described(response):
    told = json.loads(response.body)
    told["fields"] = [(n.lower(), v) for n, v in told["fields"]]
    return told


def values(told, name):
    return [v for n, v in told["fields"] if n == name]


# ---- tokens ----

def test_token_command():
    tokens = set()
    for _ in range(5):
        status, out, _ = run([*GATEWAY, "token", "router-1"])
        assert status == 0
        token, line = token_lines(out, "router-1")
        assert line == "router-1 " + hashlib.sha256(token.encode()).hexdigest()
        assert len(token) >= 22, "less than 128 bits"
        assert out.count(token) == 1
        tokens.add(token)
    assert len(tokens) == 5


# ---- the way through ----

def test_fetch(tunnel):
    response = tunnel.request("GET", "/")
    assert response.status == 200
    assert response.body == b"hello from the local server\n"


def test_curl(tunnel, certs):
    port = tunnel.gateway.port
    status, out, err = run([
        "curl", "-sS", "--cacert", certs / "ca.pem", "--resolve",
        "%s.%s:%d:127.0.0.1" % (tunnel.name, DOMAIN, port),
        "https://%s.%s:%d/" % (tunnel.name, DOMAIN, port)])
    assert (status, out) == (0, "hello from the local server\n"), err


@pytest.mark.parametrize("kind", ["server", "rsa"])
@pytest.mark.parametrize("tls", [True, False])
def test_keys_and_plain(make_gateway, make_agent, certs, origin, kind, tls):
    gateway = make_gateway(certs=certs if tls else None, kind=kind)
    agent = make_agent(gateway.url, gateway.token("one"), origin.local,
                       ca=gateway.ca)
    agent.wait_open()
    with gateway.visit("one") as visitor:
        assert visitor.request("GET", "/").status == 200


def test_public_address(make_gateway, make_agent):
    gateway = make_gateway()
    agent = make_agent(gateway.url, gateway.token("my-router"), ca=gateway.ca)
    agent.wait_for_log(r"https://my-router\.tunnel\.test:%d/" % gateway.port)


def test_many_requests_at_once(tunnel):
    """More connections than the agent has streams: the rest waits its turn."""
    visitors = [tunnel.visit() for _ in range(24)]
    for round_number in range(3):
        for i, visitor in enumerate(visitors):
            visitor.begin("GET", "/bytes/%d" % (1000 * i + round_number))
        for i, visitor in enumerate(visitors):
            response = visitor.response()
            assert response.status == 200
            assert len(response.body) == 1000 * i + round_number
    for visitor in visitors:
        visitor.close()


# ---- names and states ----

def test_unknown_name(gateway):
    with gateway.visit("nobody") as visitor:
        response = visitor.request("GET", "/")
    assert response.status == 404
    assert "text/html" in response.get("content-type")


@pytest.mark.parametrize("host", ["elsewhere.example", DOMAIN, "a.b." + DOMAIN, "x" + DOMAIN])
def test_foreign_hosts(gateway, host):
    with Visitor(gateway.address, "x." + DOMAIN, ca=gateway.ca) as visitor:
        assert visitor.request("GET", "/", [("Host", host)]).status in (404, 421)


def test_names_fold_case(make_gateway, make_agent, origin):
    gateway = make_gateway()
    make_agent(gateway.url, gateway.token("one"), origin.local,
               ca=gateway.ca).wait_open()
    with gateway.visit("one") as visitor:
        assert visitor.request("GET", "/", [("Host", "ONE.Tunnel.TEST")]).status == 200


def test_not_connected(make_gateway):
    gateway = make_gateway("--hold", "0")
    gateway.token("away")
    with gateway.visit("away") as visitor:
        response = visitor.request("GET", "/")
    assert response.status == 502
    assert b"not connected" in response.body
    assert response.get("cache-control") == "no-store"


@pytest.mark.parametrize("mode", MODES)
def test_local_server_refuses(make_gateway, make_agent, mode):
    gateway = make_gateway()
    make_agent(gateway.url, gateway.token("one"), "127.0.0.1:1", "--protocol", mode,
               ca=gateway.ca).wait_open()
    with gateway.visit("one") as visitor:
        response = visitor.request("GET", "/")
        assert response.status == 502 and response.body
        assert visitor.request("GET", "/").status == 502, "the visitor's connection lives on"


def test_agent_too_slow(make_gateway, background):
    gateway = make_gateway("--request-timeout", "500ms")
    agent = PyAgent(background, gateway, gateway.token("one"))
    with gateway.visit("one") as visitor:
        visitor.begin("GET", "/")
        name = agent.request()["id"]
        assert visitor.response().status == 504
        assert agent.run(agent.expect("Error"))["request_id"] == name
    agent.close()


def test_wrong_token(make_gateway, make_agent):
    gateway = make_gateway()
    agent = make_agent(gateway.url, "not-a-token-of-this-gateway", ca=gateway.ca)
    agent.wait_for_log(r"token was refused")
    since = agent.mark()
    agent.wait_for_log(r"token was refused", since)
    assert agent.token not in gateway.log()


def test_take_over(make_gateway, make_agent, origin, background):
    gateway = make_gateway()
    token = gateway.token("one")
    first = PyAgent(background, gateway, token)
    with gateway.visit("one") as visitor:
        visitor.begin("GET", "/")
        first.request()
        make_agent(gateway.url, token, origin.local, ca=gateway.ca).wait_open()
        assert first.close_code() == 4409
        assert visitor.response().status == 502
    with gateway.visit("one") as visitor:
        assert visitor.request("GET", "/").body == b"hello from the local server\n"


def test_taken_over_agent_says_so(make_gateway, make_agent, background):
    gateway = make_gateway()
    token = gateway.token("one")
    agent = make_agent(gateway.url, token, "127.0.0.1:9", "--base-delay", "60s", "--max-delay",
                       "60s", ca=gateway.ca)
    agent.wait_open()
    PyAgent(background, gateway, token)
    agent.wait_for_log(r"took over")


def test_token_revoked_by_reload(make_gateway, make_agent):
    gateway = make_gateway()
    agent = make_agent(gateway.url, gateway.token("one"), ca=gateway.ca)
    agent.wait_open()
    gateway.tokens_file.write_text("# none left\n")
    since = gateway.mark()
    gateway.send(signal.SIGHUP)
    gateway.wait_for_log(r"tokens", since)

    def answer():
        with gateway.visit("one") as visitor:
            return visitor.request("GET", "/").status
    wait_until(lambda: answer() == 404, "the name to be unknown")


def test_new_certificate_by_reload(make_gateway, make_agent, certs, tmp_path):
    import shutil
    import ssl
    live = tmp_path / "live"
    live.mkdir()
    for name in ("ca.pem", "server.pem", "server.key"):
        shutil.copy(certs / name, live / name)
    gateway = make_gateway(certs=live)

    def public_key():
        with gateway.visit("x") as visitor:
            der = visitor.sock.getpeercert(binary_form=True)
        return der == ssl.PEM_cert_to_DER_cert((certs / "rsa.pem").read_text())
    assert not public_key()
    shutil.copy(certs / "rsa.pem", live / "server.pem")
    shutil.copy(certs / "rsa.key", live / "server.key")
    gateway.send(signal.SIGHUP)
    wait_until(public_key, "the new certificate")


# ---- coming and going ----

def test_restart_of_the_gateway(make_gateway, make_agent, origin):
    gateway = make_gateway()
    token = gateway.token("one")
    agent = make_agent(gateway.url, token, origin.local, ca=gateway.ca)
    agent.wait_open()
    since = agent.mark()
    assert gateway.stop() == 0
    agent.wait_for_log(r"(?i)(refused|closed|connect again)", since)
    again = make_gateway(port=gateway.port)
    again.tokens_file.write_text(gateway.tokens_file.read_text())
    again.send(signal.SIGHUP)
    agent.wait_for_log(OPENED, since)
    with again.visit("one") as visitor:
        assert visitor.request("GET", "/").status == 200


def test_gateway_killed(make_gateway, make_agent, origin):
    gateway = make_gateway()
    agent = make_agent(gateway.url, gateway.token("one"), origin.local,
                       ca=gateway.ca)
    agent.wait_open()
    since = agent.mark()
    gateway.kill()
    agent.wait_for_log(r"refused", since)


def test_cut_of_the_line(make_gateway, make_agent, background, origin, certs):
    """The agent's TCP connection is cut; a relay between the two stands for the line."""
    import asyncio
    gateway = make_gateway()
    writers = []

    async def relay(reader, writer):
        far_reader, far_writer = await asyncio.open_connection(*gateway.address)
        writers.extend([writer, far_writer])

        async def copy(source, sink):
            try:
                while data := await source.read(65536):
                    sink.write(data)
            except ConnectionError:
                pass
            sink.close()
        await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer))

    async def listen():
        return await asyncio.start_server(relay, "127.0.0.1", 0)
    server = background.run(listen())
    url = "wss://localhost:%d/_adit" % server.sockets[0].getsockname()[1]
    agent = make_agent(url, gateway.token("one"), origin.local, ca=gateway.ca)
    agent.wait_open()
    for n in range(3):
        for writer in list(writers):
            background.loop.call_soon_threadsafe(writer.transport.abort)
        writers.clear()
        wait_until(lambda want=n + 2: agent.sessions() == want, "another session")
        with gateway.visit("one") as visitor:
            assert visitor.request("GET", "/").status == 200
    background.loop.call_soon_threadsafe(server.close)


def test_sigterm_ends_the_gateway_quickly(make_gateway, make_agent):
    gateway = make_gateway()
    make_agent(gateway.url, gateway.token("one"), ca=gateway.ca).wait_open()
    with gateway.visit("one") as visitor:
        visitor.request("GET", "/")
        start = time.monotonic()
        assert gateway.stop() == 0
        assert time.monotonic() - start < 4


def test_counters_on_signal(make_gateway, make_agent, origin):
    gateway = make_gateway()
    make_agent(gateway.url, gateway.token("one"), origin.local,
               ca=gateway.ca).wait_open()
    with gateway.visit("one") as visitor:
        visitor.request("GET", "/")
    gateway.send(signal.SIGUSR1)
    gateway.wait_for_log(r"(?i)tunnels.*requests")


# ---- health ----

@pytest.mark.parametrize("mode, agents, gateways", [
    ("tlv", "700ms", "5m"), ("json", "700ms", "5m"), ("plain", "700ms", "5m"),
    ("tlv", "5m", "700ms")])
def test_idle_tunnel_stays(make_gateway, make_agent, mode, agents, gateways):
    """Nothing but one side's pings, for longer than the silence that would end it. The timeout is
    the shorter one, as it is by default: a ping that goes out a turn late is a session lost."""
    gateway = make_gateway("--ping-interval", gateways, "--ping-timeout", "500ms")
    agent = make_agent(gateway.url, gateway.token("one"), "127.0.0.1:9", "--protocol", mode,
                       "--ping-interval", agents, "--ping-timeout", "500ms", ca=gateway.ca)
    agent.wait_open()
    time.sleep(2.5)  # the silence itself is what is tested
    assert agent.sessions() == 1 and "disconnected" not in agent.log(), agent.log()


def test_pings_are_answered_at_once(make_gateway, background):
    gateway = make_gateway("--ping-interval", "5m")
    agent = PyAgent(background, gateway, gateway.token("one"))
    for n in range(5):
        agent.run(agent.send("Ping", timestamp=n))
        assert agent.run(agent.expect("Pong"), 5)["timestamp"] == n
    agent.close()


def test_silent_agent_is_dropped(make_gateway, background):
    gateway = make_gateway("--ping-interval", "300ms", "--ping-timeout", "300ms", "--hold", "0")
    agent = PyAgent(background, gateway, gateway.token("one"))
    agent.run(agent.expect("Ping"))
    agent.close_code()
    with gateway.visit("one") as visitor:
        assert visitor.request("GET", "/").status == 502


# ---- what is told to the local server ----

def test_forwarded_fields_are_the_gateways(tunnel):
    told = described(tunnel.request("GET", "/describe", [
        ("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Proto", "gopher"),
        ("X-Forwarded-Host", "forged.example"), ("Forwarded", "for=6.6.6.6")]))
    assert values(told, "x-forwarded-for") == ["127.0.0.1"]
    assert values(told, "x-forwarded-proto") == ["https"]
    assert values(told, "x-forwarded-host") == [tunnel.host]
    assert values(told, "forwarded") == []
    assert values(told, "host") == [tunnel.host]


@pytest.mark.parametrize("name", [
    "X_Forwarded_For", "x_forwarded-for", "X-Forwarded_Proto", "X_FORWARDED_HOST", "forwarded",
    "X-Real-IP", "X_Real_IP", "x-real_ip", "Proxy", "PROXY", "HTTP2-Settings", "http2_settings"])
def test_fields_that_could_be_taken_for_the_gateways(tunnel, name):
    """Servers that follow CGI read X_Forwarded_For as X-Forwarded-For, and Proxy as HTTP_PROXY."""
    told = described(tunnel.request("GET", "/describe", [(name, "6.6.6.6"), ("X_Other", "1")]))
    assert "6.6.6.6" not in [v for _, v in told["fields"]]
    assert values(told, "x_other") == ["1"]


def test_trusted_proxy(through_proxy):
    told = described(through_proxy("127.0.0.0/8", [
        ("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "public.example")]))
    assert ", ".join(values(told, "x-forwarded-for")) == "203.0.113.7, 127.0.0.1"
    assert values(told, "x-forwarded-proto") == ["https"]
    assert values(told, "x-forwarded-host") == ["public.example"]


def test_twins_are_not_a_trusted_proxys(through_proxy):
    told = described(through_proxy("127.0.0.0/8", [
        ("X_Forwarded_For", "6.6.6.6"), ("X-Forwarded-For", "203.0.113.7")]))
    assert values(told, "x-forwarded-for") == ["203.0.113.7, 127.0.0.1"]
    assert values(told, "x_forwarded_for") == []


def test_untrusted_proxy(through_proxy):
    told = described(through_proxy("10.0.0.0/8", [("X-Forwarded-For", "203.0.113.7")]))
    assert values(told, "x-forwarded-for") == ["127.0.0.1"]
    assert values(told, "x-forwarded-proto") == ["http"]


def test_visitors_port(make_gateway, make_agent, origin):
    """--listen-http: a second port without TLS, for visitors alone."""
    gateway = make_gateway("--listen-http", "127.0.0.1:0")
    ports = set()

    def second():
        ports.update(re.findall(r"listening on 127\.0\.0\.1:(\d+)", gateway.log()))
        return ports - {str(gateway.port)}
    port = int(wait_until(second, "the second port").pop())
    make_agent(gateway.url, gateway.token("one"), origin.local,
               ca=gateway.ca).wait_open()
    with Visitor(("127.0.0.1", port), "one." + DOMAIN) as visitor:
        assert visitor.request("GET", "/").status == 200
        assert visitor.request("GET", "/_adit").status != 101


def test_without_a_descriptor_for_a_visitor(make_gateway):
    """He waits; the gateway does not spin, and takes him when there is one."""
    gateway = make_gateway()
    gateway.wait_for_log("sandbox: ")  # which sets the limit
    limits = resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, (3, limits[1]))

    def fetch():
        with gateway.visit("nobody") as visitor:
            return visitor.request("GET", "/").status

    with ThreadPoolExecutor() as pool:
        page = pool.submit(fetch)
        gateway.wait_for_log("cannot be accepted now")
        before = gateway.cpu_seconds()
        time.sleep(0.5)  # the time it has for spinning
        assert gateway.cpu_seconds() - before < 0.2
        resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, limits)
        assert page.result() == 404
