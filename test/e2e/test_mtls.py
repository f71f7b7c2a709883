"""Client certificates: the agent's, for the gateway and for other TLS servers that demand one."""
import os
import resource
import signal
import subprocess
from pathlib import Path

import pytest

from conftest import NO_CORES, runs_native
from fronts import KINDS
from procs import ADIT, Proc, run, wait_until

NEEDS = pytest.mark.skipif("--client-cert" not in run([*ADIT, "--help"])[1],
                           reason="an agent made with MTLS=no")
ASKS = "; the gateway asks for a certificate: use --client-cert"
CHECK = "; check the authority and the dates of --client-cert"


@pytest.fixture
def own(zoo, tmp_path):
    """Options for a certificate of the zoo, with what is above it."""
    def make(name):
        chain = zoo / (name + ".chain")
        path = tmp_path / (name + ".pem")
        path.write_text((zoo / (name + ".pem")).read_text() +
                        (chain.read_text() if chain.exists() else ""))
        return ["--client-cert", path, "--client-key", zoo / (name + ".key")]
    return make


@pytest.fixture(params=["gateway", *KINDS])
def strict(request, make_gateway, make_front, zoo):
    """A gateway that demands certificates, or that is behind a server that does: gateway, URL, and
    how that refuses."""
    if request.param == "gateway":
        gateway = make_gateway("--client-ca", zoo / "roots.pem")
        return gateway, gateway.url, "status 403"
    # HAProxy's alert may be lost: it closes without having read all.
    refusal = {"nginx": "status 400", "openssl": "the gateway refuses this agent",
               "haproxy": "the (gateway refuses this agent|connection broke off)"}[request.param]
    return *make_front(request.param, zoo / "roots.pem"), refusal


def agent_with(make_agent, gateway, url, certs, *options):
    return make_agent(url, gateway.token("shed"), "127.0.0.1:9", "--allow-plaintext=no", *options,
                      ca=certs / "ca.pem")


# ---- whom the gateway lets in ----

@NEEDS
@pytest.mark.parametrize("name", ["rsa2048", "rsa4096", "p256", "p384", "through"])
def test_accepted(strict, make_agent, origin, certs, own, name):
    gateway, url, _ = strict
    agent = make_agent(url, gateway.token("shed"), origin.local, *own(name),
                       ca=certs / "ca.pem")
    agent.wait_open()
    with gateway.visit("shed") as v:
        assert v.request("GET", "/").status == 200
    assert agent.sessions() == 1


@NEEDS
@pytest.mark.parametrize("name", ["expired", "early", "unknown-root", "self", "missing",
                                  "leaf-as-ca"])
def test_refused(strict, make_agent, certs, own, name):
    gateway, url, refusal = strict
    agent = agent_with(make_agent, gateway, url, certs, "--max-attempts", "1", *own(name))
    agent.wait_for_log(refusal + CHECK)
    assert agent.wait() == 1


@NEEDS
def test_none_given(strict, make_agent, certs):
    gateway, url, refusal = strict
    agent = agent_with(make_agent, gateway, url, certs, "--max-attempts", "1")
    agent.wait_for_log(refusal + ASKS)
    assert agent.wait() == 1


@NEEDS
@pytest.mark.parametrize("name", ["rsa2048", "p256", "unknown-root"])
def test_none_asked_for(make_gateway, make_agent, certs, own, name):
    agent = agent_with(make_agent, gateway := make_gateway(), gateway.url, certs, *own(name))
    agent.wait_open()


@NEEDS
@pytest.mark.parametrize("hashes, name, good", [
    ("RSA+SHA384:ECDSA+SHA384", "rsa2048", True), ("RSA+SHA512:ECDSA+SHA512", "p256", True),
    ("ECDSA+SHA384", "p384", True), ("ECDSA+SHA256", "rsa2048", False),
])
def test_hashes(zoo, certs, make_agent, own, hashes, name, good):
    """A server that takes these signatures only."""
    server = Proc(["openssl", "s_server", "-accept", "127.0.0.1:0", "-tls1_2", "-cert",
                   certs / "server.pem", "-key", certs / "server.key", "-naccept", "1",
                   "-Verify", "1", "-verify_return_error", "-CAfile", zoo / "roots.pem",
                   "-client_sigalgs", hashes],
                  stdin=subprocess.PIPE)
    port = int(server.wait_for_log(r"ACCEPT .*:(\d+)").group(1))
    agent = make_agent("wss://localhost:%d/" % port, "the-token", "127.0.0.1:9", *own(name),
                       "--max-attempts", "1", ca=certs / "ca.pem")
    if good:
        server.wait_for_log("CIPHER is ECDHE")
    else:
        agent.wait_for_log("the gateway refuses this agent" + CHECK)
    server.kill()
    server.child.stdin.close()


