"""SIGHUP of a gateway whose files are not what they should be: all of them are taken, or none."""
import shutil
import signal
import ssl

import pytest

HASH = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def reload(gateway, pattern):
    since = gateway.mark()
    gateway.send(signal.SIGHUP)
    gateway.wait_for_log(pattern, since)


def stays(gateway):
    """The tunnel `one` is still there."""
    with gateway.visit("one") as visitor:
        assert visitor.request("GET", "/").status == 200
    assert gateway.running()


@pytest.fixture
def gateway(make_gateway, make_agent, origin):
    it = make_gateway()
    agent = make_agent(it.url, it.token("one"), origin.local, ca=it.ca)
    agent.wait_open()
    return it


@pytest.mark.parametrize("text, said", [
    ("", "is empty; to withdraw all names, leave a comment in it"),
    ("two " + HASH[:20], "line 1: has no end, and may be half written"),
    ("two %s\nthree %s" % (HASH, HASH[::-1]), "line 2: has no end"),
    ("two %s\nthree %s\n" % (HASH, HASH), "line 2: the token of another name"),
    ("two %s\ntwo %s\n" % (HASH, HASH[::-1]), "line 2: write NAME SHA256HEX, each name once"),
    ("two nonsense\n", "line 1: write NAME SHA256HEX"),
])
def test_a_tokens_file_that_changes_nothing(gateway, text, said):
    good = gateway.tokens_file.read_text()
    gateway.tokens_file.write_text(text)
    reload(gateway, "error: .*" + said)
    stays(gateway)
    gateway.tokens_file.write_text(good)
    reload(gateway, "1 names in the tokens file")
    stays(gateway)


def test_as_many_names_as_max_names_says(make_gateway):
    gateway = make_gateway("--max-names", "2")
    lines = ["%s %064x\n" % (name, number) for number, name in enumerate(("a", "b", "c"))]
    gateway.tokens_file.write_text("".join(lines[:2]))
    reload(gateway, "2 names in the tokens file")
    gateway.tokens_file.write_text("".join(lines))
    reload(gateway, "too many names; see --max-names")


def test_all_names_can_be_withdrawn(gateway):
    gateway.tokens_file.write_text("# nobody\n")
    reload(gateway, "token withdrawn, tunnel ends: one")
    with gateway.visit("one") as visitor:
        assert visitor.request("GET", "/").status == 404


def test_all_or_nothing(make_gateway, make_agent, origin, certs, other_certs, tmp_path):
    """A certificate without its key, and a tokens file that is right, change nothing."""
    live = tmp_path / "live"
    live.mkdir()
    for name in ("ca.pem", "server.pem", "server.key"):
        shutil.copy(certs / name, live / name)
    gateway = make_gateway(certs=live)
    make_agent(gateway.url, gateway.token("one"), origin.local,
               ca=gateway.ca).wait_open()
    before = ssl.get_server_certificate(gateway.address)
    good = gateway.tokens_file.read_text()
    gateway.tokens_file.write_text("# nobody\n")
    shutil.copy(other_certs / "server.pem", live / "server.pem")
    reload(gateway, "what was loaded before stays in use")
    stays(gateway)
    # And the other way round.
    gateway.tokens_file.write_text("nonsense\n")
    shutil.copy(other_certs / "server.key", live / "server.key")
    reload(gateway, "what was loaded before stays in use")
    assert ssl.get_server_certificate(gateway.address) == before
    stays(gateway)
    gateway.tokens_file.write_text(good)
    reload(gateway, "1 names in the tokens file")
    assert ssl.get_server_certificate(gateway.address) != before
