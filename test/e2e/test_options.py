"""Command lines: what is wrong is told in one line that says what to write, with exit status 2."""
import os
import re

import pytest

from procs import ADIT, GATEWAY, clean_env, run

URL = ["--url", "wss://localhost:9/x"]
TOKEN = ["--token", "t"]

BAD_AGENT = {
    "nothing": ([], "--url"),
    "no token": (URL, "token"),
    "no url": (TOKEN, "--url"),
    "unknown option": ([*URL, *TOKEN, "--colour", "red"], "--colour"),
    "abbreviated": ([*URL, *TOKEN, "--proto", "tlv"], "--proto"),
    "short option": ([*URL, *TOKEN, "-v"], "-v"),
    "twice": ([*URL, *TOKEN, "--jitter", "0", "--jitter=0"], "--jitter is given twice"),
    "missing value": ([*URL, *TOKEN, "--local"], "--local"),
    "stray argument": ([*URL, *TOKEN, "now"], "now"),
    "scheme": (["--url", "ftp://localhost/", *TOKEN], "wss://"),
    "no scheme": (["--url", "localhost", *TOKEN], "wss://"),
    "plaintext": (["--url", "ws://localhost/", *TOKEN], "--allow-plaintext"),
    "plaintext of one": ([*URL, "--url", "ws://localhost/", *TOKEN], "--allow-plaintext"),
    "one of many": ([*URL, "--url", "here", *TOKEN], "--url is not understood"),
    "five urls": ([*URL * 5, *TOKEN], "--url: write a value, not more often"),
    "port of url": (["--url", "wss://localhost:99999/", *TOKEN], "--url"),
    "token empty": ([*URL, "--token", ""], "--token is empty"),
    "token file missing": ([*URL, "--token-file", "/nonexistent/token"],
                           "--token-file /nonexistent/token: no such file"),
    "token file a folder": ([*URL, "--token-file", "/"], "--token-file /: is a directory"),
    "token file of all": ([*URL, "--token-file", "/dev/null"],
                          "--token-file /dev/null: can be read by others"),
    "ca missing": ([*URL, *TOKEN, "--ca", "/nonexistent/ca.pem"],
                   "--ca /nonexistent/ca.pem: no such file"),
    "ca a folder": ([*URL, *TOKEN, "--ca", "/"], "--ca /: is a directory"),
    "ca without certificates": ([*URL, *TOKEN, "--ca", "/dev/null"], "--ca /dev/null: no CA"),
    "local port": ([*URL, *TOKEN, "--local", "127.0.0.1:65536"], "--local"),
    "unix path": ([*URL, *TOKEN, "--local", "unix:/" + "x" * 200], "--local"),
    "protocol": ([*URL, *TOKEN, "--protocol", "xml"], "auto or tlv or json or plain"),
    "duration": ([*URL, *TOKEN, "--ping-interval", "soon"], "--ping-interval"),
    "duration unit": ([*URL, *TOKEN, "--ping-interval", "5y"], "--ping-interval"),
    "negative duration": ([*URL, *TOKEN, "--base-delay", "-1s"], "--base-delay"),
    "attempts": ([*URL, *TOKEN, "--max-attempts", "few"], "--max-attempts"),
    "multiplier": ([*URL, *TOKEN, "--backoff-multiplier", "0"], "--backoff-multiplier"),
    "log level": ([*URL, *TOKEN, "--log-level", "loud"], "error or warn or info or debug"),
    "jitter": ([*URL, *TOKEN, "--jitter", "2"], "--jitter"),
    "flag value": ([*URL, *TOKEN, "--allow-plaintext=perhaps"], "--allow-plaintext"),
}

BAD_GATEWAY = {
    "nothing": ([], "--domain"),
    "no tokens": (["--domain", "d.test", "--plain"], "--tokens"),
    "no certificate": (["--domain", "d.test", "--tokens", "/dev/null"], "--cert"),
    "listen": (["--domain", "d.test", "--tokens", "/dev/null", "--plain", "--listen", "here"],
               "--listen"),
    "cidr": (["--domain", "d.test", "--tokens", "/dev/null", "--plain", "--trust-proxy",
              "10.0.0.0/40"], "--trust-proxy"),
    "unknown option": (["--domain", "d.test", "--frobnicate"], "--frobnicate"),
    "twice": (["--domain", "d.test", "--domain", "d.test"], "--domain is given twice"),
    "token without name": (["token"], "token NAME"),
    "token name": (["token", "Not A Label"], "hyphens"),
    "long token name": (["token", "x" * 64], "63"),
}


