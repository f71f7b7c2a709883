"""A rolling restart under load: the gateway is replaced again and again, while visitors ask all the
time, some on connections that are kept and some with a new one for each request. No request may
fail. ROUNDS restarts (5), VISITORS of each kind (10).
"""
import os
import signal
import threading
import time

from conftest import OPENED
from origin import pattern
from procs import wait_until
from visitor import Broken

ROUNDS = int(os.environ.get("ROUNDS", "5"))
VISITORS = int(os.environ.get("VISITORS", "10"))
TUNNELS = 4
# Between two restarts, when all agents are back.
UNDISTURBED = 1.0
BODY = pattern(20000)


class Load:
    """Visitors who ask, one request after the other, until they are told to stop."""

    def __init__(self, gateway, keep, number):
        self.gateway, self.keep, self.number = gateway, keep, number
        self.over = threading.Event()
        self.visitor = None
        self.times, self.failures = [], []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.over.is_set():
            begin = time.monotonic()
            try:
                self.ask(len(self.times))
            except (OSError, Broken, AssertionError) as error:
                self.failures.append("%s, kept %s, after %.3f s: %r" % (
                    time.strftime("%T"), self.keep, time.monotonic() - begin, error))
                self.drop()
            self.times.append(time.monotonic() - begin)
        self.drop()

    def drop(self):
        if self.visitor:
            self.visitor.close()
        self.visitor = None

    def ask(self, number):
        if not self.visitor:
            self.visitor = self.gateway.visit("t%d" % (self.number % TUNNELS))
        fields = [] if self.keep else [("Connection", "close")]
        if number % 4 == 0:
            response = self.visitor.request("POST", "/echo", fields, BODY)
            assert response.status == 200 and response.body == BODY, response
        else:
            response = self.visitor.request("GET", "/bytes/%d" % (number % 4 * 30000), fields)
            assert response.status == 200, response
            assert response.body == pattern(number % 4 * 30000), response
        if not self.keep or response.get("connection") == "close":
            self.drop()

    def stop(self):
        self.over.set()
        self.thread.join(60)


def replace(make_gateway, old, agents):
    """The new gateway; how long the old one took to end."""
    seen = [agent.sessions() for agent in agents]
    new = make_gateway("--connect-rate", "0", port=old.port, tokens_file=old.tokens_file)
    new.wait_for_log("sandbox")
    begin = time.monotonic()
    old.send(signal.SIGTERM)
    for agent, count in zip(agents, seen):
        wait_until(lambda a=agent, n=count: a.sessions() > n, "an agent to come back")
    back = time.monotonic() - begin
    assert old.wait() == 0
    print("%s; all agents were back after %.0f ms"
          % (old.wait_for_log("stopped: .*").group(0), back * 1000))
    return new


def test_nobody_notices(make_gateway, make_agent, origin, certs):
    gateway = make_gateway("--connect-rate", "0")
    agents = [make_agent(gateway.url, gateway.token("t%d" % n), "127.0.0.1:%d" % origin.port,
                         "--log-level", "info", ca=certs / "ca.pem") for n in range(TUNNELS)]
    for agent in agents:
        agent.wait_for_log(OPENED)
    print()
    loads = [Load(gateway, n < VISITORS, n) for n in range(2 * VISITORS)]
    try:
        for _ in range(ROUNDS):
            time.sleep(UNDISTURBED)
            gateway = replace(make_gateway, gateway, agents)
        time.sleep(UNDISTURBED)
    finally:
        for load in loads:
            load.stop()
    for keep, what in (True, "on kept connections"), (False, "with a connection each"):
        times = sorted(t for load in loads if load.keep == keep for t in load.times)
        failed = sum(len(load.failures) for load in loads if load.keep == keep)
        print("%5d requests %s: %d failed; median %.1f ms, longest %.0f ms" % (
            len(times), what, failed, times[len(times) // 2] * 1000, times[-1] * 1000))
    failures = [failure for load in loads for failure in load.failures]
    assert not failures, "\n".join(failures)
    assert OPENED.search(agents[0].log())
