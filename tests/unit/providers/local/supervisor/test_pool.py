import asyncio
import json
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

from tests.fakes.clock import HandClock
from tests.fakes.patience import PATIENCE_S
from tests.fakes.workers import FakeStarter, ListLog

from preheat.errors import WorkerDied
from preheat.interface.message import Request, Response
from preheat.project.model import Scaling
from preheat_providers.local.supervisor.pool import Pool
from preheat_providers.local.supervisor.slots import PoolSettings
from preheat_providers.local.supervisor.worker import NotReached


def on_a_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    @wraps(test)
    def run() -> None:
        asyncio.run(asyncio.wait_for(test(), PATIENCE_S))

    del run.__wrapped__
    return run


def make_pool(
    starter: FakeStarter,
    log: ListLog | None = None,
    *,
    clock: Callable[[], float] | None = None,
    **scaling: Any,
) -> Pool:
    settings = PoolSettings(
        function="demo@dev", release=1, scaling=Scaling(**scaling), timeout_s=5.0, setup_s=5.0
    )
    return Pool(settings, starter, log=log or ListLog(), clock=clock)


def request(timeout_s: float | None = None) -> Request:
    return Request(body=b"1", id="r", timeout_s=timeout_s)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def detail(response: Response) -> str:
    return str(json.loads(response.body)["detail"])


@on_a_loop
async def test_a_request_waits_for_the_worker_that_it_starts() -> None:
    starter = FakeStarter(ready=False)
    pool = make_pool(starter)
    call = asyncio.create_task(pool.invoke(request()))
    await settle()
    assert len(starter.workers) == 1
    assert not call.done()
    starter.workers[0].become_ready()
    response = await call
    assert (response.status, response.body) == (200, b'"w1"')
    assert response.headers["x-preheat-start"] == "cold"
    assert (await pool.invoke(request())).headers["x-preheat-start"] == "warm"


@on_a_loop
async def test_beside_a_busy_worker_only_who_waited_for_a_start_is_cold() -> None:
    starter = FakeStarter(ready=False)
    starter.held = True
    pool = make_pool(starter, max=2)
    first = asyncio.create_task(pool.invoke(request()))
    await settle()
    starter.workers[0].become_ready()
    await settle()
    beside = asyncio.create_task(pool.invoke(request()))
    behind = asyncio.create_task(pool.invoke(request()))
    await settle()
    starter.workers[1].become_ready()
    await settle()
    for worker in (0, 1, 0):
        starter.workers[worker].answers[-1].set_result(None)
        await settle()
    answers = await asyncio.gather(first, beside, behind)
    assert [each.headers["x-preheat-start"] for each in answers] == ["cold", "cold", "warm"]


@on_a_loop
async def test_an_answer_says_how_long_it_waited_here_and_how_many_shared_its_call() -> None:
    clock, starter = HandClock(), FakeStarter()
    starter.held = True
    pool = make_pool(starter, clock=clock, max=1)
    calls = [asyncio.create_task(pool.invoke(request())) for _ in range(2)]
    await settle()
    worker = starter.workers[0]
    clock.now += 0.25
    worker.answers[0].set_result(None)
    await settle()
    worker.batch_size = 4
    worker.answers[1].set_result(None)
    one, other = await asyncio.gather(*calls)
    assert (other.queue_ms, other.model_ms) == (249.0, 1.0)
    assert (other.headers["x-preheat-queue-ms"], other.headers["x-preheat-model-ms"]) == ("249.000", "1.000")
    assert (other.batch_size, other.headers["x-preheat-batch-size"]) == (4, "4")
    assert "x-preheat-batch-size" not in one.headers, "that worker does not say"


@on_a_loop
async def test_never_more_requests_at_once_than_a_worker_takes() -> None:
    starter = FakeStarter(concurrency=2)
    starter.held = True
    pool = make_pool(starter, max=1)
    calls = [asyncio.create_task(pool.invoke(request())) for _ in range(3)]
    await settle()
    worker = starter.workers[0]
    assert len(worker.requests) == 2
    worker.answers[0].set_result(None)
    await settle()
    assert len(worker.requests) == 3
    for answer in worker.answers[1:]:
        answer.set_result(None)
    assert [(await call).status for call in calls] == [200] * 3


@on_a_loop
async def test_waiting_requests_are_answered_in_the_order_of_their_arrival() -> None:
    starter = FakeStarter()
    starter.held = True
    pool = make_pool(starter, max=1)
    calls = [asyncio.create_task(pool.invoke(Request(body=b"1", id=str(number)))) for number in range(4)]
    for number in range(4):
        await settle()
        starter.workers[0].answers[number].set_result(None)
    await asyncio.gather(*calls)
    assert [each.id for each in starter.workers[0].requests] == ["0", "1", "2", "3"]


@on_a_loop
async def test_a_full_queue_is_a_429_with_a_time_to_retry() -> None:
    starter = FakeStarter()
    starter.held = True
    pool = make_pool(starter, max=1, queue=1)
    calls = [asyncio.create_task(pool.invoke(request())) for _ in range(2)]
    await settle()
    refused = await pool.invoke(request())
    assert refused.status == 429
    assert int(refused.headers["retry-after"]) >= 1
    starter.workers[0].answers[0].set_result(None)
    await settle()
    starter.workers[0].answers[1].set_result(None)
    assert [(await call).status for call in calls] == [200, 200]


