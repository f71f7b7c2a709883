"""A device and a cloud, each in a network namespace, with a long path between them that can be cut:
the real agent and a local server in the one, the real gateway, a name server and visitors in the
other. A visitor asks twenty times a second, so that every fault shows, and every end of one.

    10.78.0.1 device --- path --- cloud 10.78.0.2 (gateway), .53 (name server)
    10.79.0.1 device --- router 10.79.0.9, 10.78.0.1 --- path --- cloud     with router=True
"""
import asyncio
import contextlib
import os
import random
import shutil
import socket
import struct
import threading
import time

import spaces
from conftest import token_lines
from origin import Background, Origin
from procs import ADIT, GATEWAY, ROOT, UNFILTERED, run, wait_until
from visitor import Visitor

DEVICE, CLOUD, NAMES, NOBODY = "10.78.0.1", "10.78.0.2", "10.78.0.53", "10.78.0.66"
DEVICE6, CLOUD6 = "fd78::1", "fd78::2"
NAME, HOST = "gw.test", "web.tunnel.test"
AGENTS, VISITORS, LOCAL, PROXY = 443, 8000, 8080, 3128

OPTIONS = {"--ping-interval": "500ms", "--ping-timeout": "1s", "--connect-timeout": "2s",
           "--base-delay": "100ms", "--max-delay": "2s", "--request-timeout": "2s",
           "--log-level": "debug"}
GATEWAY_OPTIONS = {"--ping-interval": "500ms", "--ping-timeout": "1s", "--header-timeout": "4s",
                   "--connect-rate": "0", "--request-rate": "0", "--max-per-address": "250",
                   "--drain": "1s", "--log-level": "debug"}
# Until a fault is found: silence in a session, or an attempt that comes to nothing.
OPEN_S, CONNECT_S = 1.5, 2.0
# From the mend to an answer: the longest delay, an attempt that began too early, another one.
BACK_S = 2.0 + CONNECT_S + 0.5
# What a busy machine may add.
SLACK_S = 1.5


class NameServer:
    """Answers what `named` has for the name, or `records`, in one of these moods: None, "silent",
    "refuses" (SERVFAIL), "unknown" (NXDOMAIN), "garbage"; after `delay` seconds."""

    def __init__(self, space, address):
        self.records, self.named, self.mood, self.delay = [CLOUD], {}, None, 0
        self.random = random.Random(1)
        with space.inside():
            self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((address, 53))
        self.sock.settimeout(0.05)
        self.open = True
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while self.open:
            with contextlib.suppress(TimeoutError):
                self.serve_one(*self.sock.recvfrom(2000))

    def serve_one(self, query, peer):
        if self.mood == "silent":
            return
        answers = self.garbage(query) if self.mood == "garbage" else [self.answer(query)]
        if self.delay:
            threading.Timer(self.delay, self.give, (answers, peer)).start()
        else:
            self.give(answers, peer)

    def give(self, answers, peer):
        with contextlib.suppress(OSError):
            for answer in answers:
                self.sock.sendto(answer, peer)

    def answer(self, query):
        kind = query[-4:-2]
        family, number = ((socket.AF_INET, b"\0\x01") if kind == b"\0\x01" else
                          (socket.AF_INET6, b"\0\x1c"))
        name = b".".join(labels(query)).decode().lower()
        found = [] if self.mood else [
            b"\xc0\x0c" + number + b"\0\x01" + struct.pack(">IH", 1, len(data)) + data
            for data in (socket.inet_pton(family, a) for a in self.named.get(name, self.records)
                         if (":" in a) == (family == socket.AF_INET6))]
        code = {"refuses": 2, "unknown": 3}.get(self.mood, 0)
        return (query[:2] + bytes([0x81, 0x80 | code]) + b"\0\x01" +
                struct.pack(">H", len(found)) + b"\0\0\0\0" + query[12:] + b"".join(found))

    def garbage(self, query):
        """What is no answer to the question, or to no question at all."""
        whole = self.answer(query)
        other = bytearray(whole)
        other[13] ^= 1                                             # another name
        turned = whole[:12] + b"\xc0\x0c" + query[-4:]             # a name that names itself
        # It begins as an answer should.
        noise = query[:2] + b"\x81\x80" + self.random.randbytes(200)
        endless = whole[:6] + b"\xff\xff" + whole[8:]              # 65535 answers, it says
        return [b"", query[:1], query, whole[:11], whole[:-1], bytes(other), turned, noise, endless,
                self.random.randbytes(600)]

    def close(self):
        """Nobody listens there any more."""
        self.open = False
        self.thread.join()
        self.sock.close()


def labels(query):
    """Of the name that is asked for."""
    at = 12
    while query[at]:
        yield query[at + 1:at + 1 + query[at]]
        at += 1 + query[at]


