"""How the gateway's name is looked up: from name servers that answer, lie, die; and what is left
of earlier answers, in memory and in the file of --state."""
import random
import socket
import struct
import subprocess
import threading
import time

import pytest

import conftest
from procs import ADIT, RUNNER, wait_until

HOST = "gw.tunnel.test"
# Where nobody listens.
NOBODY = "127.0.0.99"


class NameServer:
    """Answers for A with its addresses, and that there are none for AAAA."""

    def __init__(self):
        self.addresses, self.ttl, self.rcode = ["127.0.0.1"], 3600, 0
        self.questions = []
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # No resolver has another port: an address of our own instead.
        self.ip = "127.%d.%d.%d" % tuple(random.randint(2, 250) for _ in range(3))
        self.sock.bind((self.ip, 53))
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            message, peer = self.sock.recvfrom(1000)
            if len(message) < 17:
                return
            self.questions.append(message)
            self.sock.sendto(self.answer(message), peer)

    def answer(self, message):
        records = [] if message[-3] != 1 or self.rcode else self.addresses
        head = message[:2] + struct.pack(">HHHHH", 0x8180 | self.rcode, 1, len(records), 0, 0)
        return head + message[12:] + b"".join(
            struct.pack(">HHHIH", 0xc00c, 1, 1, self.ttl, 4) + socket.inet_aton(address)
            for address in records)

    def stop(self):
        """Nobody is there from then on."""
        if self.thread.is_alive():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.sendto(b"end", (self.ip, 53))
            self.thread.join()
        self.sock.close()


@pytest.fixture
def names(tmp_path, monkeypatch):
    """A name server, the only one that agents know of."""
    conf = tmp_path / "resolv.conf"
    unshare = ["unshare", "-rm", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"',
               conf]
    try:
        server = NameServer()
    except OSError:
        pytest.skip("no port 53 for us here")
    conf.write_text("nameserver %s\n" % server.ip)
    if RUNNER or subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        server.stop()
        pytest.skip("no mounts of one's own here")
    monkeypatch.setattr(conftest, "ADIT", [*unshare, *ADIT])
    yield server
    server.stop()


@pytest.fixture
def agent_of(make_agent, certs):
    def start(gateway, *options, host=HOST):
        return make_agent("wss://%s:%d/_adit" % (host, gateway.port), "the-token", "127.0.0.1:9",
                          *options, ca=certs / "ca.pem")
    return start


def reconnect(gateway, agent, index):
    since = agent.mark()
    gateway.run(gateway.session(index).ws.close())
    agent.wait_open(since)
    return agent.log(since)


def addresses_in(state):
    """Of the gateway, in the file."""
    lines = state.read_text().splitlines()
    assert lines[0].isdigit() and len(lines) <= 2
    return lines[1].split() if len(lines) == 2 else []


def test_asked_once_within_the_ttl(names, make_py, agent_of):
    gateway = make_py()
    agent = agent_of(gateway)
    agent.wait_open()
    assert len(names.questions) == 2
    reconnect(gateway, agent, 0)
    assert len(names.questions) == 2
    assert "no name server" not in agent.log()


def test_asked_again_after_the_ttl(names, make_py, agent_of):
    names.ttl = 1
    gateway = make_py()
    agent = agent_of(gateway, "--base-delay", "1100ms", "--max-delay", "1100ms", "--jitter", "0")
    agent.wait_open()
    reconnect(gateway, agent, 0)
    assert len(names.questions) == 4
    letters = [question[12:-4] for question in names.questions]
    assert letters[0].lower() == letters[2].lower() and letters[0] != letters[2]


def test_asked_again_when_refused(names, make_py, agent_of):
    """An address that was good and is not any more: the gateway has moved."""
    names.addresses = [NOBODY]
    agent = agent_of(make_py())
    agent.wait_for_log("disconnected: connection refused")
    names.addresses = ["127.0.0.1"]
    agent.wait_open()


def test_asked_again_when_tls_fails(names, make_py, agent_of, other_certs):
    """Somebody else is there, so that the answer may have been wrong."""
    agent = agent_of(make_py(certs=other_certs), "--max-attempts", "3")
    assert agent.wait() == 1
    assert len(names.questions) == 6


def test_search(names, make_py, agent_of, tmp_path):
    (tmp_path / "resolv.conf").write_text("nameserver %s\nsearch tunnel.test\n" % names.ip)
    agent = agent_of(make_py(), "--server-name", HOST, host="gw")
    agent.wait_open()
    assert names.questions[0][12:-4].lower() == b"\x02gw\x06tunnel\x04test\x00"


def test_servers_change(names, make_py, agent_of, tmp_path):
    """The file that comes with an uplink is read again, within one lookup."""
    conf = tmp_path / "resolv.conf"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.%d.%d.%d" % tuple(random.randint(2, 250) for _ in range(3)), 53))
        conf.write_text("nameserver %s\n" % silent.getsockname()[0])
        agent = agent_of(make_py())
        silent.settimeout(20)
        assert silent.recv(1000)
        conf.write_text("nameserver %s\n" % names.ip)
        agent.wait_open()
    assert "disconnected" not in agent.log()


