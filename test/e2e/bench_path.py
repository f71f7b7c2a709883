"""Speed over a long path beside that of TCP alone and `ssh -R`; scripts/bench_path.sh calls it.

Two network namespaces, a device and a cloud, are connected by test/tools/path.c. In the device's
are nginx, agent and ssh; in the cloud's gateway, sshd and visitors. All ways take turns in a run;
medians are told, and each as a part of what TCP alone gets over the same path.

bench_path.py check: TCP and adit only, and ends with 1 unless adit keeps LIMITS, in one of three
tries: another load of the machine makes any one slower, never faster.
bench_path.py sink PORT, bench_path.py ask HOST PORT COUNT: its own parts in the namespaces.
"""
import http.client
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from bench_ways import nginx_argv, ssh_argvs, stop_all
from pages import write_pages
from procs import ADIT, GATEWAY, ROOT, clean_env, run
from spaces import LongPath, Namespace

RTT_MS = float(os.environ.get("RTT", "100"))
MBIT = int(os.environ.get("MBIT", "1000"))
LOSS_PERCENT = float(os.environ.get("LOSS", "0"))
RUNS = int(os.environ.get("BENCH_RUNS", "3"))
WAYS = os.environ.get("BENCH_WAYS", "tcp adit ssh").split()
WHATS = os.environ.get("BENCH_WHATS", "down1 down4 up1 up4 small").split()
GATEWAY_OPTIONS = os.environ.get("BENCH_GATEWAY_OPTIONS", "").split()
# A transfer is measured to its end, or for so long.
TRANSFER_S = 12
# Of TCP alone, one connection, as a tunnel is one: at least for bytes, at most for times.
LIMITS = {"down1": 0.9, "down4": 0.95, "up1": 0.4 if RTT_MS > 50 else 0.5, "small": 1.5}
TRIES = 3
BIG = 200 << 20
UPLOAD = 100 << 20
ASKED = 20
DEVICE, CLOUD = "10.77.0.1", "10.77.0.2"
HOST = "bench.tunnel.test"
LOCAL, SINK, AGENTS, VISITORS, SSHD, FORWARDED = 8080, 8081, 8443, 8000, 2222, 8001
PORT = {"tcp": (DEVICE, LOCAL), "adit": ("127.0.0.1", VISITORS), "ssh": ("127.0.0.1", FORWARDED)}

SINK_LOCATION = """location /sink {
      proxy_pass http://127.0.0.1:%d; proxy_request_buffering off; proxy_http_version 1.1;
    }""" % SINK


def sink(port):
    """Takes bodies of a known length, and says so at their end."""
    def serve(s):
        with s, s.makefile("rb") as stream:
            while stream.readline():
                left = 0
                for line in iter(stream.readline, b"\r\n"):
                    if line.lower().startswith(b"content-length:"):
                        left = int(line.split(b":")[1])
                while left > 0:
                    left -= len(stream.read1(min(left, 1 << 18))) or left
                s.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            threading.Thread(target=serve, args=listener.accept()[:1], daemon=True).start()


def ask(host, port, count):
    """The median time of small requests on one connection, in milliseconds."""
    connection, took = http.client.HTTPConnection(host, port, timeout=60), []
    for _ in range(count):
        start = time.monotonic()
        connection.request("GET", "/1k.bin", headers={"Host": HOST})
        assert len(connection.getresponse().read()) == 1024
        took.append(time.monotonic() - start)
    print(statistics.median(took) * 1000)


def connect(device, cloud):
    path = LongPath(os.environ["PATH_TOOL"], device, cloud, delay_us=RTT_MS * 500,
                    kbit=MBIT * 1000, loss=LOSS_PERCENT * 10000)
    for space, address in ((device, DEVICE), (cloud, CLOUD)):
        space.run("ip", "addr", "add", address + "/24", "dev", "path")
        space.run("ip", "link", "set", "path", "mtu", "1500", "txqueuelen", "10000", "up")
    return path


