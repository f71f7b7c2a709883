"""Speed of a tunnel beside that of other ways to the same nginx; scripts/bench.sh calls it.

Every way takes plain HTTP from its visitor and carries it encrypted to the "device", the process
beside nginx whose CPU time and memory are counted: adit, the inner HAProxy, the ssh client. All of
a run's ways take turns, so that a slow moment of the machine hits them alike; medians are told.
"""
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench_ways import nginx_argv, ssh_argvs, stop_all
from conftest import DOMAIN, Agent, Gateway, accepts, free_port
from pages import write_pages
from procs import ROOT, Proc, wait_until

SECONDS = int(os.environ.get("BENCH_SECONDS", "3"))
RUNS = int(os.environ.get("BENCH_RUNS", "3"))
WAYS = os.environ.get("BENCH_WAYS", "direct adit haproxy ssh").split()
CONNECTIONS = (1, 16, 64)
BIG = 100 << 20
HOST = "bench." + DOMAIN

HAPROXY = """
global
  nbthread 1
  ca-base %(certs)s
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
"""
HAPROXY_EDGE = HAPROXY + """
frontend visitors
  bind 127.0.0.1:%(port)d
  default_backend device
backend device
  server device 127.0.0.1:%(inner)d ssl verify required ca-file ca.pem verifyhost localhost
"""
HAPROXY_INNER = HAPROXY + """
frontend device
  bind 127.0.0.1:%(inner)d ssl crt %(certs)s/both.pem
  default_backend local
backend local
  server local 127.0.0.1:%(local)d
"""


class Way:
    """Where to visit, and the process beside nginx."""

    def __init__(self, name, port, device=None):
        self.name, self.port, self.device = name, port, device


def direct(_folder, _certs, local):
    return Way("direct", local)


def adit(folder, certs, local):
    gateway = Gateway(folder, "--listen-http", "127.0.0.1:0", certs=certs)
    found = wait_until(lambda: [p for p in re.findall(r"listening on 127\.0\.0\.1:(\d+)",
                                                      gateway.log()) if int(p) != gateway.port],
                       "the visitors' port")
    agent = Agent(folder, gateway.url, gateway.token("bench"), "127.0.0.1:%d" % local,
                  "--log-level", "info", ca=certs / "ca.pem")
    agent.wait_open()
    return Way("adit", int(found[0]), agent)


def haproxy(folder, certs, local):
    values = {"certs": certs, "port": free_port(), "inner": free_port(), "local": local}
    (certs / "both.pem").write_text((certs / "server.pem").read_text()
                                    + (certs / "server.key").read_text())
    processes = []
    for name, text in (("inner", HAPROXY_INNER), ("edge", HAPROXY_EDGE)):
        config = folder / (name + ".cfg")
        config.write_text(text % values)
        processes.append(Proc(["haproxy", "-db", "-f", config]))
    wait_until(lambda: accepts(values["port"]) and accepts(values["inner"]), "HAProxy")
    return Way("haproxy", values["port"], processes[0])


def ssh(folder, _certs, local):
    """OpenSSH with its own defaults for ciphers."""
    port, server = free_port(), free_port()
    sshd, client = ssh_argvs(folder, ("127.0.0.1", server), ("127.0.0.1", port),
                             ("127.0.0.1", local))
    Proc(sshd)
    wait_until(lambda: accepts(server), "sshd")
    device = Proc(client)
    wait_until(lambda: accepts(port), "the forwarded port")
    return Way("ssh", port, device)


MAKE = {"direct": direct, "adit": adit, "haproxy": haproxy, "ssh": ssh}

# ---- measuring ----

UNIT = {"us": 1e-3, "ms": 1.0, "s": 1e3}


def milliseconds(text, percent):
    value, unit = re.search(r"^\s*%d%%\s+([\d.]+)(us|ms|s)$" % percent, text, re.M).groups()
    return float(value) * UNIT[unit]


def cpu(way):
    return way.device.cpu_seconds() if way.device else 0.0


def requests(way, connections):
    """requests/s, p50 and p99 in ms, the device's CPU seconds per 10,000 requests."""
    before = cpu(way)
    out = subprocess.run(
        ["wrk", "-t1", "-c%d" % connections, "-d%ds" % SECONDS, "--latency", "-H", "Host: " + HOST,
         "http://127.0.0.1:%d/1k.bin" % way.port], check=True, capture_output=True).stdout.decode()
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: .*", out)
    if bad:
        print("%s, %d connections: %s" % (way.name, connections, bad.group(0)), file=sys.stderr)
    total = int(re.search(r"(\d+) requests in", out).group(1))
    return {"rate": float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)),
            "p50": milliseconds(out, 50), "p99": milliseconds(out, 99),
            "cpu": (cpu(way) - before) / max(total, 1) * 10000}


