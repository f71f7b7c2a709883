"""The faults of net_faults.py, a row each: what breaks, where, and how it is mended.

A fault is a function of the world and the row that it fills in: `broken`, from when on requests may
fail; `fault` and `found`, when it came and when the agent told; `mended`. Those who find nothing
(the session has to live through it) leave `found` out; where nothing may fail, `broken` as well.
"""
import contextlib
import hashlib
import signal
import socket
import ssl
import threading
import time

import net_world as world
from net_world import BACK_S, CLOUD, CLOUD6, CONNECT_S, DEVICE, NAMES, NOBODY, OPEN_S
from origin import pattern_sha
from procs import wait_until
from visitor import Broken

HOLE, RESET, BREAK = 1, 2, 3
THERE, BACK = 1, 2
KINDS = {"hole": HOLE, "reset": RESET}


class Row:
    """What a case has measured, by time.monotonic()."""
    broken = fault = found = mended = back = None
    lost = 0
    found_most, back_most = CONNECT_S, BACK_S
    # From here on nothing may fail any more; None: from `back` on.
    calm = None
    # Programs that are others afterwards: there is nothing to compare.
    replaced = ()


class Case:
    def __init__(self, name, fault, quick=False, needs=None, world=None):
        self.name, self.fault, self.quick, self.needs = name, fault, quick, needs
        self.world = world or {}


# ---- a path that is bad, but there ----

def lives(seconds=3.0, size=300000):
    """Requests and a body each way, all the time; nothing may fail."""
    def fault(w, row):
        end = time.monotonic() + seconds
        sessions = sum("session" in line and " open" in line for line in w.agent.lines)
        if size:
            transfer(w, size, 120)
        time.sleep(max(0, end - time.monotonic()))
        row.mended = time.monotonic()
        again = sum("session" in line and " open" in line for line in w.agent.lines)
        assert again == sessions, "it reconnected:\n" + w.agent.log()[-3000:]
    return fault


def transfer(w, size, timeout):
    """A body down and one up, whole."""
    with w.visit(timeout=timeout) as v:
        assert v.request("GET", "/bytes/%d" % size).sha == pattern_sha(size)
    with w.visit(timeout=timeout) as v:
        body = b"u" * size
        told = v.request("POST", "/describe", body=body)
        assert hashlib.sha256(body).hexdigest().encode() in told.body, told


# Times of a path that takes seconds to answer.
PATIENT = ["--ping-interval", "5s", "--ping-timeout", "15s", "--connect-timeout", "30s",
           "--request-timeout", "60s"]
GATEWAY_PATIENT = ["--ping-interval", "5s", "--ping-timeout", "15s"]


def slow(name, size=300000, seconds=6.0, every=0.5, quick=False, **path):
    return Case("path " + name, lives(seconds, size), quick, world={
        "agent": PATIENT, "gateway": GATEWAY_PATIENT, "path": path, "patience": 60.0,
        "every": every})


PATHS = [
    slow("loses 1 %", loss=10000, delay_us=5000, quick=True, seconds=2, every=0.1),
    slow("loses 5 %", loss=50000, delay_us=5000),
    slow("loses 20 %", loss=200000, delay_us=5000, size=100000),
    slow("of 300 ms", delay_us=150000),
    slow("of 8 kbit/s", size=2000, seconds=12, every=4, kbit=8, queue_kb=16),
    slow("reorders 20 %", reorder=200000, late_us=5000, delay_us=2000),
    slow("duplicates 20 %", duplicate=200000, delay_us=2000, quick=True, seconds=1, every=0.1),
]


def small_mtu(w, row):
    for space in (w.device, w.cloud):
        space.run("ip", "link", "set", "path", "mtu", "576")
    lives()(w, row)


def mtu_hole(w, row):
    """Full packets are lost and nobody is told. What is small would still pass, but visitors who
    have waited come in packets that are full."""
    since = w.agent.mark()
    row.broken = row.fault = w.path.set(most=1200)
    failed = upload(w)
    row.found = w.wait_failures(1, since)
    failed()
    hold(2)
    row.mended = w.path.set(most=0)
    transfer(w, 300000, 20)


def mtu_hole_probed(w, row):
    """The kernel finds the size by itself, where it is asked to (RFC 4821)."""
    for space in (w.device, w.cloud):
        space.set(net__ipv4__tcp_mtu_probing=2, net__ipv4__tcp_base_mss=1024)
    row.broken = w.path.set(cut=RESET, syn=1)
    w.wait_failures(1, 0)
    w.wait_served(w.path.set(most=1200))
    w.path.set(cut=0, syn=0)
    transfer(w, 300000, 60)
    row.mended = time.monotonic()


