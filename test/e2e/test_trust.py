"""Whom the agent believes: pins, names, the clock's floor in its file, sessions; the gateway behind
other TLS servers; authorities that are compiled in."""
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from conftest import runs_native
from fronts import KINDS
from procs import ADIT, ROOT, Proc, clean_env, run, wait_until

DAY = 86400


def pin(path):
    done = subprocess.run("openssl x509 -noout -pubkey -in %s | openssl pkey -pubin -outform DER | "
                          "openssl dgst -sha256 -binary | openssl base64" % path, shell=True,
                          check=True, capture_output=True)
    return "sha256:" + done.stdout.decode().strip()


def agent_with(make_agent, url, *options, ca=None):
    """An agent that may use TLS only."""
    return make_agent(url, "the-token", "127.0.0.1:9", "--allow-plaintext=no", *options, ca=ca)


# ---- pins and names ----

def test_pin_alone(make_py, make_agent, other_certs):
    """A certificate for another name, of an authority that nobody knows."""
    gateway = make_py(certs=other_certs)
    agent = agent_with(make_agent, gateway.url, "--pin", pin(other_certs / "server.pem"))
    agent.wait_open()


def test_one_of_two_pins(make_py, make_agent, certs, other_certs):
    gateway = make_py()
    agent = agent_with(make_agent, gateway.url, "--pin", pin(other_certs / "server.pem"),
                       "--pin", pin(certs / "server.pem"))
    agent.wait_open()


@pytest.mark.parametrize("with_ca", [False, True])
def test_wrong_pin(make_py, make_agent, certs, with_ca):
    gateway = make_py()
    agent = agent_with(make_agent, gateway.url, "--pin", pin(certs / "rsa.pem"),
                       "--max-attempts", "1", ca=certs / "ca.pem" if with_ca else None)
    agent.wait_for_log("none of --pin")
    assert agent.wait() == 1 and gateway.requests == []


def test_pin_does_not_replace_the_chain(make_py, make_agent, certs, other_certs):
    gateway = make_py()
    agent = agent_with(make_agent, gateway.url, "--pin", pin(certs / "server.pem"),
                       "--max-attempts", "1", ca=other_certs / "ca.pem")
    agent.wait_for_log(r"chain does not end in a trusted CA \(file \S*/ca.pem has 1 anchors\); use "
                       "--ca or --pin")
    assert agent.wait() == 1 and gateway.requests == []


@pytest.mark.parametrize("bad", ["sha256:short",
                                 "md5:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="])
def test_bad_pin(bad):
    status, _, err = run([*ADIT, "--url", "wss://localhost/", "--token", "t", "--pin", bad])
    assert status == 2 and "--pin: write sha256:" in err


def test_server_name(make_py, make_agent, certs):
    gateway = make_py()
    url = gateway.url.replace("localhost", "127.0.0.1")
    agent = agent_with(make_agent, url, "--max-attempts", "1", ca=certs / "ca.pem")
    agent.wait_for_log("another name.*--server-name")
    agent = agent_with(make_agent, url, "--server-name", "localhost", ca=certs / "ca.pem")
    agent.wait_open()
    assert gateway.session().ws.request_headers["Host"].startswith("127.0.0.1:")


BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


@pytest.mark.skipif(not BUNDLE.exists(), reason="no bundle here")
@pytest.mark.parametrize("options", [[], ["--ca", BUNDLE]])
def test_bundle_of_the_distribution(make_py, make_agent, options):
    """All of its authorities are known at the start; none of them has signed this."""
    agent = agent_with(make_agent, make_py().url, "--max-attempts", "1", *options)
    found = agent.wait_for_log(r"\(file %s has (\d+) anchors\); use --ca or --pin" % BUNDLE)
    count = BUNDLE.read_text().count("BEGIN CERTIFICATE")
    assert count - 5 <= int(found.group(1)) <= count
    assert agent.wait() == 1


# ---- sessions ----

def test_session_is_resumed(make_gateway, make_agent, certs):
    gateway = make_gateway()
    token = gateway.token("shed")
    agent = make_agent(gateway.url, token, "127.0.0.1:9", ca=certs / "ca.pem")
    agent.wait_open()
    since = agent.mark()
    other = make_agent(gateway.url, token, "127.0.0.1:9", ca=certs / "ca.pem")
    agent.wait_for_log("took over", since)
    other.stop()
    agent.wait_for_log("TLS session resumed", since)
    agent.wait_open(since)
    # New keys: nothing is resumed from before.
    gateway.send(1)
    since = agent.mark()
    other = make_agent(gateway.url, token, "127.0.0.1:9", ca=certs / "ca.pem")
    agent.wait_for_log("took over", since)
    other.stop()
    agent.wait_open(since)
    assert "resumed" not in agent.log(since)


