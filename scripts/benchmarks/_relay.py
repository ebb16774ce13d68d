"""A long way on a short wire: hands bytes on after a while, in both directions.

`python -m scripts.benchmarks._relay TARGET_PORT SECONDS` listens on every address, says its port on a line, and lets
each byte travel so long before it reaches 127.0.0.1:TARGET_PORT, or comes back.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import PIPE, Popen
from typing import cast

import uvloop

from scripts.benchmarks._sink import EVERY_ADDRESS


class End(asyncio.Protocol):
    """One end of the way; what it hears is written at the other."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.other: asyncio.Future[asyncio.Transport] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        asyncio.get_running_loop().call_later(self.seconds, self._arrive, data)

    def connection_lost(self, exc: Exception | None) -> None:
        asyncio.get_running_loop().call_later(self.seconds, self._arrive, None)

    def _arrive(self, data: bytes | None) -> None:
        """What was said before the other end could be reached arrives as soon as it can; who has left hears no more."""
        if not self.other.done():
            self.other.add_done_callback(lambda _: self._arrive(data))
        elif data is None:
            self.other.result().close()
        elif not self.other.result().is_closing():
            self.other.result().write(data)


class NearEnd(End):
    """The end that was called; it calls the far one."""

    def __init__(self, target_port: int, seconds: float) -> None:
        super().__init__(seconds)
        self._target_port = target_port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._task = asyncio.create_task(self._reach(cast(asyncio.Transport, transport)))

    async def _reach(self, transport: asyncio.Transport) -> None:
        await asyncio.sleep(2 * self.seconds)  # the handshake's round trip, which the caller did not wait for
        far = End(self.seconds)
        far.other.set_result(transport)
        loop = asyncio.get_running_loop()
        reached, _ = await loop.create_connection(lambda: far, "127.0.0.1", self._target_port)
        self.other.set_result(reached)


async def _serve(target_port: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: NearEnd(target_port, seconds), EVERY_ADDRESS, 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def running_relay(target_port: int, seconds: float) -> Iterator[int]:
    """The port from which it is so many seconds to the target; ends with the block."""
    words = [sys.executable, "-m", "scripts.benchmarks._relay", str(target_port), str(seconds)]
    with Popen(words, stdout=PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
