"""The token shows nowhere, not in a core dump, /proc, an error or the log; its file is private."""
import base64
import hashlib
import os
import re
import resource
import signal
import socket
from pathlib import Path

import pytest

import wire
from conftest import NO_CORES, runs_native
from procs import ADIT, SANITIZED, Proc, clean_env, run
from tracing import X86, Traced

# The runner of another board's program keeps a copy of its arguments.
NATIVE = pytest.mark.skipif(not runs_native(), reason="qemu-user has its own memory")
TOKEN = "a-token-that-must-not-show-7c1f"


def start(argv, env=None, cwd=None):
    return Proc([*ADIT, "--url", "ws://127.0.0.1:9/x", "--allow-plaintext", *argv], env=env,
                cwd=cwd)


@pytest.fixture
def token_file(tmp_path):
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    path.chmod(0o600)
    return path


@NATIVE
@pytest.mark.parametrize("argv, env", [
    (["--token", TOKEN], {}), (["--token=" + TOKEN], {}), ([], {"ADIT_TOKEN": TOKEN}),
    (["--token", TOKEN], {"ADIT_TOKEN": TOKEN}),
], ids=["argument", "with =", "environment", "both"])
def test_proc(argv, env):
    agent = start(argv, clean_env(**env))
    agent.wait_for_log("sandbox")
    folder = Path("/proc/%d" % agent.pid)
    for name in "cmdline", "environ":
        content = (folder / name).read_bytes()
        assert b"adit" in content or b"PATH" in content
        assert TOKEN.encode() not in content
    assert agent.stop() == 0
    assert TOKEN not in agent.log()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o606])
def test_token_file_of_others(token_file, mode):
    token_file.chmod(mode)
    status, out, err = run([*ADIT, "--url", "wss://localhost/", "--token-file", token_file])
    assert status == 2 and out == ""
    assert err == ("adit: --token-file %s: can be read by others; run chmod 600 on it\n"
                   % token_file)
    assert TOKEN not in err


def test_bad_token_does_not_show(token_file):
    token_file.write_text(TOKEN + " and more\n")
    status, _, err = run([*ADIT, "--url", "wss://localhost/", "--token-file", token_file])
    assert status == 2 and "printable" in err and TOKEN not in err


PATTERN = Path("/proc/sys/kernel/core_pattern").read_text().strip()


@NATIVE
@pytest.mark.skipif(PATTERN.startswith("|"), reason="cores go to a program here")
@NO_CORES
@pytest.mark.parametrize("given", ["file", "argument", "environment"])
def test_core(token_file, tmp_path, given):
    argv = {"file": ["--token-file", token_file], "argument": ["--token", TOKEN],
            "environment": []}[given]
    env = clean_env(ADIT_TOKEN=TOKEN) if given == "environment" else None
    hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard[1], hard[1]))
    try:
        for options in ["--limits=no", "--seccomp=no"], []:
            agent = start([*argv, *options], env, cwd=tmp_path)
            agent.wait_for_log("connecting again")
            agent.send(signal.SIGSEGV)
            status = agent.wait()
            assert status == -signal.SIGSEGV
            cores = [p for p in tmp_path.iterdir() if p.name.startswith("core")]
            if options:
                assert len(cores) == 1, "no core where one was allowed"
                content = cores[0].read_bytes()
                assert b"\x7fELF" in content[:4] and TOKEN.encode() not in content
                cores[0].unlink()
            else:
                assert cores == []
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, hard)


def test_hangup_reads_the_token_again(make_py, make_agent, tmp_path):
    gateway = make_py(certs=None)
    agent = make_agent(gateway.url, TOKEN)
    first = gateway.session()
    assert first.auth["token"] == TOKEN
    agent.wait_open()

    def reread(content, mode, pattern):
        since = agent.mark()
        agent.token_file.write_text(content)
        agent.token_file.chmod(mode)
        agent.send(signal.SIGHUP)
        agent.wait_for_log(pattern, since)
    reread("open-to-all\n", 0o644, "chmod 600")
    reread("two words\n", 0o600, "error: .*one word.*; the token stays as it is")
    reread("", 0o600, "error: --token-file %s: is empty" % agent.token_file)
    gateway.run(first.ws.close())
    assert gateway.session(1).auth["token"] == TOKEN, "a bad file leaves the old token"
    reread("another-token\n", 0o600, "read again")
    gateway.run(gateway.session(1).ws.close())
    assert gateway.session(2).auth["token"] == "another-token"
    # Not in a URL or a field of the upgrade either.
    assert gateway.requests and not any(
        word in str((path, list(fields.raw_items())))
        for path, fields in gateway.requests for word in (TOKEN, "another-token"))