def test_python_server_resumes(make_py, make_agent, certs):
    """OpenSSL with session ids and no tickets."""
    gateway = make_py()
    gateway.tls.options |= ssl.OP_NO_TICKET
    agent = agent_with(make_agent, gateway.url, ca=certs / "ca.pem")
    agent.wait_open()
    for index in range(2):
        since = agent.mark()
        gateway.run(gateway.session(index).ws.close())
        agent.wait_for_log("TLS session resumed", since)
        agent.wait_open(since)


# ---- the clock's floor ----

def test_state_file(make_py, make_agent, certs, tmp_path):
    state = tmp_path / "state"
    gateway = make_py()
    agent = agent_with(make_agent, gateway.url, "--state", state, ca=certs / "ca.pem")
    agent.wait_open()
    wait_until(state.exists, "the state file")
    assert abs(int(state.read_text()) - time.time()) < 60
    assert state.stat().st_mode & 0o777 == 0o600
    written = state.stat().st_mtime_ns
    since = agent.mark()
    gateway.run(gateway.session().ws.close())
    agent.wait_open(since)
    assert state.stat().st_mtime_ns == written, "written again within a day"
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith("state")] == ["state"]


def test_clock_wins(make_py, make_agent, certs, tmp_path):
    """A time in the file beyond the certificate's end does not lock out a device whose clock is
    set."""
    state = tmp_path / "state"
    state.write_text("%d\n" % (time.time() + 60 * DAY))
    agent = agent_with(make_agent, make_py().url, "--state", state, ca=certs / "ca.pem")
    agent.wait_open()
    assert "clock is not set" not in agent.log()


def test_clock_not_set(make_py, built, certs, tmp_path):
    """The program was made later than the clock says: its time counts, or the later one in the
    file."""
    gateway = make_py()
    agent = built(gateway.url)
    agent.wait_for_log("the clock is not set: certificates are checked as of the last time known")
    agent.wait_for_log("session .* open")
    assert agent.stop() == 0
    state = tmp_path / "state"
    state.write_text("%d\n" % (time.time() + 60 * DAY))
    agent = built(gateway.url, "--state", state)
    agent.wait_for_log(r"has expired: .*; it was judged by the last time that a gateway told "
                       r"\(--state %s: remove the file if it is wrong\)" % state)
    assert agent.wait() == 1
    assert int(state.read_text()) > time.time() + 50 * DAY


def test_certificate_from_the_future(make_py, make_agent, built, zoo, tmp_path):
    """A certificate that begins after the clock is refused, also when the clock is not set; a later
    time in the file helps."""
    (tmp_path / "server.pem").write_bytes((zoo / "early.pem").read_bytes())
    (tmp_path / "server.key").write_bytes((zoo / "early.key").read_bytes())
    gateway = make_py(certs=tmp_path)
    url = gateway.url.replace("localhost", "127.0.0.1")
    trust = ["--server-name", "zoo.test", "--ca", zoo / "roots.pem"]
    options = [*trust, "--max-attempts", "1"]
    for agent in agent_with(make_agent, url, *options), built(url, *trust):
        agent.wait_for_log(r"not valid yet: set this machine's clock \(NTP\), "
                           r"or use --state or --pin")
        assert agent.wait() == 1
    state = tmp_path / "state"
    state.write_text("%d\n" % (time.time() + 2 * 365 * DAY))
    agent = agent_with(make_agent, url, *options, "--state", state)
    agent.wait_open()
    # The name counts as ever.
    agent = agent_with(make_agent, url, "--server-name", "other.test", *options[2:], "--state",
                       state)
    agent.wait_for_log("another name")
    assert agent.wait() == 1


def test_time_beyond_the_certificate(make_py, make_agent, certs, zoo, tmp_path):
    """A gateway's time is believed within the certificate's life, and a year ahead at most."""
    def told(seconds, ca, *options, certs=certs):
        state = tmp_path / "state"
        state.unlink(missing_ok=True)
        gateway = make_py(certs=certs)
        gateway.server_time = time.time() + seconds
        url = gateway.url.replace("localhost", "127.0.0.1" if options else "localhost")
        agent = agent_with(make_agent, url, "--state", state, *options, ca=ca)
        agent.wait_open()
        assert agent.stop() == 0
        return int(state.read_text()) - time.time() if state.exists() else None

    assert abs(told(20 * DAY, certs / "ca.pem") - 20 * DAY) < 60
    for days in 40, 100 * 365:
        assert told(days * DAY, certs / "ca.pem") is None, \
            "after the last second of the certificate"
    lasting = tmp_path / "lasting"
    lasting.mkdir()
    (lasting / "server.pem").write_bytes((zoo / "lasting.pem").read_bytes())
    (lasting / "server.key").write_bytes((zoo / "lasting.key").read_bytes())
    name = "--server-name", "zoo.test"
    for years in 5, 19:
        assert 360 * DAY < told(years * 365 * DAY, zoo / "roots.pem", *name,
                                certs=lasting) < 370 * DAY