# ---- the gateway's side ----

def test_visitors_need_none(make_gateway, zoo):
    """And what openssl's client shows counts as what an agent shows: a client's, no server's."""
    gateway = make_gateway("--client-ca", zoo / "roots.pem", "--hold", "0")
    gateway.token("shed")
    with gateway.visit("shed") as v:
        assert v.request("GET", "/").status == 502

    def upgrade(*options):
        """The status of an upgrade by openssl's client."""
        request = ("GET /_adit HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
                   "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        client = Proc(["openssl", "s_client", "-quiet", "-nocommands", "-connect",
                       "127.0.0.1:%d" % gateway.port, *options], stdin=subprocess.PIPE)
        client.child.stdin.write(request.encode())
        client.child.stdin.flush()
        status = client.wait_for_log(r"HTTP/1.1 (\d+)").group(1)
        client.kill()
        client.child.stdin.close()
        return status
    assert upgrade() == "403"
    for name, status in [("p256", "101"), ("client-only", "101"), ("web", "101"),
                         ("rsa2048", "101"), ("server-only", "403"), ("mail", "403"),
                         ("unknown-root", "403")]:
        chain = zoo / (name + ".chain")
        assert upgrade("-cert", zoo / (name + ".pem"), "-key", zoo / (name + ".key"),
                       *["-cert_chain", chain][:2 * chain.exists()]) == status, name


@pytest.mark.parametrize("path", ["/none.pem", "/dev/null"])
def test_bad_client_ca(make_gateway, path):
    with pytest.raises(AssertionError, match="--client-ca"):
        make_gateway("--client-ca", path)


def told_authorities(gateway):
    """The names of those whose certificates clients may show."""
    _, out, _ = run(["openssl", "s_client", "-connect", "127.0.0.1:%d" % gateway.port])
    return out.split("Acceptable client certificate CA names\n")[1].split("Requested")[0].split(
        "Client Certificate Types")[0].splitlines()


def test_client_ca_is_read_again(make_gateway, certs, zoo, tmp_path):
    live = tmp_path / "live.pem"
    live.write_bytes((certs / "ca.pem").read_bytes())
    gateway = make_gateway("--client-ca", live)
    before = told_authorities(gateway)
    live.write_bytes((zoo / "roots.pem").read_bytes())
    assert told_authorities(gateway) == before, "not by itself"

    def hangup(pattern):
        since = gateway.mark()
        gateway.send(signal.SIGHUP)
        gateway.wait_for_log(pattern, since)
    hangup("names in the tokens file")
    after = told_authorities(gateway)
    assert after and not set(after) & set(before)
    live.write_text("nothing\n")
    hangup("no usable CA certificate in --client-ca")
    gateway.wait_for_log("what was loaded before stays in use")
    assert told_authorities(gateway) == after


# ---- sessions and files ----

def take_over(agent, make_agent, gateway, url, certs, options):
    """Makes the agent connect again; where its new log begins."""
    since = agent.mark()
    other = make_agent(url, agent.token, "127.0.0.1:9", *options, ca=certs / "ca.pem")
    agent.wait_for_log("took over", since)
    other.stop()
    agent.wait_open(since)
    return since


@NEEDS
@pytest.mark.parametrize("kind", ["gateway", "nginx"])
def test_resumed(kind, make_gateway, make_front, make_agent, certs, zoo, own):
    """Who resumes a session has shown a certificate when it began."""
    if kind == "gateway":
        gateway = make_gateway("--client-ca", zoo / "roots.pem")
        url = gateway.url
    else:
        gateway, url = make_front(kind, zoo / "roots.pem")
    options = own("p256")
    agent = agent_with(make_agent, gateway, url, certs, *options)
    agent.wait_open()
    since = take_over(agent, make_agent, gateway, url, certs, options)
    agent.wait_for_log("TLS session resumed", since)
    if kind == "gateway":
        gateway.send(signal.SIGHUP)
        since = take_over(agent, make_agent, gateway, url, certs, options)
        assert "resumed" not in agent.log(since)