class Proxy:
    """CONNECT to anywhere means the gateway; in one of these moods: None, "dead", or the status
    that it answers."""

    def __init__(self, background, space):
        self.background, self.space, self.mood = background, space, None
        with space.inside():
            sock = socket.create_server((NAMES, PROXY))
        self.server = background.run(asyncio.start_server(self.serve, sock=sock))

    async def serve(self, reader, writer):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            if self.mood == "dead":
                writer.transport.abort()
            elif self.mood or not head.startswith(b"CONNECT "):
                writer.write(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % (self.mood or 405))
            else:
                await self.join(reader, writer)
        writer.close()

    async def join(self, reader, writer):
        with self.space.inside():
            sock = socket.socket()
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (CLOUD, AGENTS))
        there, back = await asyncio.open_connection(sock=sock)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(self.copy(reader, back), self.copy(there, writer))

    @staticmethod
    async def copy(reader, writer):
        with contextlib.suppress(OSError):
            while piece := await reader.read(65536):
                writer.write(piece)
                await writer.drain()
        writer.transport.abort()


class LocalServer(Origin):
    """The device's; it can go away and come again."""

    def __init__(self, background, space):
        self.space, self.writers = space, set()
        super().__init__(background)
        self.on("/hang", self.hang)
        self.on("/die", self.die)
        self.hung = asyncio.Event()

    async def start(self):
        with self.space.inside():
            sock = socket.create_server(("127.0.0.1", LOCAL))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return await asyncio.start_server(self.serve, sock=sock)

    async def serve(self, reader, writer):
        self.writers.add(writer)
        await super().serve(reader, writer)
        self.writers.discard(writer)

    async def hang(self, r):
        await self.hung.wait()
        return await r.reply()

    @staticmethod
    async def die(r):
        await r.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 30000)
        r.writer.transport.abort()
        return False

    def leave(self):
        self.background.run(self.close())

    async def close(self):
        self.server.close()
        for writer in list(self.writers):
            writer.transport.abort()

    def come(self):
        self.server = self.background.run(self.start())


class Asked:
    """A request of the steady visitor, on a connection of its own."""

    def __init__(self):
        self.begun, self.ended, self.good, self.got = time.monotonic(), None, False, b""

    def __repr__(self):
        took = "%.2f s" % (self.ended - self.begun) if self.ended else "no end"
        return "<%.3f: %s %s>" % (self.begun, took, self.got[:40])


