"""Certificates good and bad, served by `openssl s_server`: verdict and sentence for each, with the
clock right, in 1970 and in 2100. The clock is an argument of tls-probe, the agent's TLS."""
import platform
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from conftest import runs_native
from procs import BUILD, RUNNER, Proc, run

PROBE = [*RUNNER, str(BUILD / "tls-probe")]
DAY = 86400

OK = ("accepted", "accepted", "expired")
NAME = ("another name", "another name", "expired")
NOT_TRUSTED = ("does not end in a trusted CA", "does not end in a trusted CA", "expired")
NOT_CA = ("signs another although it may not",) * 2 + ("expired",)
WEAK_SIGNATURE = ("SHA-256 or better",) * 2 + ("expired",)
PURPOSE = ("is for another purpose (extendedKeyUsage)",) * 2 + ("expired",)
LIMITS = ("may not sign for this name (nameConstraints)",) * 2 + ("expired",)
# openssl does not use such a certificate for the suites that are left.
USAGE = ("the server offers nothing safe",) * 3

# Certificate: verdict with the clock right, in 1970 (the program is a day old), in 2100.
ZOO = {
    "rsa2048": OK, "rsa4096": OK, "p256": OK, "p384": OK,
    # It fits none of the client's signature algorithms: the server refuses.
    "ed25519": ("P-521, Ed25519",) * 3, "p521-leaf": ("P-521, Ed25519",) * 3,
    "wildcard": OK,
    "wrong-name": NAME,
    "expired": ("expired",) * 3,
    "early": ("not valid yet", "not valid yet", "expired"),
    "self": (NOT_TRUSTED[0], "not valid yet", "expired"), "unknown-root": NOT_TRUSTED,
    "missing": NOT_TRUSTED,
    "through": OK,
    "young-chain": ("accepted", "not valid yet", "expired"),
    "leaf-as-ca": NOT_CA, "path-length": NOT_CA,
    "rsa1024": ("below 2048 bits",) * 2 + ("expired",),
    "sha1": WEAK_SIGNATURE, "md5": WEAK_SIGNATURE,
    # What authorities say of themselves, in the file and in the chain.
    "root-elsewhere": LIMITS, "root-here": OK, "root-no-signer": NOT_CA, "root-signer": OK,
    "root-purpose": PURPOSE, "root-short": OK, "root-path-length": NOT_CA,
    "soft-elsewhere": LIMITS, "critical-elsewhere": LIMITS, "critical-here": OK, "excluded": LIMITS,
    "other-names": OK, "no-signer": NOT_CA, "mail": PURPOSE, "web": OK,
    "p521": ("no SHA-1, MD5, P-521, Ed25519",) * 2 + ("expired",),
    "client-only": PURPOSE, "server-only": OK, "any-purpose": PURPOSE,
    "critical-unknown": ("of an unknown form",) * 2 + ("expired",),
    "agreement": USAGE, "repudiation": USAGE, "signature": OK,
    # Its common name is the host's.
    "zoo.test": ("names no host (subjectAltName)",) * 2 + ("expired",),
    "address": OK, "address-as-name": NAME,
}
HOST = {"wildcard": "a.zoo.test"}


@pytest.fixture
def serve(zoo):
    servers = []

    def start(name, *options):
        argv = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", zoo / (name + ".pem"),
                "-key", zoo / (name + ".key"), "-naccept", "20", "-cipher", "ALL:@SECLEVEL=0"]
        chain = zoo / (name + ".chain")
        # At the end of its input it would hang up.
        server = Proc([*argv, *(["-cert_chain", chain] if chain.exists() else []), *options],
                      stdin=subprocess.PIPE)
        servers.append(server)
        return server, int(server.wait_for_log(r"ACCEPT .*:(\d+)").group(1))
    yield start
    for server in servers:
        server.kill()
        server.child.stdin.close()


def probe(port, now, built, trust, host="zoo.test", known=0):
    status, out, err = run([*PROBE, port, host, int(now), int(built), int(known), trust])
    assert err == ""
    assert status == (0 if out.startswith("accepted") else 1), out
    return out


CLOCKS = ["right", "1970", "2100"]


def moment(clock):
    """Time, and when the program was made."""
    now = time.time()
    return {"right": (now, now - DAY), "1970": (3600, now - DAY),
            "2100": (130 * 365 * DAY, now - DAY)}[clock]