@NATIVE
@X86
@pytest.mark.skipif(os.geteuid() != 0, reason="not root")
def test_hangup_between_upgrade_and_auth(make_agent):
    """The session has begun, and Auth is not out yet: it has the new token, whole."""
    listener = socket.create_server(("127.0.0.1", 0))
    agent = make_agent("ws://127.0.0.1:%d/" % listener.getsockname()[1], TOKEN, "127.0.0.1:9",
                       "--limits=no", "--seccomp=no", "--protocol", "json")
    peer = listener.accept()[0]
    peer.settimeout(20)
    request = b""
    while b"\r\n\r\n" not in request:
        request += peer.recv(4096)
    key = re.search(rb"(?i)sec-websocket-key: *(\S+)", request).group(1)
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    answer = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              b"Sec-WebSocket-Protocol: adit.json.v1\r\nSec-WebSocket-Accept: " + accept +
              b"\r\n\r\n")
    agent.token_file.write_text("short\n")
    with Traced(agent.pid) as traced:
        peer.sendall(answer)
        traced.run_past(lambda _, result: result == len(answer))
        agent.send(signal.SIGHUP)
    agent.wait_for_log("read again")
    head = peer.recv(2)
    n = head[1] & 0x7f
    n = int.from_bytes(peer.recv(2), "big") if n == 126 else n
    mask, body = peer.recv(4), b""
    while len(body) < n:
        body += peer.recv(n - len(body))
    kind, auth = wire.decode(bytes(c ^ mask[i % 4] for i, c in enumerate(body)).decode())
    assert kind == "Auth" and auth["token"] == "short"
    peer.close()
    listener.close()


def replace(path, content):
    """At once, as adit-provision does it."""
    new = path.with_suffix(".new")
    new.write_text(content)
    new.chmod(0o600)
    new.rename(path)


def test_hangup_after_a_replacement(make_py, make_agent):
    gateway = make_py(certs=None)
    agent = make_agent(gateway.url, TOKEN)
    session = gateway.session()
    for n, token in enumerate(["another-token", "a-third-token"], 1):
        replace(agent.token_file, token + "\n")
        since = agent.mark()
        agent.send(signal.SIGHUP)
        agent.wait_for_log("read again", since)
        assert "opened at the start" not in agent.log()
        gateway.run(session.ws.close())
        session = gateway.session(n)
        assert session.auth["token"] == token


@pytest.mark.skipif(os.geteuid() != 0, reason="not root")
def test_hangup_as_another_user(make_py, make_agent):
    """The file is not readable any more; what was opened at the start is."""
    gateway = make_py(certs=None)
    agent = make_agent(gateway.url, TOKEN, "127.0.0.1:9", "--user", "65534")
    session = gateway.session()
    since = agent.mark()
    agent.token_file.write_text("another-token\n")
    agent.send(signal.SIGHUP)
    agent.wait_for_log("permission denied; reading the file that was opened at the start", since)
    agent.wait_for_log("read again", since)
    gateway.run(session.ws.close())
    assert gateway.session(1).auth["token"] == "another-token"
    # What was opened is not the file of that name any more, and holds what it held.
    replace(agent.token_file, "a-third-token\n")
    since = agent.mark()
    agent.send(signal.SIGHUP)
    agent.wait_for_log("error: .*permission denied; the token stays as it is", since)
    assert "read again" not in agent.log(since)
    gateway.run(gateway.session(1).ws.close())
    assert gateway.session(2).auth["token"] == "another-token"


@NATIVE
@pytest.mark.parametrize("mode", ["tlv", "json", "plain"])
def test_whole_run(make_gateway, make_agent, origin, certs, tmp_path, monkeypatch, mode):
    """Connected, used, told to read its files again, and at last a core of each."""
    # Here cores are written to.
    monkeypatch.chdir(tmp_path)
    hard = resource.getrlimit(resource.RLIMIT_CORE)
    dumps = hard[1] != 0 and not PATTERN.startswith("|") and not SANITIZED
    allow = ["--limits=no", "--seccomp=no"] if dumps else []
    resource.setrlimit(resource.RLIMIT_CORE, (hard[1], hard[1]))
    try:
        gateway = make_gateway("--log-level", "debug", *allow)
        token = gateway.token("shed")
        agent = make_agent(gateway.url, token, origin.local, "--protocol", mode,
                           *allow,
                           ca=certs / "ca.pem")
        agent.wait_open()
        with gateway.visit("shed") as v:
            assert v.request("GET", "/").status == 200
        agent.send(signal.SIGUSR1)
        agent.send(signal.SIGHUP)
        agent.wait_for_log("read again")
        for process in agent, gateway:
            for name in "cmdline", "environ":
                assert token.encode() not in Path("/proc/%d/%s" % (process.pid, name)).read_bytes()
        for process in agent, gateway:
            if dumps:
                process.send(signal.SIGSEGV)
                assert process.wait() == -signal.SIGSEGV
            assert token not in process.log()
            cores = [p for p in tmp_path.iterdir() if p.name.startswith("core")]
            assert len(cores) == int(dumps)
            for core in cores:
                content = core.read_bytes()
                assert b"--log-level" in content, "a core without the stack"
                assert token.encode() not in content, process.argv[0]
                core.unlink()
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, hard)