@NEEDS
def test_files_are_read_once(make_gateway, make_agent, certs, zoo, own, tmp_path):
    """Another user in another root, without the files: a new handshake works all the same."""
    gateway = make_gateway("--client-ca", zoo / "roots.pem")
    key = tmp_path / "own.key"
    key.write_bytes((zoo / "p256.key").read_bytes())
    key.chmod(0o600)
    (tmp_path / "root").mkdir()
    options = [*own("p256")[:2], "--client-key", key]
    sandbox = ["--user", "65534", "--chroot", tmp_path / "root"] if os.geteuid() == 0 else []
    url = gateway.url.replace("localhost", "127.0.0.1")
    agent = agent_with(make_agent, gateway, url, certs, "--server-name", "localhost", *options,
                       *sandbox)
    agent.wait_open()
    Path(options[1]).rename(tmp_path / "gone.pem")
    key.unlink()
    # No session is resumed after this.
    gateway.send(signal.SIGHUP)
    since = take_over(agent, make_agent, gateway, gateway.url, certs, own("p384"))
    assert "resumed" not in agent.log(since)


@NEEDS
@pytest.mark.parametrize("options, told", [
    (["--client-cert", "p256.pem"], "go together; write both"),
    (["--client-key", "p256.key"], "go together; write both"),
    (["--client-cert", "p256.pem", "--client-key", "p384.key"], "--client-key does not belong to"),
    (["--client-cert", "none.pem", "--client-key", "p256.key"], "--client-cert cannot be read"),
    (["--client-cert", "p256.pem", "--client-key", "none.key"], "none.key: no such file"),
    (["--client-cert", "p256.pem", "--client-key", "p256.pem"], "--client-key is no PEM key"),
    (["--client-cert", "ed25519.pem", "--client-key", "p256.key"], "no key of RSA 2048 to 4096"),
    (["--client-cert", "rsa1024.pem", "--client-key", "rsa1024.key"], "no key of RSA 2048 to 4096"),
])
def test_bad_files(zoo, tmp_path, options, told):
    token = tmp_path / "token"
    token.write_text("the-token")
    token.chmod(0o600)
    options = [o if o.startswith("-") else zoo / o for o in options]
    status, out, err = run([*ADIT, "--url", "wss://localhost/", "--token-file", token, *options])
    assert status == 2 and out == "" and told in err and err.count("\n") == 1


@NEEDS
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_key_of_others(zoo, tmp_path, mode):
    for name in "token", "key":
        (tmp_path / name).write_bytes((zoo / "p256.key").read_bytes() if name == "key"
                                      else b"token")
        (tmp_path / name).chmod(mode if name == "key" else 0o600)
    status, _, err = run([*ADIT, "--url", "wss://localhost/", "--token-file", tmp_path / "token",
                          "--client-cert", zoo / "p256.pem", "--client-key", tmp_path / "key"])
    assert status == 2
    assert err == ("adit: --client-key %s: can be read by others; run chmod 600 on it\n"
                   % (tmp_path / "key"))


# ---- secrets ----

PATTERN = Path("/proc/sys/kernel/core_pattern").read_text().strip()


def forms(key):
    """How a key's secret may lie in memory: its bytes, BearSSL's numbers, a line of its file."""
    text = subprocess.run(["openssl", "pkey", "-in", key, "-noout", "-text"], check=True,
                          capture_output=True, text=True).stdout
    value = text.split("priv:\n")[1] if "priv:\n" in text else text.split("privateExponent:\n")[1]
    digits = ""
    for line in value.splitlines():
        if not line.startswith("  "):
            break
        digits += line.strip().replace(":", "")
    number = int(digits, 16)
    words = b"".join((number >> 31 * i & 0x7fffffff).to_bytes(4, "little") for i in range(6))
    return [bytes.fromhex(digits)[-24:], words, key.read_bytes().splitlines()[-2][-24:],
            key.read_bytes().splitlines()[1][:24]]


@NEEDS
@pytest.mark.skipif(not runs_native(), reason="qemu-user has its own memory")
@pytest.mark.skipif(PATTERN.startswith("|"), reason="cores go to a program here")
@NO_CORES
@pytest.mark.parametrize("name", ["p256", "p384", "rsa2048"])
def test_core(make_gateway, make_agent, certs, zoo, own, tmp_path, monkeypatch, name):
    """With core dumps allowed, and just after the key was used: it is not in one."""
    monkeypatch.chdir(tmp_path)
    hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard[1], hard[1]))
    try:
        gateway = make_gateway("--client-ca", zoo / "roots.pem")
        agent = agent_with(make_agent, gateway, gateway.url, certs, "--limits=no", "--seccomp=no",
                           *own(name))
        agent.wait_open()
        agent.send(signal.SIGSEGV)
        wait_until(lambda: not agent.running(), "its end")
        cores = [p for p in tmp_path.iterdir() if p.name.startswith("core")]
        assert len(cores) == 1, "no core where one was allowed"
        content = cores[0].read_bytes()
        assert not [form for form in forms(zoo / (name + ".key")) if form in content]
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, hard)