class Steady:
    """Asks again and again, whatever became of those before."""

    def __init__(self, background, space, patience, every):
        self.background, self.space = background, space
        self.patience, self.every = patience, every
        self.asked, self.running = [], True
        self.task = asyncio.run_coroutine_threadsafe(self.go(), background.loop)

    async def go(self):
        tasks = []
        while self.running:
            tasks.append(asyncio.create_task(self.ask()))
            await asyncio.sleep(self.every)
        await asyncio.gather(*tasks)

    async def ask(self):
        a = Asked()
        self.asked.append(a)
        with contextlib.suppress(OSError, asyncio.TimeoutError):
            async with asyncio.timeout(self.patience):
                await self.exchange(a)
        a.good = a.got.endswith(b"hello from the local server\n")
        a.ended = time.monotonic()

    async def exchange(self, a):
        loop = asyncio.get_running_loop()
        with self.space.inside():
            sock = socket.socket()
        with sock:
            sock.setblocking(False)
            await loop.sock_connect(sock, ("127.0.0.1", VISITORS))
            await loop.sock_sendall(
                sock, b"GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % HOST.encode())
            while piece := await loop.sock_recv(sock, 4096):
                a.got += piece

    def stop(self):
        self.running = False
        self.task.result(self.patience + 10)

    def served(self, since):
        """The end of the first one that was begun since and was answered."""
        ends = [a.ended for a in list(self.asked) if a.begun >= since and a.good]
        return min(ends) if ends else None


def absent(preset, options):
    """What of the preset ones is not among the options."""
    return [word for name, value in preset.items() if name not in options for word in (name, value)]


def known_options():
    """What both programs and their manual pages tell of."""
    pages = (ROOT / ("board/man/%s.1" % name) for name in ("adit", "adit-gateway"))
    return "".join([run([*ADIT, "--help"])[1], run([*GATEWAY, "--help"])[1],
                    *(page.read_text() for page in pages)])


MASQUERADE = """flush ruleset
table ip n {
  chain post {
    type nat hook postrouting priority 100
    oifname "path" masquerade %s
  }
}"""


class World:
    def __init__(self, folder, certs, tool, router=False, agent=(), gateway=(), path=(),
                 records=None, named=None, proxy=False, patience=5.0, every=0.05):
        self.folder, self.certs, self.other_certs = folder, certs / "good", certs / "other"
        self.ends = contextlib.ExitStack()
        try:
            self.make_spaces(tool, router, dict(path))
            self.background = Background()
            self.ends.callback(self.background.stop)
            self.names = NameServer(self.cloud, NAMES)
            self.ends.callback(self.names.close)
            self.names.records, self.names.named = records or [CLOUD], named or {}
            if proxy:
                self.proxy = Proxy(self.background, self.cloud)
                agent = [*agent, "--proxy", "http://%s:%d" % (NAMES, PROXY)]
            self.local = LocalServer(self.background, self.device)
            self.make_gateway(gateway)
            self.make_agent(agent)
            self.agent.wait_for_log("session .* open", timeout=60)
            self.steady = None
            if every:
                self.steady = Steady(self.background, self.cloud, patience, every)
                self.ends.callback(self.steady.stop)
        except BaseException:
            self.ends.close()
            raise

    def space(self, etc=None):
        it = spaces.Namespace(etc)
        self.ends.callback(it.holder.kill)
        return it

    def make_spaces(self, tool, router, values):
        self.etc = self.folder / "etc"
        self.etc.mkdir()
        self.resolv_conf("nameserver " + NAMES)
        self.device, self.cloud = self.space(self.etc), self.space()
        self.router = self.space() if router else None
        near = self.router or self.device
        self.path = spaces.LongPath(tool, near, self.cloud, **values)
        self.ends.callback(self.path.kill)
        near.run("ip", "addr", "add", DEVICE + "/24", "dev", "path")
        for address in (CLOUD, NAMES):
            self.cloud.run("ip", "addr", "add", address + "/24", "dev", "path")
        for space, address in ((near, DEVICE6), (self.cloud, CLOUD6)):
            space.run("ip", "addr", "add", address + "/64", "dev", "path", "nodad")
            space.run("ip", "link", "set", "path", "mtu", "1500", "up")
        if router:
            self.join_router()

    def join_router(self):
        self.device.run("ip", "link", "add", "lan", "type", "veth", "peer", "name", "lan", "netns",
                        str(self.router.holder.pid))
        for space, address in ((self.device, "10.79.0.1"), (self.router, "10.79.0.9")):
            space.run("ip", "addr", "add", address + "/24", "dev", "lan")
            space.run("ip", "link", "set", "lan", "up")
        self.device.run("ip", "route", "add", "default", "via", "10.79.0.9")
        self.router.set(net__ipv4__ip_forward=1)
        self.masquerade()

    def masquerade(self, how=""):
        self.router.run("nft", MASQUERADE % how)

    def resolv_conf(self, text):
        """Put in place of the old one, as DHCP clients do."""
        new = self.etc / "resolv.conf.new"
        new.write_text(text + "\noptions timeout:1\n")
        new.rename(self.etc / "resolv.conf")

    # ---- the programs ----

    def make_gateway(self, options):
        _, out, _ = run([*GATEWAY, "token", "web"])
        self.token, line = token_lines(out, "web")
        (self.folder / "tokens").write_text(line + "\n")
        self.use_certificate(self.certs, "server")
        self.gateway_argv = [
            *GATEWAY, *UNFILTERED, "--listen", "[::]:%d" % AGENTS, "--listen-http",
            "127.0.0.1:%d" % VISITORS, "--domain", "tunnel.test", "--tokens",
            self.folder / "tokens", "--cert", self.folder / "cert.pem", "--key",
            self.folder / "cert.key", *options]
        preset = {name: value for name, value in GATEWAY_OPTIONS.items()
                  if name + " " in known_options()}
        self.gateway_argv += absent(preset, options)
        self.start_gateway()

    def start_gateway(self):
        self.gateway = self.cloud.start(*self.gateway_argv)
        self.ends.callback(self.gateway.kill)
        self.cloud.wait_listen(VISITORS)

    def use_certificate(self, folder, kind):
        """What the gateway reads at its start, and on SIGHUP."""
        shutil.copy(folder / (kind + ".pem"), self.folder / "cert.pem")
        shutil.copy(folder / (kind + ".key"), self.folder / "cert.key")

    def make_agent(self, options):
        token = self.folder / "token"
        token.write_text(self.token + "\n")
        token.chmod(0o600)
        argv = [*ADIT, *UNFILTERED, "--token-file", token, "--local", "127.0.0.1:%d" % LOCAL,
                "--ca", self.certs / "ca.pem"]
        preset = {"--url": "wss://%s:%d/_adit" % (NAME, AGENTS), **OPTIONS}
        self.agent_argv = [*argv, *absent(preset, options), *options]
        self.start_agent()

    def start_agent(self):
        self.agent = self.device.start(*self.agent_argv)
        self.ends.callback(self.agent.kill)

    def visit(self, **kwargs):
        with self.cloud.inside():
            return Visitor(("127.0.0.1", VISITORS), HOST, **kwargs)

    # ---- looking ----

    def failures(self, since):
        """Ends of connections, and attempts that came to none, that the agent has told."""
        return len([line for line in self.agent.lines[since:] if "disconnected: " in line])

    def wait_failures(self, count, since, timeout=60):
        """When there were so many."""
        wait_until(lambda: self.failures(since) >= count or not self.agent.running(),
                   "the agent to notice", timeout)
        assert self.agent.running(), self.agent.log()
        return time.monotonic()

    def wait_served(self, since, timeout=60):
        try:
            return wait_until(lambda: self.steady.served(since), "a visitor to be served", timeout)
        except AssertionError as error:
            raise AssertionError("%s\n%s\n%s" % (error, self.agent.log()[-3000:],
                                                 self.gateway.log()[-2000:])) from None

    @staticmethod
    def usage(proc):
        return proc.status("VmRSS"), len(os.listdir("/proc/%d/fd" % proc.pid))

    def close(self):
        self.ends.close()
