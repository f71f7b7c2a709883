"""What the end-to-end tests share: certificates, gateways, agents, local servers.

Shared agents live for the whole run; after every test they must still be the same process on the
same session, so that a crash or a needless reconnect fails the test that caused it.
"""
import re
import secrets
import shutil
import signal
import socket
import subprocess
from contextlib import ExitStack

import pytest

import fronts
from origin import Background, Origin
from procs import (ADIT, GATEWAY, RUNNER, ROOT, SANITIZED, UNFILTERED, Proc, kill_all, run,
                   wait_until)
from pygateway import PyGateway
from visitor import Visitor

DOMAIN = "tunnel.test"
MODES = ["tlv", "json", "plain"]
OPENED = re.compile(r"session .* open")


# Fixtures give what they start to an ExitStack before anything else can fail. It ends all of them,
# the last first, whatever goes wrong with one, and tells of each error.


def pytest_configure(config):
    """Told to end, a run still stops what it has started."""
    config.addinivalue_line("markers", "alone: measures time; runs after the others, by itself")
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_unconfigure():
    """Whatever fixtures have done before."""
    kill_all(Proc.started)


@pytest.fixture(autouse=True)
def nothing_left_by_a_test():
    yield
    left = [proc for proc in Proc.started if not proc.shared]
    Proc.started = [proc for proc in Proc.started if proc.shared]
    kill_all(left)


# ---- foundations ----

@pytest.fixture(scope="session")
def background():
    it = Background()
    yield it
    it.stop()


@pytest.fixture(scope="session")
def certs(tmp_path_factory):
    path = tmp_path_factory.mktemp("certs")
    subprocess.run([ROOT / "scripts/certs.sh", path, "localhost", DOMAIN, "*." + DOMAIN],
                   check=True)
    return path


@pytest.fixture(scope="session")
def other_certs(tmp_path_factory):
    """Of an authority that nobody trusts, and for another name."""
    path = tmp_path_factory.mktemp("other")
    subprocess.run([ROOT / "scripts/certs.sh", path, "elsewhere.example"], check=True)
    return path


@pytest.fixture(scope="session")
def zoo(tmp_path_factory):
    """Certificates good and bad, see scripts/zoo.sh."""
    path = tmp_path_factory.mktemp("zoo")
    subprocess.run(["sh", ROOT / "scripts/zoo.sh", path], check=True)
    return path


# ---- the programs ----

class Agent(Proc):
    """build/host/adit with fast reconnects, to one gateway or several. Its token must never show.
    """

    def __init__(self, folder, url, token, local, *options, ca=None, env=None):
        self.token = token
        self.token_file = folder / ("token-" + secrets.token_hex(4))
        self.token_file.write_text(token + "\n")
        self.token_file.chmod(0o600)
        urls = [url] if isinstance(url, str) else url
        argv = [*ADIT, *UNFILTERED, *(x for u in urls for x in ("--url", u)),
                "--token-file", self.token_file, "--local", local]
        preset = {"--base-delay": "100ms", "--max-delay": "1s", "--log-level": "debug",
                  "--drain": "0"}
        for name in preset.keys() - set(options):
            argv += [name, preset[name]]
        argv += ["--ca", ca] if ca else []
        if not ca and not any(str(x).startswith("--allow-plaintext") for x in options):
            argv.append("--allow-plaintext")
        super().__init__([*argv, *options], env=env)

    def wait_open(self, since=0):
        return self.wait_for_log(OPENED, since)

    def sessions(self):
        """How many were opened so far."""
        with self.news:
            return sum(1 for line in self.lines if OPENED.search(line))

    def check_log(self):
        text = self.log()
        assert self.token not in text, "the token is in the log"
        for bad in ("Segmentation", "assert"):
            assert bad not in text, text
        super().check_log()