PATHS += [
    Case("path of MTU 576", small_mtu),
    Case("path with an MTU hole", mtu_hole),
    Case("path with an MTU hole, probed", mtu_hole_probed, world={
        "agent": PATIENT, "gateway": GATEWAY_PATIENT}),
]


# ---- a cut, in every state of the connection ----

def hold(seconds):
    time.sleep(seconds)


def reconnect_into(kind, of, after, least=1, said=(), not_said=()):
    """The connection breaks, and the next one is cut when so many packets have passed, or some
    more, until the log shows that this was the state."""
    def attempt(w, row, packets):
        since, cuts = w.agent.mark(), w.path.mark()
        w.path.set(cut=RESET, syn=1, of=of, after=packets, least=least, then=kind)
        row.fault = w.path.wait_cut(cuts)
        row.found = w.wait_failures(2, since)
        log = w.agent.log(since).split("disconnected: ")[1]
        return all(x in log for x in said) and not any(x in log for x in not_said), log

    def fault(w, row):
        row.broken = time.monotonic()
        for packets in range(after, after + 4):
            hit, log = attempt(w, row, packets)
            row.mended = w.path.set(cut=0)
            if hit:
                return
            w.wait_served(row.mended)
        raise AssertionError("never in this state; the last time:\n" + log)
    return fault


def without_names(begin, end, at_start=False, count=2, most=CONNECT_S, later=0):
    """The connection breaks, or the agent is started anew, while names are not well. An agent that
    remembers where its gateway was may serve all the same: then there is nothing to find."""
    def fault(w, row):
        since = 0 if at_start else w.agent.mark()
        begin(w)
        row.broken = row.fault = time.monotonic()
        if at_start:
            w.agent.stop()
            w.start_agent()
            row.replaced = ("agent",)
        else:
            w.path.set(cut=BREAK, syn=1)
            row.fault = w.wait_failures(1, since)
            w.path.set(cut=0, syn=0)
        wait_until(lambda: w.failures(since) >= count or w.steady.served(row.fault), "an end", 60)
        row.found = time.monotonic() if w.failures(since) >= count else None
        end(w)
        row.mended = time.monotonic()
        row.found_most, row.back_most = most, BACK_S + later
    return fault


def mood(value):
    def begin(w):
        w.names.mood = value
    return begin


def no_names(w):
    """Nobody listens on port 53: told at once."""
    w.names.close()


def names_again(w):
    w.names = world.NameServer(w.cloud, NAMES)
    w.ends.callback(w.names.close)


def refused(w, row):
    since = w.agent.mark()
    row.broken = w.path.set(cut=RESET)
    row.fault = w.wait_failures(1, since)
    row.found = w.wait_failures(2, since)
    row.mended = w.path.set(cut=0)


def cut_open(kind, ways=3, seconds=0.0):
    """In the midst of small requests."""
    def fault(w, row):
        since = w.agent.mark()
        row.broken = row.fault = w.path.set(cut=kind, ways=ways)
        row.found = w.wait_failures(1, since)
        hold(seconds)
        row.mended = w.path.set(cut=0, ways=3)
        row.found_most = OPEN_S
    return fault


def cut_request_head(kind):
    """The head of a request is what arrives last."""
    def fault(w, row):
        since, cuts = w.agent.mark(), w.path.mark()
        row.broken = w.path.set(of=BACK, least=90, after=1, then=kind)
        row.fault = w.path.wait_cut(cuts)
        row.found = w.wait_failures(1, since)
        row.mended = w.path.set(cut=0)
        row.found_most = OPEN_S
    return fault


def download(w):
    return in_background(lambda v: v.request("GET", "/bytes/30000000"), w)


def upload(w):
    return in_background(lambda v: v.request("POST", "/describe", body=b"u" * 10000000), w)


def in_background(what, w):
    """Begins; the result waits for its end, and tells whether it was answered whole."""
    results = []

    def go():
        try:
            with w.visit(timeout=20) as v:
                results.append(what(v).status == 200)
        except (OSError, Broken, ssl.SSLError, AssertionError, ValueError):
            results.append(False)
    thread = threading.Thread(target=go)
    thread.start()

    def end():
        thread.join(30)
        return results[0]
    return end


