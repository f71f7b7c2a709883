"""Visitors of a tunnel that is not there wait for it, if it may come soon: a pause, no error."""
import signal
import time

import pytest

from pyagent import PyAgent
from rawagent import RawAgent

NEVER_SOON = ("--hold", "1m", "--queue-timeout", "1m")


def gone(gateway, agent):
    agent.cut()
    gateway.wait_counter("tunnels", 0)


def ask(gateway, name="one", held=1, method="GET", target="/", source=None, **kwargs):
    """A request that waits."""
    visitor = gateway.visit(name, source=source)
    visitor.begin(method, target, **kwargs)
    gateway.wait_counter("held", held)
    return visitor


def came(gateway, before, count):
    """So many requests more than before."""
    gateway.wait_counter("requests", before + count)


def answer(agent, status=200):
    """The next request, answered."""
    request = agent.request()
    agent.respond(request["id"], status)
    return request


# ---- whom is waited for ----

@pytest.mark.parametrize("again", ["tlv", "json", "plain"])
@pytest.mark.parametrize("before", ["tlv", "plain"])
def test_lost_and_back(make_gateway, background, before, again):
    """Whatever mode the next one has."""
    gateway = make_gateway(*NEVER_SOON)
    token = gateway.token("one")
    gone(gateway, PyAgent(background, gateway, token, before))
    visitor = ask(gateway, target="/caf%e9", method="GET")
    agent = PyAgent(background, gateway, token, again)
    assert answer(agent)["url"] == "/caf%e9"
    assert visitor.response().status == 200
    assert gateway.counter("held") == 0
    visitor.begin("GET", "/next")
    assert answer(agent)["url"] == "/next"
    assert visitor.response().status == 200, "his connection lives on"
    visitor.close()
    agent.close()


def test_since_the_start(make_gateway, background):
    """Names whose tunnel has not come yet; and those that there are not have no time to lose."""
    first = make_gateway()
    token = first.token("one")
    first.stop()
    gateway = make_gateway(*NEVER_SOON, tokens_file=first.tokens_file)
    visitor = ask(gateway)
    with gateway.visit("two") as other:
        assert other.request("GET", "/").status == 404
    agent = PyAgent(background, gateway, token)
    answer(agent)
    assert visitor.response().status == 200
    visitor.close()
    agent.close()


def test_in_their_order(make_gateway, background):
    gateway = make_gateway(*NEVER_SOON, "--max-streams", "1")
    token = gateway.token("one")
    gone(gateway, PyAgent(background, gateway, token))
    visitors = [ask(gateway, held=n + 1, target="/%d" % n) for n in range(6)]
    agent = PyAgent(background, gateway, token)
    for n, visitor in enumerate(visitors):
        assert answer(agent)["url"] == "/%d" % n
        assert visitor.response().status == 200
        visitor.close()
    agent.close()


def test_of_whom_nothing_was_sent(make_gateway, background):
    """Who has a stream is told that it broke; who waits for one waits on. Then it is lost again."""
    gateway = make_gateway(*NEVER_SOON, "--max-streams", "1")
    token = gateway.token("one")
    agent = PyAgent(background, gateway, token)
    before = gateway.counter("requests")
    sent, waits = gateway.visit("one"), gateway.visit("one")
    sent.begin("POST", "/pay", [("Content-Length", "0")])
    agent.request()
    waits.begin("GET", "/waits")
    came(gateway, before, 2)
    agent.cut()
    assert sent.response().status == 502
    gateway.wait_counter("held", 1)
    agent = PyAgent(background, gateway, token, "json")
    assert agent.request()["url"] == "/waits"
    agent.cut()
    assert waits.response().status == 502, "now something was sent"
    sent.close()
    waits.close()


def test_a_newer_connection_takes_over(make_gateway, background):
    gateway = make_gateway(*NEVER_SOON, "--max-streams", "1")
    token = gateway.token("one")
    agent = PyAgent(background, gateway, token)
    before = gateway.counter("requests")
    sent, waits = gateway.visit("one"), gateway.visit("one")
    sent.begin("GET", "/")
    agent.request()
    waits.begin("GET", "/waits")
    came(gateway, before, 2)
    newer = PyAgent(background, gateway, token)
    assert sent.response().status == 502
    assert answer(newer)["url"] == "/waits"
    assert waits.response().status == 200
    sent.close()
    waits.close()
    newer.close()


@pytest.mark.parametrize("fields, body", [
    ([("Content-Length", "300000")], b"x" * 300000),
    ([("Transfer-Encoding", "chunked")], b"493e0\r\n" + b"x" * 300000 + b"\r\n0\r\n\r\n"),
], ids=["length", "chunked"])
def test_uploads_wait_too(make_gateway, make_agent, origin, fields, body):
    """What has come of the body stays where it is."""
    gateway = make_gateway(*NEVER_SOON)
    token = gateway.token("one")
    visitor = ask(gateway, method="POST", target="/echo", fields=fields, body=body[:5000])
    make_agent(gateway.url, token, "127.0.0.1:%d" % origin.port, ca=gateway.ca).wait_open()
    visitor.send(body[5000:])
    assert visitor.response().body == b"x" * 300000
    visitor.close()


def test_upgrades_wait_too(make_gateway, background):
    gateway = make_gateway(*NEVER_SOON)
    token = gateway.token("one")
    visitor = ask(gateway, fields=[("Connection", "upgrade"), ("Upgrade", "echo")])
    agent = PyAgent(background, gateway, token)
    request = agent.request()
    assert [b"upgrade", b"echo"] in [list(h) for h in request["headers"]]
    agent.respond(request["id"], 101, [(b"connection", b"upgrade"), (b"upgrade", b"echo")],
                  more=True)
    assert visitor.head().status == 101
    visitor.close()
    agent.close()