class Gateway(Proc):
    """build/host/adit-gateway on a port of its own, with a tokens file that grows."""

    def __init__(self, folder, *options, certs=None, kind="server", port=0, domain=DOMAIN,
                 tokens_file=None, by=(), env=None, pass_fds=()):
        self.tokens_file = tokens_file or folder / ("tokens-" + secrets.token_hex(4))
        self.tokens_file.touch()
        self.ca = certs / "ca.pem" if certs else None
        argv = [*by, *GATEWAY, *UNFILTERED, "--listen", "127.0.0.1:%d" % port, "--domain", domain,
                "--tokens", self.tokens_file]
        argv += (["--cert", certs / (kind + ".pem"), "--key", certs / (kind + ".key")]
                 if certs else ["--plain"])
        super().__init__([*argv, *options], env=env, pass_fds=pass_fds)
        found = self.wait_for_log(r"listening on 127\.0\.0\.1:(\d+)")
        self.port = int(found.group(1))
        self.address = ("127.0.0.1", self.port)
        self.url = "%s://localhost:%d/_adit" % ("wss" if certs else "ws", self.port)

    def token(self, name):
        """Makes a token with the program itself and makes it known to the running gateway."""
        status, out, _ = run([*GATEWAY, "token", name])
        assert status == 0
        token, line = token_lines(out, name)
        with self.tokens_file.open("a") as f:
            f.write(line + "\n")
        since = self.mark()
        self.send(1)
        self.wait_for_log("in the tokens file|stays in use", since)
        return token

    def host(self, name):
        return "%s.%s:%d" % (name, DOMAIN, self.port)

    def counter(self, name):
        """One of the numbers that SIGUSR1 logs."""
        since = self.mark()
        self.send(signal.SIGUSR1)
        return int(self.wait_for_log(r"tunnels.*requests.*", since).group(0).split(name + " ")[1]
                   .split(",")[0].split()[0])

    def wait_counter(self, name, value):
        wait_until(lambda: self.counter(name) == value, "%d %s" % (value, name))

    def visit(self, name, **kwargs):
        return Visitor(self.address, self.host(name), ca=self.ca, **kwargs)


def token_lines(out, name):
    """The token and the tokens-file line in what `adit-gateway token NAME` prints."""
    lines = [word.strip() for word in out.splitlines() if word.strip()]
    line = next(x for x in lines if x.startswith(name + " "))
    token = next(x for x in lines if x != line).split()[-1]
    return token, line


class Tunnel:
    """An agent of the shared gateway in front of one local server."""

    def __init__(self, gateway, name, agent, mode):
        self.gateway, self.name, self.agent, self.mode = gateway, name, agent, mode
        self.opened = agent.sessions()

    def visit(self, **kwargs):
        return self.gateway.visit(self.name, **kwargs)

    @property
    def host(self):
        return self.gateway.host(self.name)

    def request(self, *args, **kwargs):
        with self.visit() as v:
            return v.request(*args, **kwargs)


@pytest.fixture
def make_agent(tmp_path):
    """Starts agents that end with the test."""
    with ExitStack() as ends:
        def make(url, token="a-secret-token-for-tests", local="127.0.0.1:9", *options, **kwargs):
            agent = Agent(tmp_path, url, token, local, *options, **kwargs)
            ends.callback(agent.stop)
            return agent
        yield make


@pytest.fixture
def make_gateway(tmp_path, certs):
    """Starts gateways that end with the test; with TLS unless certs=None."""
    with ExitStack() as ends:
        def make(*options, **kwargs):
            kwargs.setdefault("certs", certs)
            gateway = Gateway(tmp_path, *options, **kwargs)
            ends.callback(gateway.stop)
            return gateway
        yield make


@pytest.fixture
def make_front(tmp_path, certs, make_gateway):
    """Puts a gateway without TLS behind a server that has it: (gateway, URL for agents)."""
    with ExitStack() as ends:
        def make(kind, client_ca=None):
            if not fronts.program(kind):
                pytest.skip(kind + " is not here")
            gateway, port = make_gateway(certs=None), free_port()
            front = fronts.start(kind, tmp_path, certs, port, gateway.port, client_ca)
            ends.callback(front.kill)
            if kind != "openssl":
                wait_until(lambda: accepts(port), kind)
            return gateway, "wss://localhost:%d/_adit" % port
        yield make


@pytest.fixture
def make_py(background, certs):
    """Starts Python gateways that end with the test."""
    with ExitStack() as ends:
        def make(mode="tlv", **kwargs):
            kwargs.setdefault("certs", certs)
            gateway = PyGateway(background, mode, **kwargs)
            ends.callback(gateway.stop)
            return gateway
        yield make


@pytest.fixture
def py_session(make_py, make_agent, origin, certs):
    """An agent in front of `origin`, connected to a Python gateway: its session there."""
    def make(mode="tlv", *options, **kwargs):
        local = kwargs.pop("local", origin.local)
        env = kwargs.pop("env", None)
        gateway = make_py(mode, **kwargs)
        agent = make_agent(gateway.url, "the-token", local, *options, ca=certs / "ca.pem", env=env)
        session = gateway.session()
        session.agent = agent
        agent.wait_open()
        return session
    return make


