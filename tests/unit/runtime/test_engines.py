import asyncio
from typing import Any

from tests.fakes.clock import HandClock
from tests.fakes.engine import FakeEngine

from preheat.interface.message import Request, Response
from preheat.runtime.circuit import FAILURES, QUIET_S
from preheat.runtime.engines import Guarded, guarded

KEEPS = {"cache": {"entries": 8, "mb": 1, "ttl_s": None}}


async def choosy(request: Request) -> Response:
    """Fail at every input but one."""
    return Response(status=200 if request.body == b"good" else 500)


def over(engine: FakeEngine, document: dict[str, Any], clock: HandClock | None = None) -> Guarded:
    return guarded(engine, document, "1", log=lambda event: None, clock=clock or HandClock())


async def ask(front: Guarded, body: bytes) -> Response:
    return await front.invoke(Request(body=body, id="r"))


def test_answers_are_kept_only_where_the_contract_says_so() -> None:
    async def main() -> None:
        for document, calls in ((KEEPS, 1), ({"cache": None}, 2), ({}, 2)):
            engine = FakeEngine()
            front = over(engine, document)
            for _ in range(2):
                assert (await ask(front, b"1")).status == 200
            assert len(engine.requests) == calls

    asyncio.run(main())


def test_kept_answers_are_given_also_while_the_circuit_is_open() -> None:
    async def main() -> None:
        clock = HandClock()
        front = over(FakeEngine(choosy), KEEPS, clock)
        assert (await ask(front, b"good")).status == 200
        clock.now += QUIET_S
        for number in range(FAILURES):
            await ask(front, b"%d" % number)
        assert (front.circuit_open, front.ready) == (True, False)
        assert (await ask(front, b"new")).status == 503
        assert (await ask(front, b"good")).status == 200

    asyncio.run(main())


def test_two_releases_keep_their_own_answers() -> None:
    async def main() -> None:
        one, two = FakeEngine(), FakeEngine()
        for engine in (one, two):
            await ask(over(engine, KEEPS), b"1")
        assert len(one.requests) == len(two.requests) == 1

    asyncio.run(main())