# ---- without name servers ----

def test_name_servers_die(names, make_py, agent_of):
    names.ttl = 1
    gateway = make_py()
    agent = agent_of(gateway, "--base-delay", "1100ms", "--max-delay", "1100ms", "--jitter", "0")
    agent.wait_open()
    names.stop()
    for index in range(2):
        log = reconnect(gateway, agent, index)
        assert log.count("no name server answers: the gateway's address is one from before") == \
            (1 if index == 0 else 0)


def test_name_servers_fail(names, make_py, agent_of):
    names.ttl = 1
    gateway = make_py()
    agent = agent_of(gateway, "--base-delay", "1100ms", "--max-delay", "1100ms", "--jitter", "0")
    agent.wait_open()
    names.rcode = 2
    assert "no name server answers" in reconnect(gateway, agent, 0)


def test_boot_without_name_servers(names, make_py, agent_of, tmp_path):
    state = tmp_path / "state"
    gateway = make_py()
    agent = agent_of(gateway, "--state", state)
    agent.wait_open()
    wait_until(state.exists, "the state file")
    assert addresses_in(state) == [HOST, "127.0.0.1"]
    assert agent.stop() == 0
    written = state.stat().st_mtime_ns
    names.stop()
    agent = agent_of(gateway, "--state", state)
    agent.wait_open()
    assert "no name server answers" in agent.log()
    assert agent.stop() == 0
    assert state.stat().st_mtime_ns == written, "written again within a day"
    agent = agent_of(gateway, "--max-attempts", "1")
    agent.wait_for_log("disconnected: no name server answered")
    assert agent.wait() == 1


def test_no_such_name(names, make_py, agent_of, tmp_path):
    """Is an answer: what is known from before is not used."""
    state = tmp_path / "state"
    state.write_text("%d\n%s 127.0.0.1\n" % (time.time(), HOST))
    names.rcode = 3
    agent = agent_of(make_py(), "--max-attempts", "1", "--state", state)
    agent.wait_for_log("disconnected: the host name does not exist")
    assert agent.wait() == 1


def test_name_server_that_lies(names, make_py, agent_of, tmp_path):
    """Where the gateway was before is tried, too, when what it says is wrong."""
    state = tmp_path / "state"
    state.write_text("%d\n%s 127.0.0.1\n" % (time.time(), HOST))
    names.addresses = [NOBODY]
    agent = agent_of(make_py(), "--state", state)
    agent.wait_open()
    assert "refused" in agent.log()


# ---- the file ----

def test_new_address_is_kept(names, make_py, agent_of, tmp_path):
    state = tmp_path / "state"
    state.write_text("%d\nother.test 192.0.2.1\n%s %s\n" % (time.time(), HOST, NOBODY))
    gateway = make_py()
    agent = agent_of(gateway, "--state", state)
    agent.wait_open()
    wait_until(lambda: "127.0.0.1" in state.read_text(), "the address")
    assert addresses_in(state) == [HOST, "127.0.0.1", NOBODY]
    written = state.stat().st_mtime_ns
    reconnect(gateway, agent, 0)
    assert agent.stop() == 0
    assert state.stat().st_mtime_ns == written


def test_old_file(names, make_py, agent_of, tmp_path):
    """With the time alone, as it was once."""
    state = tmp_path / "state"
    state.write_text("%d\n" % time.time())
    agent = agent_of(make_py(), "--state", state)
    agent.wait_open()
    wait_until(lambda: addresses_in(state), "the address")
    assert "--state" not in agent.log()


def test_unverified_address_is_not_kept(names, make_py, agent_of, make_agent, other_certs,
                                        tmp_path):
    state = tmp_path / "state"
    agent = agent_of(make_py(certs=other_certs), "--max-attempts", "1", "--state", state)
    assert agent.wait() == 1
    assert not state.exists()
    gateway = make_py(certs=None)
    agent = make_agent("ws://%s:%d/_adit" % (HOST, gateway.port), "the-token", "127.0.0.1:9",
                       "--state", state)
    agent.wait_open()
    assert agent.stop() == 0
    assert not state.exists()


def test_damaged_lines(names, make_py, agent_of, tmp_path):
    """Are named, and stop nothing."""
    state = tmp_path / "state"
    state.write_bytes(b"%d\n%s 127.0.0.1\n%s 127.0.0.x\n\n\0\1\xff" %
                      (time.time(), HOST.encode(), HOST.encode()))
    names.stop()
    agent = agent_of(make_py(), "--state", state)
    agent.wait_open()
    for line in 3, 5:
        assert "--state %s: line %d is damaged, and is ignored" % (state, line) in agent.log()
    assert agent.log().count("is damaged") == 2


def test_long_file(names, make_py, agent_of, tmp_path):
    """What follows the first thousand bytes is not ours."""
    state = tmp_path / "state"
    state.write_text("%d\n%s 127.0.0.1\n" % (time.time(), HOST) + "x" * 100000)
    names.stop()
    agent = agent_of(make_py(), "--state", state)
    agent.wait_open()
    assert "line 3 is damaged" in agent.log()
