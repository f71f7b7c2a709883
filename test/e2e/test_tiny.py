"""The agent of PROFILE=tiny, whose TLS records and HTTP heads are of 4 KB, with a usual gateway."""
import subprocess

import pytest

from conftest import MODES, runs_native
from origin import pattern, pattern_sha
from procs import BUILD, ROOT, Proc, clean_env


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The program, built in a tree of its own."""
    if not runs_native():
        pytest.skip("builds the agent of this machine")
    out = tmp_path_factory.mktemp("tiny")
    subprocess.run(["make", "-C", ROOT, "-j2", "BOARD=" + BUILD.name, "PROFILE=tiny",
                    "OUT=%s" % out,
                    out / (BUILD.name + "-tiny") / "adit"], check=True, stdout=subprocess.DEVNULL,
                   env=clean_env())
    return out / (BUILD.name + "-tiny") / "adit"


@pytest.fixture
def visit(tiny, make_gateway, certs, origin, tmp_path, mode):
    gateway = make_gateway()
    (tmp_path / "token").write_text(gateway.token("one"))
    (tmp_path / "token").chmod(0o600)
    agent = Proc([tiny, "--url", gateway.url, "--token-file", tmp_path / "token", "--ca",
                  certs / "ca.pem", "--local", origin.local, "--protocol", mode])
    agent.wait_for_log("session .* open")

    def request(*args, **kwargs):
        with gateway.visit("one") as visitor:
            return visitor.request(*args, **kwargs)
    yield request
    assert not [line for line in agent.lines if "disconnected" in line]
    assert agent.stop() == 0


@pytest.mark.parametrize("mode", MODES)
def test_heads_beyond_a_record(visit):
    """Longer than a record, and than what the agent takes: refused, and nothing else suffers."""
    long = "q" * 3000
    for _ in range(2):
        assert visit("GET", "/?" + long, [("X-Long", long)]).status == 431
        assert visit("GET", "/?" + long).status == 200
    assert visit("GET", "/").status == 200


@pytest.mark.parametrize("mode", MODES)
def test_bodies_of_many_records(visit):
    for size in (4095, 4096, 4097, 300001):
        assert visit("GET", "/bytes/%d" % size).sha == pattern_sha(size)
        assert visit("POST", "/echo", body=pattern(size)).body == pattern(size)