def start_local(folder, device):
    (folder / "www").mkdir()
    write_pages(folder / "www")
    (folder / "www/big.bin").write_bytes(os.urandom(1 << 20) * (BIG >> 20))
    device.start(sys.executable, "-B", __file__, "sink", SINK)
    device.start(*nginx_argv(folder, str(LOCAL), SINK_LOCATION))
    device.wait_listen(LOCAL)
    device.wait_listen(SINK)


def opened(agent, since, what):
    """How many round trips a session took, from the first packet on."""
    agent.wait_for_log("connecting to", since, timeout=60)
    begin = time.monotonic()
    agent.wait_for_log("session .* open", since, timeout=60)
    print("%-46s%5.1f" % (what, (time.monotonic() - begin) * 1000 / RTT_MS))


def tell_round_trips(gateway, agent, tokens, cloud):
    """Once more after a loss: the token is withdrawn for a moment."""
    good = tokens.read_text()
    _, out, _ = run([*GATEWAY, "token", "other"])
    since = agent.mark()
    tokens.write_text(next(line.strip() + "\n" for line in out.splitlines()
                           if line.strip().startswith("other ")))
    gateway.send(signal.SIGHUP)
    agent.wait_for_log("disconnected", since)
    tokens.write_text(good)
    gateway.send(signal.SIGHUP)
    opened(agent, since, "round trips to a session, TLS resumed")
    host, port = PORT["adit"]
    took = float(cloud.run(sys.executable, "-B", __file__, "ask", host, port, 5))
    print("%-46s%5.1f" % ("of a request", took / RTT_MS))


def start_adit(folder, device, cloud):
    subprocess.run([ROOT / "scripts/certs.sh", folder, "localhost", "tunnel.test"], check=True)
    _, out, _ = run([*GATEWAY, "token", "bench"])
    lines = [line.strip() for line in out.splitlines() if line.strip()]
    tokens = folder / "tokens"
    tokens.write_text(next(line for line in lines if line.startswith("bench ")) + "\n")
    token = folder / "token"
    token.write_text(next(line for line in lines if not line.startswith("bench ")).split()[-1])
    token.chmod(0o600)
    gateway = cloud.start(
        *GATEWAY, "--listen", "0.0.0.0:%d" % AGENTS, "--listen-http", "127.0.0.1:%d" % VISITORS,
        "--domain", "tunnel.test", "--tokens", tokens, "--cert", folder / "server.pem", "--key",
        folder / "server.key", *GATEWAY_OPTIONS)
    cloud.wait_listen(VISITORS)
    agent = device.start(
        *ADIT, "--url", "wss://%s:%d/_adit" % (CLOUD, AGENTS), "--server-name", "localhost",
        "--ca", folder / "ca.pem", "--token-file", token, "--local", "127.0.0.1:%d" % LOCAL)
    opened(agent, 0, "round trips to a session, the first")
    tell_round_trips(gateway, agent, tokens, cloud)
    return gateway, agent


def start_ssh(folder, device, cloud):
    sshd, ssh = ssh_argvs(folder, (CLOUD, SSHD), ("127.0.0.1", FORWARDED), ("127.0.0.1", LOCAL))
    cloud.start(*sshd)
    cloud.wait_listen(SSHD)
    device.start(*ssh)
    cloud.wait_listen(FORWARDED)


# ---- measuring ----

def curl(cloud, way, *options):
    return subprocess.Popen(
        cloud.argv("curl", "-sS", "-o", "/dev/null", "-H", "Host: " + HOST, "--max-time",
                   TRANSFER_S, *options[:-1], "http://%s:%d%s" % (*PORT[way], options[-1])),
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=clean_env())


def transfer(cloud, way, count, kind, *options):
    """MB/s of all together."""
    start = time.monotonic()
    children = [curl(cloud, way, "-w", "%{size_" + kind + "}", *options) for _ in range(count)]
    sizes = [int(child.communicate()[0]) for child in children]
    return sum(sizes) / (time.monotonic() - start) / 1e6


