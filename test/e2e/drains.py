"""What the tests of a gateway's end share: see test_drain.py, test_takeover.py."""
import asyncio

from origin import pattern

STOPPED = r"stopped: (\d+) tunnels were told, (\d+) streams cut"


class Gate:
    """A handler of the local server that stops halfway until it is let on."""

    def __init__(self, background):
        self.background, self.open = background, asyncio.Event()
        self.size = 600000

    def let_on(self):
        self.background.loop.call_soon_threadsafe(self.open.set)

    async def download(self, r):
        await r.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % self.size)
        await r.send(pattern(200000))
        await self.open.wait()
        for at in range(200000, self.size, 10000):
            await r.send(pattern(min(10000, self.size - at), at))
        return True


def local(origin):
    return "127.0.0.1:%d" % origin.port


def stopped(gateway):
    """(tunnels told, streams cut), when it has ended well."""
    assert gateway.wait() == 0
    return tuple(int(n) for n in gateway.wait_for_log(STOPPED).groups())