@pytest.mark.parametrize("name", ZOO)
def test_zoo(zoo, serve, name):
    _, port = serve(name)
    for clock, expected in zip(CLOCKS, ZOO[name]):
        said = probe(port, *moment(clock), zoo / "roots.pem", HOST.get(name, "zoo.test"))
        first = said.splitlines()[0]
        if expected.startswith("accepted"):
            assert first == expected, clock
        else:
            assert first.startswith("refused: ") and expected in first, (clock, said)


def test_time_known(zoo, serve):
    """A clock that is not set, and a later time that a gateway told: as of that one."""
    _, port = serve("early")
    now, built = moment("1970")
    for year, told in (0, "not valid yet"), (2, "accepted"), (4, "expired"):
        assert told in probe(port, now, built, zoo / "roots.pem",
                             known=time.time() + year * 365 * DAY)


@pytest.mark.parametrize("name, host, expected", [
    ("address", "127.0.0.1", "accepted"), ("address", "::1", "accepted"),
    ("address", "0:0::0:1", "accepted"), ("address", "127.0.0.2", "another name"),
    ("address", "::7f00:1", "another name"), ("address-as-name", "127.0.0.1", "another name"),
    ("p256", "127.0.0.1", "another name"), ("zoo.test", "127.0.0.1", "names no host")])
def test_address(zoo, serve, name, host, expected):
    """An address is one of the certificate's addresses, and nothing else of it is; there is no
    server name for it (RFC 6066 section 3)."""
    server, port = serve(name, "-tls1_2", "-tlsextdebug")
    assert expected in probe(port, *moment("right"), zoo / "roots.pem", host)
    assert '"server name"' not in server.log()


@pytest.mark.parametrize("host", ["zoo.test", "a.b.zoo.test", "azoo.test", "zoo.test.a.zoo.test.x"])
def test_wildcard_wrong(zoo, serve, host):
    _, port = serve("wildcard")
    for clock in CLOCKS[:2]:
        assert "another name" in probe(port, *moment(clock), zoo / "roots.pem", host)


@pytest.mark.parametrize("version, told", [("-tls1_1", "it needs TLS 1.2"),
                                           ("-tls1_3", "refuses TLS 1.2")])
def test_versions(zoo, serve, version, told):
    _, port = serve("p256", version)
    for clock in CLOCKS:
        assert told in probe(port, *moment(clock), zoo / "roots.pem")


def ask_beside(port, zoo, clock):
    """A probe on another thread: its answer is the list's first, once the thread has ended."""
    said = []
    asker = threading.Thread(target=lambda: said.append(
        probe(port, *moment(clock), zoo / "roots.pem")))
    asker.start()
    return asker, said


@pytest.mark.parametrize("clock", CLOCKS)
def test_renegotiation(zoo, serve, clock):
    """A server that asks for a new handshake gets none (RFC 5746 section 4.5), which OpenSSL takes
    as the end of the connection."""
    server, port = serve("p256", "-tls1_2")
    asker, said = ask_beside(port, zoo, clock)
    if clock != "2100":
        server.wait_for_log("CIPHER")
        server.child.stdin.write(b"r\n")
        server.child.stdin.flush()
        server.wait_for_log("no renegotiation")
    asker.join(20)
    if clock == "2100":
        assert "expired" in said[0]
    else:
        assert said[0].startswith("accepted\n") and len(said[0].splitlines()) == 2, said


@pytest.mark.parametrize("clock", CLOCKS)
def test_truncated(zoo, serve, clock):
    server, port = serve("p256", "-tls1_2")
    asker, said = ask_beside(port, zoo, clock)
    if clock != "2100":
        server.wait_for_log("CIPHER")
        server.send(signal.SIGKILL)
    asker.join(20)
    if clock == "2100":
        assert "expired" in said[0]
    else:
        assert said[0].splitlines() == ["accepted", "the connection broke off"]


# ---- what is offered ----