def cut_body(kind, of, begin):
    def fault(w, row):
        since, cuts = w.agent.mark(), w.path.mark()
        row.broken = w.path.set(of=of, least=1000, after=200, then=kind)
        end = begin(w)
        row.fault = w.path.wait_cut(cuts)
        row.found = w.wait_failures(1, since)
        row.mended = w.path.set(cut=0)
        assert not end(), "a body that was cut was whole"
        row.found_most = OPEN_S
    return fault


def cut_close(kind):
    """The gateway goes, and its goodbye is lost."""
    def fault(w, row):
        since = w.agent.mark()
        row.broken = row.fault = w.path.set(cut=kind)
        w.gateway.stop()
        row.found = w.wait_failures(1, since)
        w.start_gateway()
        row.mended = w.path.set(cut=0)
        row.found_most, row.replaced = OPEN_S, ("gateway",)
    return fault


def cut_stop(kind):
    """The agent is told to end, and its goodbye is lost: `found` is its end."""
    def fault(w, row):
        row.broken = row.fault = w.path.set(cut=kind)
        w.agent.send(signal.SIGTERM)
        assert w.agent.wait() == 0
        row.found = time.monotonic()
        w.start_agent()
        row.mended = w.path.set(cut=0)
        row.replaced = ("agent",)
    return fault


RESUMED, CONNECTED, OPENED = "TLS session resumed", "connected, protocol", " open"
STATES = []
for kind_name, kind in KINDS.items():
    STATES += [
        Case("%s while resolving" % kind_name, without_names(mood("silent"), mood(None))
             if kind == HOLE else without_names(no_names, names_again)),
        Case("%s while dialling" % kind_name,
             reconnect_into(HOLE, THERE, 1, least=0, not_said=[CONNECTED, RESUMED])
             if kind == HOLE else refused, quick=kind == RESET),
        Case("%s in the handshake, hello sent" % kind_name,
             reconnect_into(kind, THERE, 1, not_said=[CONNECTED, RESUMED]), quick=kind == HOLE),
        Case("%s in the handshake, hello come" % kind_name,
             reconnect_into(kind, BACK, 1, not_said=[CONNECTED])),
        Case("%s in the upgrade" % kind_name,
             reconnect_into(kind, THERE, 2, said=[RESUMED], not_said=[CONNECTED]),
             quick=kind == RESET),
        Case("%s in the auth" % kind_name,
             reconnect_into(kind, BACK, 4, said=[RESUMED, CONNECTED], not_said=[OPENED]),
             quick=kind == HOLE),
        Case("%s between requests" % kind_name, cut_open(kind), quick=True),
        Case("%s after a request's head" % kind_name, cut_request_head(kind),
             quick=kind == RESET),
        Case("%s in a request's body" % kind_name, cut_body(kind, BACK, upload)),
        Case("%s in a response's body" % kind_name, cut_body(kind, THERE, download), quick=True),
        Case("%s as the gateway goes" % kind_name, cut_close(kind)),
        Case("%s as the agent goes" % kind_name, cut_stop(kind), quick=kind == HOLE),
    ]


# ---- the path as a whole ----

def short_cut(w, row):
    """Over before anybody has given up: the same session goes on, or another one."""
    row.broken = row.fault = w.path.set(cut=HOLE)
    hold(0.7)
    row.mended = w.path.set(cut=0)


def flaps(w, row):
    row.broken = time.monotonic()
    for _ in range(8):
        w.path.set(cut=HOLE)
        hold(0.9)
        w.path.set(cut=0)
        hold(0.5)
    row.mended = time.monotonic()


def link_down(w, row):
    since = w.agent.mark()
    row.broken = row.fault = time.monotonic()
    w.device.run("ip", "link", "set", "path", "down")
    row.found = w.wait_failures(1, since)
    # Without a route every attempt fails at once.
    w.wait_failures(3, since)
    w.device.run("ip", "link", "set", "path", "up")
    row.mended = time.monotonic()
    row.found_most = OPEN_S


def new_lease(w, row):
    """Another address of our own, the old one gone."""
    since = w.agent.mark()
    row.broken = row.fault = time.monotonic()
    w.device.run("ip", "addr", "del", DEVICE + "/24", "dev", "path")
    w.device.run("ip", "addr", "add", "10.78.0.11/24", "dev", "path")
    row.mended = time.monotonic()
    row.found = w.wait_failures(1, since)
    row.found_most, row.back_most = OPEN_S, OPEN_S + BACK_S