class Line:
    """A pool with one worker and a line of requests in front of it, one of which is answered each second."""

    def __init__(self, length: int, **scaling: Any) -> None:
        self.clock = HandClock()
        self.starter = FakeStarter()
        self.starter.held = True
        self.pool = make_pool(self.starter, clock=self.clock, **scaling)
        self.calls = [asyncio.create_task(self.pool.invoke(request())) for _ in range(length)]

    async def work(self, seconds: int) -> None:
        await settle()
        for _ in range(seconds):
            self.clock.now += 1.0
            next(answer for answer in self.starter.workers[0].answers if not answer.done()).set_result(None)
            await settle()

    async def leave(self) -> None:
        for call in self.calls:
            call.cancel()
        await asyncio.gather(*self.calls, return_exceptions=True)


@on_a_loop
async def test_retry_after_says_when_the_queue_will_be_empty() -> None:
    line = Line(30, max=1, queue=30)
    await line.work(9)
    line.calls += [asyncio.create_task(line.pool.invoke(request(timeout_s=5.0))) for _ in range(10)]
    await settle()
    refused = await line.pool.invoke(request())
    assert (refused.status, refused.headers["retry-after"]) == (429, "20")
    await line.leave()


@on_a_loop
async def test_a_request_that_would_be_late_is_refused_and_one_that_has_time_waits() -> None:
    line = Line(13, max=1, queue=100)
    await line.work(9)
    late = await line.pool.invoke(request(timeout_s=2.0))
    assert late.status == 429
    assert "this one may take 2 s" in detail(late)
    patient = asyncio.create_task(line.pool.invoke(request(timeout_s=4.5)))
    await settle()
    assert line.pool.waiting == 4
    await line.work(5)
    assert (await patient).status == 200
    await line.leave()


@on_a_loop
async def test_while_no_worker_is_ready_nobody_is_refused_for_the_time_it_would_take() -> None:
    line = Line(20, max=1, queue=100)
    await line.work(9)
    line.starter.ready = False
    line.starter.workers[0].crash()
    await settle()
    hasty = asyncio.create_task(line.pool.invoke(request(timeout_s=2.0)))
    await settle()
    assert not hasty.done()
    line.calls.append(hasty)
    await line.leave()


@on_a_loop
async def test_the_time_that_a_start_takes_says_nothing_of_how_fast_answers_come() -> None:
    line = Line(30, max=1, queue=30)
    await line.work(9)
    line.starter.ready = False
    line.starter.workers[0].crash()
    await settle()
    line.clock.now += 5.0
    line.calls.append(asyncio.create_task(line.pool.invoke(request())))
    await settle()
    line.clock.now += 5.0
    line.starter.workers[1].become_ready()
    line.calls += [asyncio.create_task(line.pool.invoke(request(timeout_s=5.0))) for _ in range(20)]
    await settle()
    refused = await line.pool.invoke(request())
    assert (refused.status, line.pool.waiting) == (429, 30)
    assert int(refused.headers["retry-after"]) in (29, 30)
    await line.leave()


@on_a_loop
async def test_answers_for_which_nobody_waited_say_nothing_of_how_fast_they_could_come() -> None:
    line = Line(0, max=1, queue=20)
    line.starter.held = False
    for _ in range(20):
        await line.pool.invoke(request())
        line.clock.now += 1.0
    line.starter.workers[0].held = True
    line.calls += [asyncio.create_task(line.pool.invoke(request())) for _ in range(21)]
    await settle()
    refused = await line.pool.invoke(request())
    assert (refused.status, refused.headers["retry-after"]) == (429, "1")
    await line.leave()


@on_a_loop
async def test_a_failed_start_answers_who_waits_and_is_not_repeated_at_once() -> None:
    log = ListLog()
    starter = FakeStarter(ready=False)
    pool = make_pool(starter, log, max=1)
    calls = [asyncio.create_task(pool.invoke(request())) for _ in range(2)]
    await settle()
    starter.workers[0].fail_to_start("no weights at /secret")
    first, second = [await call for call in calls]
    assert (first.status, second.status) == (503, 503)
    assert detail(first) == "The handler failed in setup; see: preheat logs demo"
    again = await pool.invoke(request())
    assert again.status == 503
    assert int(again.headers["retry-after"]) >= 1
    assert len(starter.workers) == 1
    assert not pool.ready
    assert ("worker-failed", "no weights at /secret") in [(event, text) for event, text, _ in log.events]


@on_a_loop
async def test_a_start_after_the_back_off_may_succeed() -> None:
    starter = FakeStarter(ready=False)
    now = 0.0
    pool = Pool(
        PoolSettings(function="demo@dev", release=1, scaling=Scaling(), timeout_s=5, setup_s=5),
        starter,
        log=ListLog(),
        clock=lambda: now,
    )
    call = asyncio.create_task(pool.invoke(request()))
    await settle()
    starter.workers[0].fail_to_start()
    assert (await call).status == 503
    await settle()
    now = 10.0
    starter.ready = True
    assert (await pool.invoke(request())).status == 200
    assert pool.ready


