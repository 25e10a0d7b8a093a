"""Open-loop arrivals, and what becomes of them under overload."""

import asyncio
import itertools
from contextlib import suppress

import pytest
from tests.bench.serving.answers import Address
from tests.bench.serving.arrivals import Arrival, schedule, send
from tests.bench.serving.dialects import PLAIN
from tests.bench.serving.overload import percentile_ms, summary


def test_arrivals_come_at_the_rate_asked_for_and_in_order() -> None:
    due = schedule(1000.0, 10.0)
    assert len(due) == pytest.approx(10_000, rel=0.05)
    assert due == sorted(due)
    assert due[0] > 0
    assert due[-1] < 10.0


def test_arrivals_are_random_and_repeatable() -> None:
    due = schedule(100.0, 2.0, seed=3)
    gaps = [later - earlier for earlier, later in itertools.pairwise(due)]
    assert max(gaps) > 3 * min(gaps)
    assert due == schedule(100.0, 2.0, seed=3)
    assert due != schedule(100.0, 2.0, seed=4)


def test_every_request_is_accounted_for_by_what_became_of_it() -> None:
    """A server that answers right, refuses, answers wrong, or closes the connection, in turn."""
    turns = itertools.cycle(["right", "refused", "wrong", "closed"])

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
                turn = next(turns)
                if turn == "closed":
                    break
                status = "429 Too Many Requests" if turn == "refused" else "200 OK"
                body = b'{"embedding":[9]}' if turn == "wrong" else b'{"embedding":[4]}'
                writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        writer.close()
        await writer.wait_closed()

    async def play() -> list[Arrival]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return list(await send(Address(port, PLAIN), {"four": [4.0]}, rate=400.0, seconds=0.1))

    arrivals = asyncio.run(play())
    found = summary(4.0, arrivals)
    assert found.sent == len(schedule(400.0, 0.1)) > 8
    assert found.accepted + found.refused + found.failed + found.hung == found.sent
    assert min(found.accepted, found.refused, found.failed, found.hung) >= found.sent // 4 - 1


def test_percentiles_of_accepted_and_refused_are_separate() -> None:
    arrivals = (
        [Arrival(200, 0.5, right=True)] * 99 + [Arrival(200, 1.0, right=True)] + [Arrival(429, 0.002)] * 3
    )
    found = summary(4.0, arrivals)
    assert found.accepted_p50_ms == 500
    assert found.refused_p50_ms == found.refused_p99_ms == pytest.approx(2)


@pytest.mark.parametrize(("seconds", "expected"), [([], None), ([0.25], 250.0), ([0.0, 1.0], 990.0)])
def test_a_percentile_of_few_values(seconds: list[float], expected: float | None) -> None:
    assert percentile_ms(seconds, 99) == (None if expected is None else pytest.approx(expected))