def downloads(way, at_once):
    """MB/s of all together, the device's CPU seconds per GiB."""
    before, start = cpu(way), time.monotonic()
    children = [subprocess.Popen(
        ["curl", "-sS", "-o", "/dev/null", "-w", "%{size_download}", "-H", "Host: " + HOST,
         "http://127.0.0.1:%d/big.bin" % way.port], stdout=subprocess.PIPE)
        for _ in range(at_once)]
    sizes = [int(child.communicate()[0]) for child in children]
    took = time.monotonic() - start
    assert sizes == [BIG] * at_once, (way.name, sizes)
    return {"rate": sum(sizes) / took / 1e6, "cpu": (cpu(way) - before) / sum(sizes) * (1 << 30)}


def measure(ways):
    """{(way, what): [a dict a run]}"""
    results = {}
    for n in range(RUNS):
        for connections in CONNECTIONS:
            for way in ways:
                results.setdefault((way.name, "c%d" % connections), []).append(
                    requests(way, connections))
        for at_once in (1, 8):
            for way in ways:
                results.setdefault((way.name, "d%d" % at_once), []).append(downloads(way, at_once))
        print("run %d of %d done" % (n + 1, RUNS), file=sys.stderr)
    return results


# ---- telling ----

def median(results, way, what, key):
    return statistics.median(run[key] for run in results[way, what])


def table(title, head, rows):
    print("\n" + title)
    widths = [max(len(r[i]) for r in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        print("  ".join(c.ljust(w) if i == 0 else c.rjust(w)
                        for i, (c, w) in enumerate(zip(row, widths))).rstrip())


def ratio(results, way, what):
    if (("direct", what)) not in results:
        return "-"
    return "%.2f" % (median(results, "direct", what, "rate") / median(results, way, what, "rate"))


def tell(ways, results):
    rows = []
    for connections in CONNECTIONS:
        what = "c%d" % connections
        for way in ways:
            def of(key, name=way.name, what=what):
                return median(results, name, what, key)
            rows.append(["%s, %d" % (way.name, connections), "%.0f" % of("rate"),
                         ratio(results, way.name, what), "%.2f" % of("p50"), "%.2f" % of("p99"),
                         "%.3f" % of("cpu") if way.device else "-"])
    table("1 KB requests, by connections",
          ["way", "requests/s", "direct/way", "p50 ms", "p99 ms", "CPU s/10k"], rows)
    rows = []
    for at_once in (1, 8):
        what = "d%d" % at_once
        for way in ways:
            rows.append(["%s, %d" % (way.name, at_once),
                         "%.0f" % median(results, way.name, what, "rate"),
                         ratio(results, way.name, what),
                         "%.2f" % median(results, way.name, what, "cpu") if way.device else "-"])
    table("100 MiB downloads, by how many at once",
          ["way", "MB/s", "direct/way", "CPU s/GiB"], rows)
    table("Memory of the process beside the local server", ["way", "VmRSS kB", "VmHWM kB"],
          [[w.name, str(w.device.status("VmRSS")), str(w.device.status("VmHWM"))]
           for w in ways if w.device])
    names = [w.name for w in ways]
    if {"adit", "haproxy"} <= set(names):
        both = [median(results, "adit", what, "cpu")
                / max(median(results, "haproxy", what, "cpu"), 1e-9) for what in ("c16", "d1")]
        print("\nadit's CPU as a part of the inner HAProxy's: "
              "%.2f at 16 connections, %.2f in one download" % tuple(both))


def main():
    folder = Path(tempfile.mkdtemp(prefix="adit-bench."))
    ways = []
    try:
        folder.chmod(0o755)
        www, certs = folder / "www", folder / "certs"
        www.mkdir()
        write_pages(www)
        (www / "big.bin").write_bytes(os.urandom(BIG))
        subprocess.run([ROOT / "scripts/certs.sh", certs, "localhost", DOMAIN, "*." + DOMAIN],
                       check=True)
        port = free_port()
        Proc(nginx_argv(folder, "127.0.0.1:%d" % port))
        wait_until(lambda: accepts(port), "nginx")
        for name in WAYS:
            (folder / name).mkdir()
            ways.append(MAKE[name](folder / name, certs, port))
        tell(ways, measure(ways))
    finally:
        stop_all()
        shutil.rmtree(folder)


if __name__ == "__main__":
    os.environ["PATH"] += ":/usr/sbin"
    # As Ctrl-C: what was started has to be stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    main()