def test_offer(zoo, serve):
    """RFC 5246 sections 7.4.1.2 to 7.4.1.4: TLS 1.2, no other; the order of the suites is that of
    this processor."""
    server, port = serve("p256", "-tls1_2", "-msg", "-tlsextdebug")
    probe(port, *moment("right"), zoo / "roots.pem")
    lines = iter(server.log().splitlines())
    next(line for line in lines if "ClientHello" in line)
    hello = []
    for line in lines:
        if not line.startswith("    "):
            break
        hello += [int(x, 16) for x in line.split()]
    hello = bytes(hello)
    assert hello[4:6] == b"\3\3"
    at = 38 + 1 + hello[38]
    n = int.from_bytes(hello[at:at + 2], "big")
    suites = [int.from_bytes(hello[i:i + 2], "big") for i in range(at + 2, at + 2 + n, 2)]
    aes = [0xc02b, 0xc02f, 0xc02c, 0xc030]
    chacha = [0xcca9, 0xcca8]
    if runs_native() and platform.machine() == "x86_64":
        has = {"aes", "pclmulqdq"} <= set(Path("/proc/cpuinfo").read_text().split())
        assert suites == (aes + chacha if has else chacha)
    else:
        assert suites == chacha + aes
    extensions, at = {}, at + 2 + n + 2 + 2
    while at < len(hello):
        kind = int.from_bytes(hello[at:at + 2], "big")
        size = int.from_bytes(hello[at + 2:at + 4], "big")
        extensions[kind] = hello[at + 4:at + 4 + size]
        at += 4 + size
    assert 43 not in extensions, "supported_versions: TLS 1.3"
    # In BearSSL's order, by number: P-256, P-384, X25519.
    assert extensions[10] == bytes([0, 6, 0, 23, 0, 24, 0, 29])
    signatures = extensions[13][2:]
    pairs = {tuple(signatures[i:i + 2]) for i in range(0, len(signatures), 2)}
    assert pairs == {(h, s) for h in (4, 5, 6) for s in (1, 3)}, "SHA-256 to SHA-512, RSA and ECDSA"


@pytest.mark.parametrize("suite", ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
                                   "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-AES128-GCM-SHA256",
                                   "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"])
@pytest.mark.parametrize("curve", ["X25519", "P-256", "P-384"])
def test_suites(zoo, serve, suite, curve):
    _, port = serve("p256" if "ECDSA" in suite else "rsa2048", "-tls1_2", "-cipher", suite,
                    "-curves", curve)
    assert probe(port, *moment("right"), zoo / "roots.pem").splitlines() == ["accepted",
                                                                             "it stands"]


@pytest.mark.parametrize("suite", ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256",
                                   "DHE-RSA-AES128-GCM-SHA256",
                                   "ECDHE-ECDSA-AES128-CCM", "ECDHE-RSA-AES128-SHA"])
def test_other_suites(zoo, serve, suite):
    _, port = serve("p256" if "ECDSA" in suite else "rsa2048", "-tls1_2", "-cipher",
                    suite + ":@SECLEVEL=0")
    assert "offers nothing safe" in probe(port, *moment("right"), zoo / "roots.pem")


@pytest.mark.parametrize("garbage", [b"\0" * 3000, b"HTTP/1.1 400 Bad Request\r\n\r\n",
                                     bytes(range(256)) * 8,
                                     b"\x16\x03\x03\x40\x00" + b"\x05" * 20000],
                         ids=["zeroes", "http", "bytes", "record"])
def test_garbage(zoo, background, garbage):
    import asyncio

    async def say(reader, writer):
        writer.write(garbage)
        await reader.read()
        writer.close()

    async def listen():
        return await asyncio.start_server(say, "127.0.0.1", 0)
    server = background.run(listen())
    port = server.sockets[0].getsockname()[1]
    for clock in CLOCKS:
        said = probe(port, *moment(clock), zoo / "roots.pem")
        assert said.startswith("refused: ") and ("TLS" in said), said
    background.loop.call_soon_threadsafe(server.close)


def pin(path):
    key = subprocess.run("openssl x509 -noout -pubkey -in %s | openssl pkey -pubin -outform DER | "
                         "openssl dgst -sha256 -binary | openssl base64" % path, shell=True,
                         check=True, capture_output=True).stdout
    return "sha256:" + key.decode().strip()


@pytest.mark.parametrize("name", ["self", "expired", "early", "wrong-name", "missing", "rsa2048"])
def test_pin_alone(zoo, serve, name):
    _, port = serve(name)
    for clock in CLOCKS:
        assert probe(port, *moment(clock), pin(zoo / (name + ".pem"))).startswith("accepted\n")
        assert "none of --pin" in probe(port, *moment(clock), pin(zoo / "root.pem"))