LINKS = [
    Case("hole one way, from the device", cut_open(HOLE, THERE)),
    Case("hole one way, to the device", cut_open(HOLE, BACK)),
    Case("hole of 0.7 s", short_cut, quick=True),
    Case("hole of 45 s", cut_open(HOLE, seconds=45)),
    Case("holes, again and again", flaps),
    Case("link down", link_down, quick=True),
    Case("another address of the device", new_lease, quick=True),
]


# ---- names ----

def names_are(value, at_start=False):
    """That a name is unknown may be remembered for some seconds (RFC 2308)."""
    return without_names(mood(value), mood(None), at_start, 3, 3 * CONNECT_S,
                         5 if value == "unknown" else 0)


def names_slow(w, row):
    """Slow is no fault: it gets there."""
    w.names.delay = 0.8
    row.broken = w.path.set(cut=RESET)
    w.wait_failures(1, 0)
    row.mended = w.path.set(cut=0)
    row.back_most = BACK_S + 0.8


def dead_at_start(w, row):
    """A device that boots before its uplink does."""
    row.broken = row.fault = time.monotonic()
    w.agent.stop()
    w.path.set(cut=HOLE)
    (w.etc / "resolv.conf").unlink()
    w.start_agent()
    row.found = w.wait_failures(2, 0)
    w.resolv_conf("nameserver " + NAMES)
    row.mended = w.path.set(cut=0)
    row.found_most, row.replaced = 3 * CONNECT_S, ("agent",)


def other_names():
    """resolv.conf of the old uplink, then of the new one, whose first server is dead as well."""
    return without_names(lambda w: w.resolv_conf("nameserver " + NOBODY), lambda w: w.resolv_conf(
        "nameserver %s\nnameserver %s" % (NOBODY, NAMES)))


def gateway_moves(told):
    """To another address; the old one is dead."""
    def fault(w, row):
        since = w.agent.mark()
        w.cloud.run("ip", "addr", "add", "10.78.0.3/24", "dev", "path")
        row.broken = row.fault = time.monotonic()
        w.cloud.run("ip", "addr", "del", CLOUD + "/24", "dev", "path")
        # Those of the same network go with the first one.
        for address in ("10.78.0.3", NAMES):
            w.cloud.run("ip", "addr", "replace", address + "/24", "dev", "path")
        if told:
            w.names.records = ["10.78.0.3"]
        row.found = w.wait_failures(1 if told else 2, since)
        w.names.records, row.mended = ["10.78.0.3"], time.monotonic()
        row.found_most = OPEN_S if told else OPEN_S + CONNECT_S + 0.2
    return fault


def family_dead(dead):
    """Of two addresses one leads nowhere, from the next connection on."""
    def fault(w, row):
        since = w.agent.mark()
        row.broken = row.fault = time.monotonic()
        if dead == CLOUD:
            w.cloud.run("ip", "addr", "del", CLOUD + "/24", "dev", "path")
            w.cloud.run("ip", "addr", "replace", NAMES + "/24", "dev", "path")
        else:
            w.cloud.run("ip", "addr", "del", CLOUD6 + "/64", "dev", "path")
        w.path.set(cut=RESET, syn=1)
        row.found = w.wait_failures(1, since)
        row.mended = time.monotonic()
    return fault


def family_refused(w, row):
    """No route to IPv6 at all, as on a device that has no such uplink."""
    w.device.run("ip", "-6", "route", "flush", "dev", "path")
    family_dead(CLOUD)(w, row)
    w.cloud.run("ip", "addr", "add", CLOUD + "/24", "dev", "path")
    row.mended = time.monotonic()


BOTH = {"records": [CLOUD, CLOUD6]}
NAMED = [
    Case("names dead at the start", dead_at_start, quick=True),
    Case("names refused", names_are("refuses"), quick=True),
    Case("names unknown", names_are("unknown")),
    Case("names garbage", names_are("garbage")),
    Case("names unknown at the start", names_are("unknown", True)),
    Case("names garbage at the start", names_are("garbage", True)),
    Case("names slow", names_slow),
    Case("another resolv.conf", other_names()),
    Case("gateway at another address", gateway_moves(True)),
    Case("gateway at another address, told late", gateway_moves(False)),
    Case("IPv6 dead", family_dead(CLOUD6), world=BOTH),
    Case("IPv4 dead", family_dead(CLOUD), quick=True, world=BOTH),
    Case("IPv4 dead, IPv6 without a route", family_refused, world=BOTH),
]


# ---- the gateway ----

