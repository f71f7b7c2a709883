"""Whom the agent believes: pins, names, the clock's floor in its file, sessions; the gateway behind
other TLS servers; client certificates."""
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest

from conftest import free_port, accepts
from procs import ADIT, Proc, run, wait_until

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


@pytest.mark.parametrize("bad", ["sha256:short", "md5:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="])
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


def test_floor_beyond_the_clock(make_py, make_agent, certs, tmp_path):
    """A clock that is behind the last time known: certificates are checked as of that."""
    state = tmp_path / "state"
    state.write_text("%d\n" % (time.time() + 10 * DAY))
    gateway = make_py()
    agent = agent_with(make_agent, gateway.url, "--state", state, ca=certs / "ca.pem")
    agent.wait_for_log("clock is not set")
    agent.wait_open()
    state.write_text("%d\n" % (time.time() + 60 * DAY))
    agent = agent_with(make_agent, gateway.url, "--state", state, "--max-attempts", "1",
                       ca=certs / "ca.pem")
    agent.wait_for_log("has expired")
    assert agent.wait() == 1


@pytest.mark.parametrize("content", ["", "soon\n", "-5\n", "9" * 40 + "\n", "\0" * 100])
def test_damaged_state_file(make_py, make_agent, certs, tmp_path, content):
    state = tmp_path / "state"
    state.write_text(content)
    agent = agent_with(make_agent, make_py().url, "--state", state, ca=certs / "ca.pem")
    agent.wait_open()
    wait_until(lambda: state.read_text().strip().isdigit() and len(state.read_text()) < 20,
               "a new state file")


def test_state_that_cannot_be_written(make_py, make_agent, certs, tmp_path):
    agent = agent_with(make_agent, make_py().url, "--state", tmp_path / "no/such", ca=certs / "ca.pem")
    agent.wait_for_log("--state cannot be written")
    agent.wait_open()


# ---- other TLS servers in front of the gateway ----

NGINX = """
daemon off; master_process off; pid %(folder)s/pid; error_log stderr;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path %(folder)s; proxy_temp_path %(folder)s; fastcgi_temp_path %(folder)s;
    uwsgi_temp_path %(folder)s; scgi_temp_path %(folder)s;
    server {
        listen 127.0.0.1:%(port)d ssl;
        ssl_certificate %(certs)s/server.pem; ssl_certificate_key %(certs)s/server.key;
        ssl_session_cache shared:s:1m;
        location / {
            proxy_pass http://127.0.0.1:%(back)d;
            proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade; proxy_set_header Host $http_host;
        }
    }
}
"""

HAPROXY = """
global
    maxconn 64
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout tunnel 60s
frontend f
    bind 127.0.0.1:%(port)d ssl crt %(folder)s/both.pem
    default_backend b
backend b
    server s 127.0.0.1:%(back)d
"""


class OpensslFront:
    """`openssl s_server` for each connection, its input and output a connection to the gateway."""

    def __init__(self, certs, back):
        self.certs, self.back, self.port, self.children = certs, back, free_port(), []
        self.stopping = False
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        wait_until(lambda: self.children, "s_server")
        time.sleep(0.2)

    def serve(self):
        while not self.stopping:
            with socket.create_connection(("127.0.0.1", self.back)) as s:
                self.children.append(subprocess.Popen(
                    ["openssl", "s_server", "-quiet", "-accept", "127.0.0.1:%d" % self.port, "-cert",
                     self.certs / "server.pem", "-key", self.certs / "server.key", "-naccept", "1"],
                    stdin=s, stdout=s, stderr=subprocess.DEVNULL))
            self.children[-1].wait()

    def stop(self):
        self.stopping = True
        self.children[-1].kill()
        self.thread.join(10)


@pytest.fixture(params=["openssl", "nginx", "haproxy"])
def front(request, certs, tmp_path, make_gateway):
    """A gateway without TLS behind a server that has it: (gateway, URL for agents)."""
    gateway = make_gateway(certs=None)
    port = free_port()
    settings = {"folder": tmp_path, "certs": certs, "port": port, "back": gateway.port}
    if request.param == "openssl":
        server = OpensslFront(certs, gateway.port)
        port = server.port
    else:
        if not shutil.which(request.param, path=os.environ["PATH"] + ":/usr/sbin"):
            pytest.skip(request.param + " is not here")
        (tmp_path / "conf").write_text((NGINX if request.param == "nginx" else HAPROXY) % settings)
        (tmp_path / "both.pem").write_text((certs / "server.pem").read_text() +
                                           (certs / "server.key").read_text())
        server = Proc(["/usr/sbin/nginx", "-c", tmp_path / "conf", "-p", tmp_path, "-e", "stderr"]
                      if request.param == "nginx" else
                      ["/usr/sbin/haproxy", "-db", "-f", tmp_path / "conf"])
        wait_until(lambda: accepts(port), request.param)
    yield gateway, "wss://localhost:%d/_adit" % port
    if isinstance(server, Proc):
        server.kill()
    else:
        server.stop()


def test_behind_another_tls_server(front, make_agent, origin, certs):
    gateway, url = front
    token = gateway.token("shed")
    agent = make_agent(url, token, "127.0.0.1:%d" % origin.port, "--allow-plaintext=no",
                       ca=certs / "ca.pem")
    agent.wait_open()
    with gateway.visit("shed") as v:
        for size in 0, 1, 100000:
            reply = v.request("POST", "/echo", body=b"x" * size)
            assert reply.status == 200 and reply.body == b"x" * size
    assert agent.sessions() == 1


# ---- client certificates ----

def test_client_certificates_are_wanted(make_gateway, make_agent, origin, certs, other_certs):
    """Visitors need none; an agent without one is sent away."""
    gateway = make_gateway("--client-ca", other_certs / "ca.pem")
    token = gateway.token("shed")
    agent = make_agent(gateway.url, token, "127.0.0.1:9", "--max-attempts", "1",
                       ca=certs / "ca.pem")
    agent.wait_for_log("status 403")
    assert agent.wait() == 1
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
    assert upgrade("-cert", other_certs / "server.pem", "-key", other_certs / "server.key") == "101"
    assert upgrade("-cert", certs / "server.pem", "-key", certs / "server.key") == "403"
    assert upgrade("-cert", other_certs / "rsa.pem", "-key", other_certs / "rsa.key") == "101"


@pytest.mark.parametrize("options, told", [
    (["--client-ca", "/none.pem"], "--client-ca"), (["--client-ca", "/dev/null"], "--client-ca"),
])
def test_bad_client_ca(make_gateway, certs, options, told, tmp_path):
    with pytest.raises(AssertionError, match=told):
        make_gateway(*options)
