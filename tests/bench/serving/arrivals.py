"""Open-loop load: requests arrive at random times whether or not earlier ones are answered.

A closed loop, such as wrk, slows down with the server and so can never overload it. Arrivals are
Poisson with a fixed seed. Latency counts from when a request was due, not from when it could be sent.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from tests.bench.serving.answers import Address, Vector, compare
from tests.bench.serving.dialects import WrongAnswer

GIVE_UP_S = 30.0
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Arrival:
    """What became of one request. `status` is None when no whole answer came in time; `right` is of a 200."""

    status: int | None
    seconds: float
    right: bool = False


def schedule(rate: float, seconds: float, seed: int = 1) -> list[float]:
    """Return the times at which requests are due: a Poisson process of `rate` per second."""
    chance = random.Random(seed)
    due: list[float] = []
    at = chance.expovariate(rate)
    while at < seconds:
        due.append(at)
        at += chance.expovariate(rate)
    return due


class Caller:
    """Sends one text at a time on a connection that is free, on a new one when none is."""

    def __init__(self, address: Address, clock: Callable[[], float] = time.perf_counter) -> None:
        self._address = address
        self._clock = clock
        self._free: list[Connection] = []

    async def call(self, text: str, expected: Vector, due: float) -> Arrival:
        """Return what became of a request that was due at `due`, a time of the clock."""
        connection: Connection | None = None
        try:
            async with asyncio.timeout(GIVE_UP_S):
                connection = self._free.pop() if self._free else await self._open()
                status, body = await self._exchange(connection, text)
        except (TimeoutError, OSError, EOFError, ValueError):
            if connection is not None:
                connection[1].close()
            return Arrival(None, self._clock() - due)
        self._free.append(connection)
        elapsed = self._clock() - due
        if status != 200:
            return Arrival(status, elapsed)
        try:
            compare(self._address.dialect.read(body), expected)
        except WrongAnswer:
            return Arrival(status, elapsed)
        return Arrival(status, elapsed, right=True)

    async def close(self) -> None:
        """Close every connection."""
        for _, writer in self._free:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _open(self) -> Connection:
        return await asyncio.open_connection("127.0.0.1", self._address.port)

    async def _exchange(self, connection: Connection, text: str) -> tuple[int, bytes]:
        reader, writer = connection
        body = self._address.dialect.body(text)
        head = (
            f"POST {self._address.dialect.path} HTTP/1.1\r\nhost: 127.0.0.1\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(answer.split("content-length:", 1)[1].split("\r\n", 1)[0])
        return int(answer.split(" ", 2)[1]), await reader.readexactly(length)


async def send(
    address: Address, expected: Mapping[str, Vector], *, rate: float, seconds: float, seed: int = 1
) -> Sequence[Arrival]:
    """Send requests at `rate` per second for `seconds`, and return what became of each, answered or not."""
    caller = Caller(address)
    known = list(expected.items())
    calls: list[asyncio.Task[Arrival]] = []
    started = time.perf_counter()
    for number, at in enumerate(schedule(rate, seconds, seed)):
        await asyncio.sleep(max(0.0, started + at - time.perf_counter()))
        text, vector = known[number % len(known)]
        calls.append(asyncio.create_task(caller.call(text, vector, started + at)))
    arrivals = await asyncio.gather(*calls)
    await caller.close()
    return arrivals