def gateway_killed(seconds):
    def fault(w, row):
        since = w.agent.mark()
        row.broken = row.fault = time.monotonic()
        w.gateway.kill()
        row.found = w.wait_failures(1, since)
        hold(seconds)
        w.start_gateway()
        row.mended = time.monotonic()
        row.replaced = ("gateway",)
    return fault


def gateway_restarted(w, row):
    since = w.agent.mark()
    row.broken = row.fault = time.monotonic()
    w.gateway.stop()
    w.start_gateway()
    row.mended = time.monotonic()
    row.found = w.wait_failures(1, since)
    row.replaced = ("gateway",)


def frozen(who, seconds):
    """SIGSTOP for a while."""
    def fault(w, row):
        program, since = getattr(w, who), w.agent.mark()
        row.broken = row.fault = time.monotonic()
        program.send(signal.SIGSTOP)
        try:
            if who == "gateway" and seconds > OPEN_S:
                row.found = w.wait_failures(1, since)
            hold(seconds - (time.monotonic() - row.fault))
        finally:
            program.send(signal.SIGCONT)
        row.mended = time.monotonic()
        row.found_most = OPEN_S
    return fault


def other_certificate(w, row):
    """Renewed, with another kind of key."""
    w.use_certificate(w.certs, "rsa")
    since = w.gateway.mark()
    w.gateway.send(signal.SIGHUP)
    w.gateway.wait_for_log("in the tokens file", since)
    row.broken = w.path.set(cut=RESET, syn=1)
    w.wait_failures(1, 0)
    row.mended = time.monotonic()


def untrusted(w, row):
    since = w.agent.mark()
    w.use_certificate(w.other_certs, "server")
    row.broken = row.fault = time.monotonic()
    w.gateway.kill()
    w.start_gateway()
    w.agent.wait_for_log("disconnected: .*does not end in a trusted CA", since)
    row.found = time.monotonic()
    w.wait_failures(4, since)
    w.use_certificate(w.certs, "server")
    w.gateway.kill()
    w.start_gateway()
    row.mended, row.replaced = time.monotonic(), ("gateway",)


def stranger(answer):
    """Somebody else where the gateway was: a portal, or one who says nothing."""
    def fault(w, row):
        since = w.agent.mark()
        row.broken = row.fault = time.monotonic()
        w.gateway.kill()
        with w.cloud.inside():
            listener = socket.create_server(("0.0.0.0", world.AGENTS))
        with listener:
            kept = []
            threading.Thread(target=serve, args=(listener, kept, answer), daemon=True).start()
            row.found = w.wait_failures(1, since)
            w.wait_failures(4, since)
            listener.shutdown(socket.SHUT_RDWR)
        for s in kept:
            s.close()
        w.start_gateway()
        row.mended, row.replaced = time.monotonic(), ("gateway",)
    return fault


def serve(listener, kept, answer):
    with contextlib.suppress(OSError):
        while True:
            s, _ = listener.accept()
            kept.append(s)
            if answer:
                s.sendall(answer)
                s.shutdown(socket.SHUT_WR)


PORTAL = b"HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\nContent-Length: 0\r\n\r\n"
GATEWAYS = [
    Case("gateway killed", gateway_killed(0), quick=True),
    Case("gateway killed, back after 5 s", gateway_killed(5)),
    Case("gateway restarted", gateway_restarted, quick=True),
    Case("gateway frozen for 0.5 s", frozen("gateway", 0.5)),
    Case("gateway frozen for 4 s", frozen("gateway", 4.0)),
    Case("agent frozen for 4 s", frozen("agent", 4.0)),
    Case("gateway with another certificate", other_certificate, quick=True),
    Case("gateway with an untrusted one", untrusted),
    Case("a portal where the gateway was", stranger(PORTAL)),
    Case("a silent one where the gateway was", stranger(None)),
]


# ---- a router between ----

def nat_forgets(loose):
    """What it does with a connection that it does not know: it lets it out under another port, or
    as it is."""
    def fault(w, row):
        since = w.agent.mark()
        w.router.set(net__netfilter__nf_conntrack_tcp_loose=int(loose))
        w.masquerade("random")
        row.broken = w.path.set(cut=RESET, syn=1)
        w.wait_served(w.wait_failures(1, since))
        w.path.set(cut=0, syn=0)
        row.fault = time.monotonic()
        w.router.run("sh", "-c", "conntrack -F 2>&1")
        row.mended = time.monotonic()
        row.found = w.wait_failures(2, since)
        row.found_most, row.back_most = OPEN_S, OPEN_S + BACK_S
    return fault


