"""Hosts with several addresses, of which not all are good."""
import asyncio
import socket

import pytest


@pytest.fixture
def loopbacks():
    """Listening sockets on 127.0.0.1 and ::1, of the same port: `localhost` is both."""
    def bind():
        four, six = socket.socket(), socket.socket(socket.AF_INET6)
        try:
            four.bind(("127.0.0.1", 0))
            six.bind(("::1", four.getsockname()[1]))
        except OSError:
            four.close()
            six.close()
            return None
        return four, six
    pair = next(filter(None, (bind() for _ in range(20))), None)
    if not pair:
        pytest.skip("no ::1 here")
    for sock in pair:
        sock.listen()
    yield pair
    for sock in pair:
        sock.close()


# ---- the gateway's ----

def test_gateway_on_the_second_address(loopbacks, make_py, make_agent, certs):
    four, six = loopbacks
    four.close()
    gateway = make_py(sock=six)
    make_agent(gateway.url, "the-token", ca=certs / "ca.pem").wait_open()


def test_gateway_behind_a_useless_address(loopbacks, make_py, make_agent, background, certs):
    """The first address connects, and then says nothing of use: the next round begins with the
    other one."""
    four, six = loopbacks

    async def hang_up(reader, writer):
        writer.close()
    server = background.run(asyncio.start_server(hang_up, sock=four))
    gateway = make_py(sock=six)
    make_agent(gateway.url, "the-token", ca=certs / "ca.pem").wait_open()
    background.loop.call_soon_threadsafe(server.close)