@pytest.mark.parametrize("kind", ["plaintext", "early"])
def test_time_that_is_not_learned(make_py, make_agent, certs, tmp_path, kind):
    """From whom nobody has checked; and no time that is already past."""
    state = tmp_path / "state"
    if kind == "plaintext":
        agent = make_agent(make_py(certs=None).url, "the-token", "127.0.0.1:9", "--state", state)
    else:
        state.write_text("%d\n" % (time.time() + 10 * DAY))
        agent = agent_with(make_agent, make_py().url, "--state", state, ca=certs / "ca.pem")
    before = state.read_text() if state.exists() else None
    agent.wait_open()
    assert agent.stop() == 0
    assert (state.read_text() if state.exists() else None) == before


@pytest.mark.parametrize("content", ["", "soon\n", "-5\n", "9" * 40 + "\n", "\0" * 100,
                                     "9223372036854775807\n", "18446744073709551615\n",
                                     "4102444800000\n", "1893456000x\n",
                                     "%d\n" % (31 * 366 * DAY + 1.8e9)])
def test_damaged_state_file(make_py, make_agent, certs, tmp_path, content):
    state = tmp_path / "state"
    state.write_text(content)
    agent = agent_with(make_agent, make_py().url, "--state", state, ca=certs / "ca.pem")
    agent.wait_for_log("--state %s holds no time that can be, and is ignored" % state)
    agent.wait_open()
    wait_until(lambda: state.read_text().strip().isdigit() and len(state.read_text()) < 20,
               "a new state file")


def test_state_that_cannot_be_written(make_py, make_agent, certs, tmp_path):
    agent = agent_with(make_agent, make_py().url, "--state", tmp_path / "no/such",
                       ca=certs / "ca.pem")
    agent.wait_for_log("--state %s cannot be written" % (tmp_path / "no/such"))
    agent.wait_open()


# ---- other TLS servers in front of the gateway ----

@pytest.mark.parametrize("kind", KINDS)
def test_behind_another_tls_server(kind, make_front, make_agent, origin, certs):
    gateway, url = make_front(kind)
    token = gateway.token("shed")
    agent = make_agent(url, token, origin.local, "--allow-plaintext=no",
                       ca=certs / "ca.pem")
    agent.wait_open()
    with gateway.visit("shed") as v:
        for size in 0, 1, 100000:
            reply = v.request("POST", "/echo", body=b"x" * size)
            assert reply.status == 200 and reply.body == b"x" * size
    assert agent.sessions() == 1


# ---- compiled-in authorities ----

@pytest.fixture(scope="module")
def built(certs, tmp_path_factory):
    """Starts an agent built with an authority and ten days later than now, in a tree of its own."""
    if not runs_native():
        pytest.skip("builds the agent of this machine")
    out = tmp_path_factory.mktemp("built")
    subprocess.run(["make", "-C", ROOT, "-j2", "BOARD=host", "OUT=%s" % out,
                    "CA=%s" % (certs / "ca.pem"), out / "host/adit"], check=True,
                   stdout=subprocess.DEVNULL,
                   env={**clean_env(), "SOURCE_DATE_EPOCH": "%d" % (time.time() + 10 * DAY)})
    token_file = out / "token"
    token_file.write_text("the-token")
    token_file.chmod(0o600)

    agents = []

    def start(url, *options):
        agents.append(Proc([out / "host/adit", "--url", url, "--token-file", token_file,
                            "--max-attempts", "1", *options]))
        return agents[-1]
    yield start
    for agent in agents:
        agent.stop()


def test_compiled_in(make_py, built, other_certs, tmp_path):
    """It needs no file, and trusts no other authority."""
    agent = built(make_py().url)
    agent.wait_for_log("session .* open")
    assert agent.stop() == 0
    subprocess.run([ROOT / "scripts/certs.sh", tmp_path / "strange", "localhost"], check=True)
    gateway = make_py(certs=tmp_path / "strange")
    agent = built(gateway.url)
    agent.wait_for_log(r"chain does not end in a trusted CA "
                       r"\(this program has 1 anchors\); use --ca")
    assert agent.wait() == 1 and gateway.requests == []
    # --ca is instead of what is compiled in.
    agent = built(make_py().url, "--ca", tmp_path / "strange/ca.pem")
    agent.wait_for_log(r"\(file \S*/ca.pem has 1 anchors\)")
    assert agent.wait() == 1


def test_compiled_in_without_certificates(tmp_path):
    """A file that has none ends the build, and says so."""
    (tmp_path / "empty.pem").write_text("nothing\n")
    done = subprocess.run(["make", "-C", ROOT, "BOARD=host", "OUT=%s" % tmp_path,
                           "CA=%s" % (tmp_path / "empty.pem"), tmp_path / "host/built_in.c"],
                          capture_output=True, text=True, env=clean_env(), check=False)
    assert done.returncode != 0 and "no certificate in PEM form" in done.stderr
