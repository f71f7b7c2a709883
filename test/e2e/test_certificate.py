"""What a gateway says of its certificate, its key and its port at the start and on SIGHUP, before
visitors and agents stumble over it."""
import re
import shutil
import socket

import pytest

from conftest import DOMAIN
from procs import GATEWAY, run

OPTIONS = *GATEWAY, "--domain", DOMAIN, "--tokens", "/dev/null"
DOMAIN_SAID = "does not cover the domain: agents refuse it"
LABELS_SAID = r"does not cover \*.DOMAIN: browsers refuse it"
ALL = DOMAIN_SAID, LABELS_SAID, "has expired: renew it", "is not valid yet", "is not a server's"

# Of the zoo, for zoo.test.
SAID = {
    "p256": [LABELS_SAID],
    "wildcard": [DOMAIN_SAID],
    "wrong-name": [DOMAIN_SAID, LABELS_SAID],
    "zoo.test": [DOMAIN_SAID, LABELS_SAID],
    "expired": [LABELS_SAID, "has expired: renew it"],
    "early": [LABELS_SAID, "is not valid yet"],
    "client-only": [LABELS_SAID, "is not a server's"],
    "agreement": [LABELS_SAID, "is not a server's"],
}


@pytest.fixture
def folder(tmp_path):
    """A folder for server.pem and server.key, with those of another one."""
    def fill(source, name, *above):
        shutil.copy(source / (name + ".key"), tmp_path / "server.key")
        (tmp_path / "server.pem").write_text("".join((source / (x + ".pem")).read_text()
                                                     for x in (name, *above)))
        return tmp_path
    return fill


@pytest.mark.parametrize("name", SAID)
def test_said(make_gateway, zoo, folder, name):
    gateway = make_gateway(certs=folder(zoo, name), domain="zoo.test")
    for text in ALL:
        found = re.search("warning: the certificate of --cert .*server.pem " + text, gateway.log())
        assert (found is not None) == (text in SAID[name]), (text, gateway.log())


def test_of_the_chain(make_gateway, zoo, folder):
    gateway = make_gateway(certs=folder(zoo, "p256", "middle", "expired"), domain="zoo.test")
    gateway.wait_for_log("has one above it that has expired: renew the chain")
    assert "has expired: renew it" not in gateway.log()


def test_nothing_to_say(make_gateway, certs, zoo, folder):
    """And on SIGHUP with another, which is used all the same."""
    gateway = make_gateway(certs=folder(certs, "server"))
    assert "warning" not in gateway.log()
    since = gateway.mark()
    folder(zoo, "expired")
    gateway.send(1)
    gateway.wait_for_log("server.pem has expired: renew it", since)
    gateway.wait_for_log("names in the tokens file", since)


def test_key_for_everybody(make_gateway, certs, folder):
    path = folder(certs, "server")
    (path / "server.key").chmod(0o640)
    gateway = make_gateway(certs=path)
    (path / "server.key").chmod(0o644)
    since = gateway.mark()
    gateway.send(1)
    told = "error: --key can be read by everybody; run: chmod o= %s" % (path / "server.key")
    gateway.wait_for_log(re.escape(told), since)
    assert "names in the tokens file" not in gateway.log(since)
    status, _, err = run([*OPTIONS, "--listen", "127.0.0.1:0",
                          "--cert", path / "server.pem", "--key", path / "server.key"])
    assert status == 1 and told in err


@pytest.mark.parametrize("host, family", [("127.0.0.1", socket.AF_INET),
                                          ("[::1]", socket.AF_INET6)])
def test_port_taken(host, family):
    with socket.socket(family, socket.SOCK_STREAM) as taken:
        taken.bind((host.strip("[]"), 0))
        taken.listen()
        address = "%s:%d" % (host, taken.getsockname()[1])
        status, _, err = run([*OPTIONS, "--listen", address, "--plain"])
    assert status == 1
    assert "cannot listen on " + address + ": another program has the port" in err


def test_address_of_another_machine():
    status, _, err = run([*OPTIONS, "--listen", "192.0.2.1:0", "--plain"])
    assert status == 1
    assert "cannot listen on 192.0.2.1:0: this machine does not have the address" in err