@on_a_loop
async def test_a_worker_that_dies_is_a_502_and_the_next_request_gets_another() -> None:
    starter = FakeStarter()
    pool = make_pool(starter)
    assert (await pool.invoke(request())).status == 200
    worker = starter.workers[0]
    worker.fail = WorkerDied("gone")
    worker.end.set_result("SIGSEGV")
    died = await pool.invoke(request())
    assert died.status == 502
    assert "SIGSEGV" in detail(died)
    assert (await pool.invoke(request())).body == b'"w2"'


@on_a_loop
async def test_a_worker_whose_predict_may_still_run_gets_no_other_request() -> None:
    starter = FakeStarter()
    pool = make_pool(starter)
    await pool.invoke(request())
    starter.workers[0].status = 504
    assert (await pool.invoke(request())).status == 504
    assert starter.workers[0].drained
    assert (await pool.invoke(request())).body == b'"w2"'


@on_a_loop
async def test_a_request_that_did_not_reach_its_worker_is_given_to_another() -> None:
    starter = FakeStarter()
    pool = make_pool(starter)
    await pool.invoke(request())
    starter.workers[0].fail = NotReached("connection refused")
    response = await pool.invoke(request())
    assert (response.status, response.body) == (200, b'"w2"')
    assert starter.workers[0].killed


@on_a_loop
async def test_a_caller_that_leaves_the_queue_makes_room() -> None:
    starter = FakeStarter()
    starter.held = True
    pool = make_pool(starter, max=1, queue=1)
    busy = asyncio.create_task(pool.invoke(request()))
    waiting = asyncio.create_task(pool.invoke(request()))
    await settle()
    assert pool.waiting == 1
    waiting.cancel()
    await settle()
    assert pool.waiting == 0
    starter.workers[0].answers[0].set_result(None)
    assert (await busy).status == 200


@on_a_loop
async def test_a_request_whose_time_is_over_in_the_queue_is_a_504() -> None:
    starter = FakeStarter()
    starter.held = True
    pool = make_pool(starter, max=1)
    await settle()
    busy = asyncio.create_task(pool.invoke(request()))
    await settle()
    late = await pool.invoke(request(timeout_s=0.02))
    assert late.status == 504
    starter.workers[0].answers[0].set_result(None)
    assert (await busy).status == 200


@on_a_loop
async def test_the_time_that_a_start_takes_does_not_count_against_the_request() -> None:
    starter = FakeStarter(ready=False)
    pool = make_pool(starter)
    call = asyncio.create_task(pool.invoke(request(timeout_s=0.02)))
    await asyncio.sleep(0.05)
    starter.workers[0].become_ready()
    assert (await call).status == 200
    assert starter.workers[0].requests[0].timeout_s == 0.02


@on_a_loop
async def test_a_drained_pool_answers_what_it_took_and_nothing_new() -> None:
    starter = FakeStarter()
    starter.held = True
    pool = make_pool(starter, max=1)
    calls = [asyncio.create_task(pool.invoke(request())) for _ in range(2)]
    await settle()
    drained = asyncio.create_task(pool.drain())
    await settle()
    assert (await pool.invoke(request())).status == 503
    for number in range(2):
        starter.workers[0].answers[number].set_result(None)
        await settle()
    assert [(await call).status for call in calls] == [200, 200]
    await drained
    assert starter.workers[0].drained
    assert starter.closed


@on_a_loop
async def test_a_drain_past_its_limit_ends_the_workers() -> None:
    starter = FakeStarter()
    starter.held = True
    pool = make_pool(starter, max=1)
    call = asyncio.create_task(pool.invoke(request()))
    await settle()
    await pool.drain(0.01)
    assert starter.workers[0].killed
    call.cancel()


@on_a_loop
async def test_idle_workers_stop_and_warm_ones_stay() -> None:
    starter = FakeStarter()
    pool = make_pool(starter, max=3, warm=1, idle_s=0.01)
    pool.open()
    await settle()
    assert pool.live == 1
    starter.workers[0].held = True
    busy = asyncio.create_task(pool.invoke(request()))
    await settle()
    assert pool.live == 2
    starter.workers[0].answers[0].set_result(None)
    await busy
    stopped = await asyncio.wait(
        [asyncio.ensure_future(worker.ended()) for worker in starter.workers],
        return_when=asyncio.FIRST_COMPLETED,
    )
    assert len(stopped[0]) == 1
    await settle()
    assert pool.live == 1


@on_a_loop
async def test_preparing_brings_one_worker_up_or_says_why_not() -> None:
    pool = make_pool(FakeStarter())
    await pool.prepare()
    assert pool.live == 1
    starter = FakeStarter(ready=False)
    broken = make_pool(starter)
    preparing = asyncio.create_task(broken.prepare())
    await settle()
    starter.workers[0].fail_to_start("bad weights")
    await settle()
    assert "bad weights" in str(preparing.exception())
