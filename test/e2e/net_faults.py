"""Faults of the network, the gateway and the local server, on a network stack of the test's own.

Each case has an agent that serves, something that breaks, and a mend. Measured is when the agent
told of the fault, when a visitor was served again, how many requests were lost that the fault had
nothing to do with (none), and what memory and descriptors both programs have before and after (the
same). Not part of the suite but for the quick ones (test_net_faults.py): `make test-faults`.
NET_FAULTS=PATTERN takes the cases whose names match.
"""
import os
import re
import subprocess
import time

import pytest

import net_cases
import spaces
from net_cases import CASES, Row
from net_world import SLACK_S, World, known_options
from procs import ROOT, SANITIZED, wait_until

pytestmark = pytest.mark.skipif(not spaces.may(), reason="no network namespaces here")

# Pages that are touched late: code, stack, in the gateway buffers that only a fault fills.
MEMORY_KB = {"agent": 32, "gateway": 128}
# As many as wait for the end of the longest patience.
CROWD = 75


@pytest.fixture(scope="session")
def net_certs(tmp_path_factory):
    """Two authorities with the gateway's certificates: the trusted one's, and in a folder "other"
    beside it those of one that is not."""
    folder = tmp_path_factory.mktemp("net")
    for name in ("good", "other"):
        subprocess.run([ROOT / "scripts/certs.sh", folder / name, "gw.test", "first.test",
                        "tunnel.test", "*.tunnel.test"], check=True)
    return folder


@pytest.fixture(scope="session")
def path_tool(tmp_path_factory):
    return spaces.path_tool(tmp_path_factory.mktemp("tool"))


def selected(quick):
    known = known_options()
    for case in CASES:
        later = case.needs and not re.search(case.needs, known)
        if (case.quick or not quick) and re.search(os.environ.get("NET_FAULTS", ""), case.name):
            yield pytest.param(case, id=case.name.replace(" ", "-"), marks=pytest.mark.skipif(
                bool(later), reason="no %s yet" % case.needs))


# ---- a case ----

def warm(w):
    """So that what is touched first is touched before: a fault makes many visitors wait."""
    if w.steady.every <= 0.5:
        crowd = [w.visit(timeout=30) for _ in range(CROWD)]
        for visitor in crowd:
            visitor.begin()
        for visitor in crowd:
            visitor.response()
            visitor.close()
    net_cases.transfer(w, 1 << 20 if w.steady.every <= 0.5 else 1000, 60)
    wait_until(lambda: sum(a.good for a in list(w.steady.asked)) >= 5, "visitors to be served", 60)


def settled(w):
    """Of both programs: VmRSS and descriptors, as they stay."""
    last = []

    def same():
        last.append((w.usage(w.agent), w.usage(w.gateway)))
        time.sleep(0.04)
        return len(last) > 3 and last[-1] == last[-4]
    end = time.monotonic() + 3
    while not same() and time.monotonic() < end:
        pass
    return {"agent": tuple(min(x[0][i] for x in last[-4:]) for i in (0, 1)),
            "gateway": tuple(min(x[1][i] for x in last[-4:]) for i in (0, 1))}


def lost(asked, row):
    """Those that failed though they had ended before the fault or began after it was over."""
    return [a for a in asked if not a.good and
            (row.broken is None or a.ended < row.broken or a.begun > (row.calm or row.back))]


def check(w, row, before, slack):
    programs = {"agent", "gateway"} - set(row.replaced)

    def as_before():
        row.usage = before, settled(w)
        return all(row.usage[1][who][1] <= before[who][1] for who in programs)
    wait_until(as_before, "the descriptors to be as before")
    # Under a sanitizer memory is its own.
    for who in programs if not SANITIZED else ():
        grown = row.usage[1][who][0] - before[who][0]
        assert grown <= MEMORY_KB[who], "%s: %d kB more" % (who, grown)
    for a, b, most in ((row.fault, row.found, row.found_most),
                       (row.mended, row.back, row.back_most)):
        assert a is None or b is None or b - a <= most + slack, "%.2f s, at most %.1f" % (
            b - a, most)
    assert not row.lost, row.lost


def run_case(case, folder, certs, tool, tell, slack=SLACK_S):
    w, row = World(folder, certs, tool, **case.world), Row()
    try:
        warm(w)
        before = settled(w)
        case.fault(w, row)
        row.back = w.wait_served(row.mended)
        # What comes after it is calm.
        wait_until(lambda: len([a for a in list(w.steady.asked) if a.begun > row.back and a.ended])
                   >= (8 if w.steady.every < 1 else 1), "more visitors", 60)
        w.steady.stop()
        row.lost = lost(w.steady.asked, row)
        assert w.agent.running() and w.gateway.running()
        check(w, row, before, slack)
    finally:
        tell(line(case, row))
        w.close()


def line(case, row):
    def seconds(a, b):
        return "%.2f" % (b - a) if a is not None and b is not None else "-"

    def usage(who):
        if not hasattr(row, "usage") or who in row.replaced:
            return ["-", "-"]
        before, after = row.usage[0][who], row.usage[1][who]
        return ["%d > %d" % (before[i], after[i]) for i in (0, 1)]
    return [CASES.index(case), case.name, seconds(row.fault, row.found),
            seconds(row.mended, row.back) if row.broken else "-",
            str(len(row.lost) if row.lost else 0), *usage("agent"), *usage("gateway")]


@pytest.mark.parametrize("case", selected(quick=False))
def test_net_fault(tmp_path, net_certs, path_tool, record_property, case):
    run_case(case, tmp_path, net_certs, path_tool,
             lambda told: record_property("net fault", told))