def next_session(session):
    """The session after this one, which has ended."""
    again = session.gateway.session(1)
    session.agent.wait_for_log(OPENED, 1)
    return again


# ---- local servers ----

@pytest.fixture(scope="session")
def origin(background):
    it = Origin(background)
    yield it
    it.stop()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def accepts(port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


class FileServer:
    """nginx or BusyBox httpd over a folder, until the block ends."""

    def __init__(self, name, argv, port, folder):
        self.name, self.port, self.folder = name, port, folder
        self.address = ("127.0.0.1", port)
        self.process = Proc(argv)
        self.process.shared = True

    def __enter__(self):
        wait_until(lambda: accepts(self.port), self.name)
        assert self.process.running(), self.process.log()
        return self

    def __exit__(self, *_):
        self.process.stop()


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    from pages import write_pages
    folder = tmp_path_factory.mktemp("pages")
    write_pages(folder)
    return folder


@pytest.fixture(scope="session")
def nginx(tmp_path_factory, pages):
    from pages import NGINX_CONF
    folder = tmp_path_factory.mktemp("nginx")
    port = free_port()
    settings = {"folder": folder, "pages": pages, "port": port}
    (folder / "nginx.conf").write_text(NGINX_CONF % settings)
    for sub in ("body", "tmp", "put"):
        (folder / sub).mkdir()
        (folder / sub).chmod(0o777)
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    with FileServer("nginx", [binary, "-p", folder, "-c", folder / "nginx.conf",
                              "-e", folder / "error.log"], port, folder) as server:
        yield server


@pytest.fixture(scope="session")
def busybox(pages):
    port = free_port()
    with FileServer("busybox", ["busybox", "httpd", "-f", "-p", "127.0.0.1:%d" % port,
                                "-h", pages], port, pages) as server:
        yield server


# ---- the shared tunnels ----

@pytest.fixture(scope="session")
def gateway(tmp_path_factory, certs):
    with ExitStack() as ends:
        it = Gateway(tmp_path_factory.mktemp("gateway"), "--log-level", "debug", certs=certs)
        it.shared = True
        ends.callback(it.stop_well)
        yield it


@pytest.fixture(scope="session")
def tunnels(tmp_path_factory, gateway, certs):
    """One agent per (mode, local server), started when first asked for."""
    folder, made = tmp_path_factory.mktemp("agents"), {}

    with ExitStack() as ends:
        def get(mode, local):
            name = "%s-%d" % (mode, local.port)
            if name not in made:
                agent = Agent(folder, gateway.url, gateway.token(name), "127.0.0.1:%d" % local.port,
                              "--protocol", mode, ca=certs / "ca.pem")
                agent.wait_open()
                agent.shared = True
                ends.callback(agent.stop_well)
                made[name] = Tunnel(gateway, name, agent, mode)
            return made[name]
        get.made = made
        yield get


@pytest.fixture
def through_proxy(make_gateway, make_agent, origin):
    """Asks /describe with these fields, from 127.0.0.1, where --trust-proxy has that network."""
    def ask(network, fields):
        gateway = make_gateway("--trust-proxy", network, certs=None)
        make_agent(gateway.url, gateway.token("one"), origin.local).wait_open()
        with gateway.visit("one") as visitor:
            return visitor.request("GET", "/describe", fields)
    return ask


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


@pytest.fixture
def tunnel(mode, tunnels, origin, steady):
    """A tunnel of each mode to `origin`."""
    return tunnels(mode, origin)


@pytest.fixture(params=MODES[:2])
def streams(request, tunnels, origin, steady):
    """A tunnel of each mode that has streams. In plain mode one message carries a whole body, so
    that nothing can go both ways at once or past a visitor who is slow."""
    return tunnels(request.param, origin)


@pytest.fixture
def steady(tunnels, gateway):
    """The shared programs outlive the test, on the session that they had."""
    yield
    assert gateway.running(), gateway.log()[-3000:]
    for name, tunnel in tunnels.made.items():
        assert tunnel.agent.running(), tunnel.agent.log()[-3000:]
        opened, tunnel.opened = tunnel.opened, tunnel.agent.sessions()
        assert tunnel.opened == opened, name + " reconnected:\n" + tunnel.agent.log()[-3000:]


def runs_native():
    return not RUNNER


NO_CORES = pytest.mark.skipif(SANITIZED,
                              reason="AddressSanitizer takes the signals that dump cores")
