"""--id-from: which device of a fleet this is, told behind the agent's name and version."""
import re

import pytest

from procs import ADIT, run

COMMAND = [*ADIT, "--url", "wss://localhost:9/x", "--token", "t", "--id-from"]


@pytest.mark.parametrize("content, identity", [
    (b"SN-0042\n", "SN-0042"),
    (b"first\nsecond\n", "first"),
    (b"property-of-the-device-tree\0", "property-of-the-device-tree"),
    (b"x" * 64, "x" * 64),
    (b"no-line-end", "no-line-end"),
], ids=["line", "two lines", "zero byte", "longest", "no line end"])
def test_first_line_of_a_file(py_session, tmp_path, content, identity):
    (tmp_path / "id").write_bytes(content)
    session = py_session("tlv", "--id-from", "file:%s" % (tmp_path / "id"))
    name, _, rest = session.auth["agent"].partition(" ")
    assert re.fullmatch(r"adit/[\d.]+", name)
    assert rest == identity


def test_address_of_an_interface(py_session):
    session = py_session("json", "--id-from", "mac:lo")
    assert session.auth["agent"].endswith(" 00:00:00:00:00:00")


def test_gateway_logs_it(make_gateway, make_agent, certs, tmp_path):
    (tmp_path / "id").write_text("SN-0042\n")
    gateway = make_gateway()
    since = gateway.mark()
    make_agent(gateway.url, gateway.token("shed"), "127.0.0.1:9",
               "--id-from", "file:%s" % (tmp_path / "id"), ca=certs / "ca.pem").wait_open()
    assert gateway.wait_for_log(r"agent adit/[\d.]+ SN-0042", since)


@pytest.mark.parametrize("content", [
    b"", b"\n", b"two words\n", b"x" * 65, b"tab\there", b"caf\xc3\xa9", b"quote\"\n"],
    ids=["empty", "empty line", "blank", "too long", "tab", "not ASCII", "quote"])
def test_no_identity(tmp_path, content):
    (tmp_path / "id").write_bytes(content)
    status, _, err = run([*COMMAND, "file:%s" % (tmp_path / "id")])
    assert status == 2
    assert err.strip().splitlines()[-1].startswith("adit: --id-from: ")


@pytest.mark.parametrize("source", ["mac:nonexistent", "mac:", "file:/nonexistent", "file:",
                                    "eth0", "mac:" + "x" * 300])
def test_no_source(source):
    status, _, err = run([*COMMAND, source])
    assert status == 2
    assert "--id-from" in err