# ---- how long ----

def test_for_its_time(make_gateway, background):
    gateway = make_gateway("--hold", "700ms")
    token = gateway.token("one")
    gone(gateway, PyAgent(background, gateway, token))
    with gateway.visit("one") as visitor:
        begin = time.monotonic()
        response = visitor.request("GET", "/")
        assert response.status == 503 and b"not connected" in response.body
        assert int(response.get("retry-after")) > 0
        assert 0.5 < time.monotonic() - begin < 10
        begin = time.monotonic()
        response = visitor.request("GET", "/")
        assert response.status == 502, "by now it is off"
        assert time.monotonic() - begin < 0.5


@pytest.mark.parametrize("options", [("--hold", "0"), ("--queue", "0")])
def test_or_not(make_gateway, background, options):
    gateway = make_gateway(*options)
    gone(gateway, PyAgent(background, gateway, gateway.token("one")))
    begin = time.monotonic()
    with gateway.visit("one") as visitor:
        assert visitor.request("GET", "/").status in (502, 503)
    assert time.monotonic() - begin < 2


# ---- the tokens file ----

def reload(gateway):
    since = gateway.mark()
    gateway.send(signal.SIGHUP)
    gateway.wait_for_log("in the tokens file", since)


def test_a_reload_forgets_nobody(make_gateway, background):
    gateway = make_gateway(*NEVER_SOON)
    tokens = {name: gateway.token(name) for name in ("one", "two", "three")}
    for token in tokens.values():
        gone(gateway, PyAgent(background, gateway, token))
    visitors = {name: ask(gateway, name, held=n + 1) for n, name in enumerate(tokens)}
    lines = gateway.tokens_file.read_text().splitlines()
    gateway.tokens_file.write_text("".join(
        line + "\n" for line in reversed(lines) if not line.startswith("two ")))
    reload(gateway)
    assert visitors["two"].response().status == 404
    gateway.wait_counter("held", 2)
    late = ask(gateway, "three", held=3)
    for name in ("one", "three"):
        agent = PyAgent(background, gateway, tokens[name])
        answer(agent)
        assert visitors[name].response().status == 200
        if name == "three":
            answer(agent)
            assert late.response().status == 200
        agent.close()
    for visitor in [late, *visitors.values()]:
        visitor.close()


def test_another_token_is_another_tunnel(make_gateway, background):
    gateway = make_gateway(*NEVER_SOON)
    gone(gateway, PyAgent(background, gateway, gateway.token("one")))
    visitor = ask(gateway)
    gateway.tokens_file.write_text("one " + "0" * 64 + "\n")
    reload(gateway)
    assert visitor.response().status == 404
    visitor.close()


# ---- what strangers can make us keep ----

PLACES = 8


def statuses(visitors):
    """Of those who were answered."""
    found = []
    for visitor in visitors:
        visitor.sock.settimeout(0.01)
        try:
            if visitor.more():
                found.append(visitor.response().status)
        except TimeoutError:
            pass
    return found


def crowd(gateway, source, count):
    visitors = []
    for _ in range(count):
        visitors.append(gateway.visit("one", source=source))
        visitors[-1].begin("GET", "/")
    return visitors


def test_bounded_in_number_and_by_address(make_gateway, background):
    """As many as may wait for a stream, and one address leaves some for others."""
    gateway = make_gateway(*NEVER_SOON, "--queue", str(PLACES), certs=None)
    gone(gateway, PyAgent(background, gateway, gateway.token("one")))
    before = gateway.counter("requests")
    greedy = crowd(gateway, "127.0.0.2", PLACES)
    came(gateway, before, PLACES)
    assert gateway.counter("held") == PLACES * 3 // 4
    assert statuses(greedy) == [503] * (PLACES // 4)
    others = [crowd(gateway, "127.0.0.%d" % n, 1)[0] for n in range(3, 7)]
    came(gateway, before, PLACES + 4)
    assert gateway.counter("held") == PLACES
    assert statuses(others) == [503, 503], "none for the last two"
    # Who leaves makes room: the proxies' one, who is not counted by address.
    greedy[0].close()
    gateway.wait_counter("held", PLACES - 1)
    last = ask(gateway, held=PLACES)
    for visitor in greedy[1:] + others:
        visitor.close()
    gateway.wait_counter("held", 1)
    gateway.wait_counter("connections", 1)
    last.close()


def test_who_left_is_not_served(make_gateway, background):
    gateway = make_gateway(*NEVER_SOON)
    token = gateway.token("one")
    gone(gateway, PyAgent(background, gateway, token))
    leaves, stays = ask(gateway, target="/leaves"), ask(gateway, held=2, target="/stays")
    leaves.close()
    gateway.wait_counter("held", 1)
    agent = PyAgent(background, gateway, token)
    assert answer(agent)["url"] == "/stays"
    assert stays.response().status == 200
    stays.close()
    agent.close()


def test_an_agent_that_comes_and_goes(make_gateway):
    """Nobody waits for longer than for a tunnel and for a stream, once each."""
    gateway = make_gateway("--hold", "600ms", "--queue-timeout", "600ms", certs=None)
    token = gateway.token("one")
    agent = RawAgent(gateway)
    visitor = ask(gateway)
    end = time.monotonic() + 20
    # It never lets anybody have a stream.
    while not statuses([visitor]):
        assert time.monotonic() < end, "he waits for ever"
        agent.close()
        agent = RawAgent(gateway)
        agent.say("Auth", token=token, agent="raw/1", window=0, max_streams=0)
        assert agent.message()[0] == "AuthSuccess"
    agent.close()
    visitor.close()