def router_restarts(w, row):
    since = w.agent.mark()
    row.broken = row.fault = time.monotonic()
    w.router.run("ip", "link", "set", "lan", "down")
    row.found = w.wait_failures(1, since)
    w.router.run("ip", "link", "set", "lan", "up")
    row.mended = time.monotonic()
    row.found_most = OPEN_S


ROUTED = {"router": True}
ROUTERS = [
    Case("NAT forgets, drops", nat_forgets(False), world=ROUTED),
    Case("NAT forgets, other port", nat_forgets(True), world=ROUTED),
    Case("router restarts", router_restarts, world=ROUTED),
]


# ---- the local server ----

def local_leaves(w, row):
    """`found` is the visitor's 502; the tunnel stays."""
    since = w.agent.mark()
    w.local.leave()
    row.broken = row.fault = time.monotonic()
    wait_until(lambda: [a for a in list(w.steady.asked) if b" 502 " in a.got[:20]], "a 502")
    row.found = time.monotonic()
    hold(1)
    w.local.come()
    row.mended = time.monotonic()
    assert "disconnected" not in w.agent.log(since), w.agent.log(since)


def local_fails(path, expected):
    """One request meets it, others do not notice."""
    def fault(w, row):
        since, row.fault = w.agent.mark(), time.monotonic()
        with w.visit() as v, contextlib.suppress(Broken):
            status = v.request("GET", path).status
            assert status == expected, status
        row.found = row.mended = time.monotonic()
        row.found_most = 2.0 + 0.5
        assert "disconnected" not in w.agent.log(since), w.agent.log(since)
    return fault


LOCALS = [
    Case("local server gone for 1 s", local_leaves, quick=True),
    Case("local server hangs", local_fails("/hang", 504)),
    Case("local server dies midway", local_fails("/die", 200), quick=True),
]


# ---- what options of other versions are for; each waits for its own ----

def next_connection(w, row):
    """It breaks, and the way to the next one is found."""
    since = w.agent.mark()
    row.broken = row.fault = w.path.set(cut=RESET, syn=1)
    row.found = w.wait_failures(1, since)
    row.mended = w.path.set(cut=0, syn=0)
    row.back_most = 2 * BACK_S


def proxy_is(mood):
    """"dead", or a status that it answers every CONNECT with; then well again."""
    def fault(w, row):
        since = w.agent.mark()
        w.proxy.mood = mood
        row.broken = w.path.set(cut=RESET)
        row.fault = w.wait_failures(1, since)
        w.path.set(cut=0)
        row.found = w.wait_failures(2, since)
        w.proxy.mood, row.mended = None, time.monotonic()
    return fault


def held_visitors(w, row):
    """Those who ask while the tunnel is away are answered late, not turned away."""
    since = w.agent.mark()
    w.names.mood = "silent"
    row.broken = row.fault = w.path.set(cut=BREAK)
    row.found = row.calm = w.wait_failures(1, since)
    w.wait_failures(2, since)
    w.names.mood, row.mended = None, w.path.set(cut=0)


def told_to_dial(w, row):
    """At once, instead of when its long delay is over."""
    since = w.agent.mark()
    row.broken = row.fault = w.path.set(cut=RESET)
    row.found = w.wait_failures(1, since)
    row.mended = w.path.set(cut=0)
    w.agent.send(signal.SIGUSR2)
    row.back_most = 0.5


TWO = ["--url", "wss://first.test:443/_adit", "--url", "wss://gw.test:443/_adit"]
LATER = [
    Case("first gateway dead for good", next_connection, needs="--url URL .*times", world={
        "agent": TWO, "named": {"first.test": [NOBODY]}}),
    Case("first gateway unknown for good", next_connection, needs="--url URL .*times", world={
        "agent": TWO, "named": {"first.test": []}}),
    Case("proxy dead", proxy_is("dead"), needs="--proxy", world={"proxy": True}),
    Case("proxy says 407", proxy_is(407), needs="--proxy", world={"proxy": True}),
    Case("proxy says 502", proxy_is(502), needs="--proxy", world={"proxy": True}),
    Case("tunnel gone, visitors held", held_visitors, needs="--hold", world={
        "gateway": ["--hold", "15s"], "patience": 20.0}),
    Case("told to dial after the mend", told_to_dial, needs="SIGUSR2", world={
        "agent": ["--max-delay", "60s", "--base-delay", "10s"]}),
]

CASES = PATHS + STATES + LINKS + NAMED + GATEWAYS + ROUTERS + LOCALS + LATER