def refused(argv, told):
    status, out, err = run(argv)
    assert status == 2, err
    assert out == ""
    err = err.replace("warning: --token can be seen by other users of this machine; "
                      "use --token-file\n", "")
    assert err.count("\n") == 1 and err.endswith("\n"), err
    assert told in err
    assert len(err) < 300


@pytest.mark.parametrize("name", BAD_AGENT)
def test_bad_agent_usage(name):
    refused([*ADIT, *BAD_AGENT[name][0]], BAD_AGENT[name][1])


@pytest.mark.parametrize("program", [ADIT, GATEWAY], ids=["agent", "gateway"])
def test_help(program):
    status, out, err = run([*program, "--help"])
    assert status == 0 and err == ""
    assert run([*program, "-h"]) == (status, out, err)
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("adit")
    before = out[:out.index("\n  --")]
    assert re.search(r"^  adit.* --", before, re.M), "an example"
    assert re.search(r"ADIT_[A-Z_]+", before)


@pytest.mark.parametrize("content, told", [
    ("", "is empty"), ("\r\n\n", "is empty"), ("two words\n", "is not one word"),
    ("a\0b\n", "is not one word"), ("x" * 513, "is not one word"),
    ("x" * 512 + "\n\n\n", "is not one word"),
])
def test_damaged_token_file(tmp_path, content, told):
    path = tmp_path / "token"
    path.write_text(content)
    path.chmod(0o600)
    refused([*ADIT, *URL, "--token-file", path], "adit: --token-file %s: %s" % (path, told))


@pytest.mark.skipif(os.geteuid() != 0, reason="not root")
def test_files_of_another_user(tmp_path):
    path = tmp_path / "file"
    path.write_text("x")
    path.chmod(0)
    become = ["setpriv", "--reuid=65534", "--clear-groups", "--bounding-set=-all",
              "--inh-caps=-all"]
    tmp_path.chmod(0o700)
    for options in ["--token-file", path], [*TOKEN, "--ca", path]:
        refused([*become, *ADIT, *URL, *options], ": permission denied")


@pytest.mark.parametrize("name", BAD_GATEWAY)
def test_bad_gateway_usage(name):
    refused([*GATEWAY, *BAD_GATEWAY[name][0]], BAD_GATEWAY[name][1])


@pytest.mark.parametrize("options, told", [
    (["--tokens", "/dev/null", "--cert", "/none.pem", "--key", "/none.key"], "certificate"),
    (["--tokens", "/nonexistent", "--plain"], "/nonexistent: cannot be read"),
])
def test_gateway_without_its_files(options, told):
    status, _, err = run([*GATEWAY, "--domain", "d.test", "--listen", "127.0.0.1:0", *options])
    assert status in (1, 2)
    assert [told in line for line in err.splitlines() if not line.startswith("info:")] == [True]


def test_bad_environment():
    status, _, err = run(ADIT, env=clean_env(ADIT_URL="wss://localhost/", ADIT_TOKEN="t",
                                             ADIT_PING_INTERVAL="soon"))
    assert status == 2 and "ADIT_PING_INTERVAL" in err


@pytest.mark.parametrize("program", [ADIT, GATEWAY])
def test_version(program):
    status, out, err = run([*program, "--version"])
    assert status == 0 and err == ""
    assert re.fullmatch(r"adit(-gateway)? \d+\.\d+\S*\n", out)


AGENT_OPTIONS = """url token-file token local ca protocol max-attempts base-delay max-delay
    backoff-multiplier jitter ping-interval ping-timeout connect-timeout stats-interval log-level
    allow-plaintext version help""".split()
GATEWAY_OPTIONS = """listen domain tokens cert key plain trust-proxy max-tunnels max-requests
    stream-window buffer-memory version help""".split()


@pytest.mark.parametrize("program, options", [(ADIT, AGENT_OPTIONS), (GATEWAY, GATEWAY_OPTIONS)])
def test_help_names_every_option(program, options):
    status, out, err = run([*program, "--help"])
    assert status == 0 and err == ""
    for option in options:
        assert "--" + option in out
    assert max(map(len, out.splitlines())) <= 100