def upload(cloud, way, count, folder):
    return transfer(cloud, way, count, "upload", "-H", "Expect:", "-T", folder / "upload", "/sink")


def small(cloud, way, _folder):
    """Of requests while downloads run."""
    children = [curl(cloud, way, "/big.bin") for _ in range(2)]
    time.sleep(20 * RTT_MS / 1000)  # until they are at speed
    host, port = PORT[way]
    took = float(cloud.run(sys.executable, "-B", __file__, "ask", host, port, ASKED))
    for child in children:
        child.terminate()
        child.communicate()
    return took


MEASURES = {
    "down1": ("one download, MB/s", lambda c, w, f: transfer(c, w, 1, "download", "/big.bin")),
    "down4": ("four downloads, MB/s", lambda c, w, f: transfer(c, w, 4, "download", "/big.bin")),
    "up1": ("one upload, MB/s", lambda c, w, f: upload(c, w, 1, f)),
    "up4": ("four uploads, MB/s", lambda c, w, f: upload(c, w, 4, f)),
    "small": ("small request during downloads, ms", small),
}


def measure(cloud, folder):
    results = {}
    for n in range(RUNS):
        for what in WHATS:
            for way in WAYS:
                results.setdefault((what, way), []).append(MEASURES[what][1](cloud, way, folder))
        print("run %d of %d done" % (n + 1, RUNS), file=sys.stderr)
    return {key: statistics.median(values) for key, values in results.items()}


def keeps_limits(results):
    """Says which ones are not kept."""
    bad = 0
    for what, limit in LIMITS.items():
        if what not in WHATS:
            continue
        share = results[what, "adit"] / results["down1" if what == "down4" else what, "tcp"]
        good = share <= limit if what == "small" else share >= limit
        print("%sok - %s: %.2f of TCP alone, %s %.2f" % (
            "" if good else "not ", MEASURES[what][0], share,
            "at most" if what == "small" else "at least", limit))
        bad += not good
    return bad == 0


def check(cloud, folder):
    for n in range(TRIES):
        if keeps_limits(measure(cloud, folder)):
            return
        print("try %d of %d" % (n + 1, TRIES))
    sys.exit(1)


def tell(results, gateway, agent):
    print("\n%g ms there and back, %d Mbit/s, %g %% lost" % (RTT_MS, MBIT, LOSS_PERCENT))
    print("%-36s" % "" + "".join("%18s" % way for way in WAYS))
    for what in WHATS:
        row = ""
        for way in WAYS:
            cell = "%.1f" % results[what, way]
            if ("tcp" in WAYS) and way != "tcp":
                cell += " (%.2f)" % (results[what, way] / results[what, "tcp"])
            row += "%18s" % cell
        print("%-36s%s" % (MEASURES[what][0], row))
    if agent:
        print("agent: VmRSS %d kB, VmHWM %d kB; gateway: VmRSS %d kB, VmHWM %d kB" % (
            agent.status("VmRSS"), agent.status("VmHWM"), gateway.status("VmRSS"),
            gateway.status("VmHWM")))


def main():
    folder = Path(tempfile.mkdtemp(prefix="adit-bench."))
    gateway = agent = None
    try:
        folder.chmod(0o755)
        with (folder / "upload").open("wb") as f:
            f.truncate(UPLOAD)
        device, cloud = Namespace(), Namespace()
        connect(device, cloud)
        start_local(folder, device)
        if "adit" in WAYS:
            gateway, agent = start_adit(folder, device, cloud)
        if "ssh" in WAYS:
            start_ssh(folder, device, cloud)
        if sys.argv[1:2] == ["check"]:
            check(cloud, folder)
        else:
            tell(measure(cloud, folder), gateway, agent)
    finally:
        stop_all()
        shutil.rmtree(folder)


if __name__ == "__main__":
    if sys.argv[1:2] == ["sink"]:
        sink(int(sys.argv[2]))
    elif sys.argv[1:2] == ["ask"]:
        ask(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        main()
