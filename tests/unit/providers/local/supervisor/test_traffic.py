import asyncio
from collections.abc import Iterator

from tests.fakes.engine import FakeEngine
from tests.fakes.workers import FakeStarter, ListLog

from preheat.interface.message import Request, Response
from preheat.project.model import Scaling
from preheat_providers.local.supervisor.pool import Pool
from preheat_providers.local.supervisor.slots import PoolSettings
from preheat_providers.local.supervisor.statistics import Statistics
from preheat_providers.local.supervisor.traffic import Traffic

REQUEST = Request(body=b"1", id="r")


def pool(release: int) -> Pool:
    settings = PoolSettings(function="demo@dev", release=release, scaling=Scaling(), timeout_s=5, setup_s=5)
    return Pool(settings, FakeStarter(), log=ListLog())


async def released(traffic: Traffic[Pool], times: int) -> list[str]:
    return [(await traffic.invoke(REQUEST)).headers["x-preheat-release"] for _ in range(times)]


def test_nothing_answers_before_the_first_release() -> None:
    async def main() -> None:
        traffic: Traffic[Pool] = Traffic(Statistics())
        response = await traffic.invoke(REQUEST)
        assert response.status == 503
        assert "retry-after" in response.headers
        assert not traffic.ready

    asyncio.run(main())


def test_a_canary_gets_its_share() -> None:
    draws: Iterator[float] = iter([0.0, 0.24, 0.25, 0.99])

    async def main() -> None:
        traffic: Traffic[Pool] = Traffic(Statistics(), lambda: next(draws))
        traffic.switch(pool(1), pool(2), 0.25)
        assert await released(traffic, 4) == ["2", "2", "1", "1"]

    asyncio.run(main())


def test_switching_returns_who_gets_nothing_any_more() -> None:
    async def main() -> None:
        traffic: Traffic[Pool] = Traffic(Statistics())
        one, two = pool(1), pool(2)
        assert traffic.switch(one) == ()
        assert traffic.switch(one, two, 0.5) == ()
        assert traffic.switch(two) == (one,)
        assert await released(traffic, 3) == ["2", "2", "2"]
        assert traffic.ready

    asyncio.run(main())


def test_every_answer_counts_also_one_that_reached_no_worker() -> None:
    async def answer(request: Request) -> Response:
        return Response(status=int(request.body), headers={"x-preheat-start": "cold"})

    async def main() -> None:
        statistics = Statistics()
        traffic: Traffic[FakeEngine] = Traffic(statistics)
        traffic.switch(FakeEngine(answer))
        for status in (200, 400, 503):
            await traffic.invoke(Request(body=b"%d" % status, id="r"))
        assert (statistics.requests, statistics.errors, statistics.cold_starts) == (3, 1, 3)
        assert statistics.cold_ms_p50 is not None

    asyncio.run(main())
