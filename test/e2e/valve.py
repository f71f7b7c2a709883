"""A TCP relay between an agent and its gateway that can stop taking, stop giving, or break off."""
import asyncio


class Valve:
    """Listens on `port`; `up` is the agent's direction, `down` the gateway's."""

    def __init__(self, background, target):
        self.background, self.target = background, target
        self.pipes = []
        self.server = background.run(self.start())
        self.port = self.server.sockets[0].getsockname()[1]

    async def start(self):
        self.up, self.down = asyncio.Event(), asyncio.Event()
        self.open()
        return await asyncio.start_server(self.relay, "127.0.0.1", 0, limit=4096)

    def open(self):
        self.up.set()
        self.down.set()

    async def copy(self, reader, writer, gate):
        try:
            while True:
                await gate.wait()
                data = await reader.read(4096)
                if not data:
                    break
                await gate.wait()
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()

    async def relay(self, reader, writer):
        to_reader, to_writer = await asyncio.open_connection(*self.target, limit=4096)
        self.pipes.append(writer)
        await asyncio.gather(self.copy(reader, to_writer, self.up),
                             self.copy(to_reader, writer, self.down))

    def reset(self):
        """Every connection breaks off as a reset; what the agent still sends meets nobody."""
        for writer in self.pipes:
            writer.transport.abort()
        self.pipes = []

    def stop(self):
        async def close():
            self.server.close()
            self.reset()
        self.background.run(close())
