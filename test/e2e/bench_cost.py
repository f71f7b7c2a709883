"""What a request and a MiB cost both programs, exactly: instructions of their own (callgrind) and
system calls (strace), where seconds differ from day to day. scripts/bench_cost.sh calls it.

Each count is the difference between a long run and a short one of the same program, divided by what
the long one did more, so that start, handshake and end are not in it. One program is watched at a
time.
"""
import http.client
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import conftest
from bench_ways import nginx_argv, stop_all
from conftest import DOMAIN, Agent, Gateway, accepts, free_port
from pages import write_pages
from procs import ADIT, GATEWAY, ROOT, Proc, wait_until

MIB = 1 << 20
HOST = "cost." + DOMAIN
TOOLS = {
    "instructions": (["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"],
                     r"Collected : (\d+)"),
    "system calls": (["strace", "-D", "-c", "-f", "-o", "{out}"], r"(\d+)\s+(?:\d+\s+)?total"),
}
# Under a tool the programs make calls that their filters forbid.
UNSAFE = ["--seccomp=no", "--limits=no"]


class Bench:
    """Gateway and agent over TLS, one of them under a tool."""

    def __init__(self, folder, certs, local, watched, tool):
        self.out = folder / "counted"
        self.out.unlink(missing_ok=True)
        prefix = [word.format(out=self.out) for word in TOOLS[tool][0]]
        conftest.GATEWAY = [*(prefix if watched == "gateway" else []), *GATEWAY]
        conftest.ADIT = [*(prefix if watched == "agent" else []), *ADIT]
        self.gateway = Gateway(folder, *UNSAFE, "--listen-http", "127.0.0.1:0", certs=certs)
        found = wait_until(lambda: [p for p in re.findall(
            r"listening on 127\.0\.0\.1:(\d+)", self.gateway.log())
            if int(p) != self.gateway.port], "the visitors' port")
        self.port = int(found[0])
        conftest.GATEWAY = GATEWAY
        token = self.gateway.token("cost")
        self.agent = Agent(folder, self.gateway.url, token, "127.0.0.1:%d" % local, *UNSAFE,
                           "--log-level", "info", "--ping-interval", "1h", ca=certs / "ca.pem")
        self.agent.wait_for_log("session .* open", timeout=120)
        self.watched = self.agent if watched == "agent" else self.gateway
        self.pattern = TOOLS[tool][1]

    def end(self):
        """How much the watched program did, all in all."""
        self.agent.stop()
        self.gateway.stop()

        def counted():
            text = self.watched.log() + (self.out.read_text() if self.out.exists() else "")
            return re.findall(self.pattern, text)
        return int(wait_until(counted, "the tool's count")[-1])


def visit(port, count, method="GET", path="/1k.bin", body=None):
    """So many requests on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    for _ in range(count):
        connection.request(method, path, body=body, headers={"Host": HOST})
        response = connection.getresponse()
        while response.read(MIB):
            pass
        assert response.status < 300, response.status
    connection.close()


def one_by_one(port, n):
    visit(port, n)


def sixteen_at_once(port, n):
    threads = [threading.Thread(target=visit, args=(port, n // 16)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def download(port, n):
    visit(port, 1, path="/big%d.bin" % n)


def upload(port, n):
    visit(port, 1, "PUT", "/put/it", bytes(n * MIB))


WORK = [("a request, one by one", one_by_one, 100, 1100),
        ("a request of 16 at once", sixteen_at_once, 160, 1760),
        ("a MiB down", download, 4, 36),
        ("a MiB up", upload, 4, 36)]


def cost(folder, certs, local, watched, tool, work):
    _, function, short, long = work
    counts = []
    for n in (short, long):
        bench = Bench(folder, certs, local, watched, tool)
        function(bench.port, n)
        counts.append(bench.end())
    return (counts[1] - counts[0]) / (long - short)


def main():
    folder = Path(tempfile.mkdtemp(prefix="adit-cost."))
    try:
        folder.chmod(0o755)
        www, certs = folder / "www", folder / "certs"
        www.mkdir()
        write_pages(www)
        for n in (4, 36):
            (www / ("big%d.bin" % n)).write_bytes(os.urandom(MIB) * n)
        (www / "put").mkdir(mode=0o777)
        (www / "put").chmod(0o777)
        subprocess.run([ROOT / "scripts/certs.sh", certs, "localhost", DOMAIN, "*." + DOMAIN],
                       check=True)
        local = free_port()
        Proc(nginx_argv(folder, "127.0.0.1:%d" % local,
                        "location /put { dav_methods PUT; create_full_put_path on; }"))
        wait_until(lambda: accepts(local), "nginx")
        print("%-26s%16s%16s%16s%16s" % ("", *(
            "%s, %s" % (program, tool.split()[-1][:5]) for program in ("agent", "gateway")
            for tool in TOOLS)))
        for work in WORK:
            row = [cost(folder, certs, local, watched, tool, work)
                   for watched in ("agent", "gateway") for tool in TOOLS]
            print("%-26s" % work[0] + "".join(
                "%16s" % (("%.0f" if i % 2 == 0 else "%.2f") % value)
                for i, value in enumerate(row)), flush=True)
    finally:
        stop_all()
        shutil.rmtree(folder)


if __name__ == "__main__":
    os.environ["PATH"] += ":/usr/sbin"
    sys.exit(main())
