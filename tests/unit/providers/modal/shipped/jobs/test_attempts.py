"""One call of a job: how often it asks the model, and what it leaves behind."""

import asyncio
from typing import Any

import pytest
from tests.fakes.modal_jobs import MemoryEntries, Nap, ScriptedEngine

from preheat.interface.message import Request, Response
from preheat_providers.modal.shipped.jobs.attempts import Attempts, delay_s
from preheat_providers.modal.shipped.jobs.records import (
    Attempt,
    Item,
    answered,
    asked,
    attempt_key,
    end_key,
)

JOB = "j-1"
BROKEN = Response(status=500, body=b"broken")
BUSY = Response(status=429, headers={"retry-after": "7"})


class Call:
    """One call, with everything around it in memory."""

    def __init__(self, *answers: Response, nap: Nap | None = None) -> None:
        self.entries = MemoryEntries()
        self.engine = ScriptedEngine(*answers)
        self.nap = nap or Nap()
        self.told: list[dict[str, Any]] = []
        self.attempts = Attempts(
            self.entries,
            self.engine,
            clock=lambda: 50.0,
            sleep=self.nap,
            chance=lambda: 1.0,
            log=self.told.append,
        )

    def run(self) -> Item | None:
        item = asked(Request(id="r-1", body=b"x", headers={"x-a": "b"}, timeout_s=3))
        return asyncio.run(self.attempts.run(JOB, item))

    @property
    def end(self) -> Item | None:
        return self.entries.items.get(end_key(JOB))


async def pieces() -> Any:
    yield b"a"
    yield b"b"


def test_an_answer_is_returned_and_its_end_recorded() -> None:
    call = Call(Response(body=b"1", headers={"x-preheat-cache": "miss"}))
    answer = call.run()
    assert answer is not None
    assert (answer["status"], answer["body"], answer["headers"]) == (200, b"1", {"x-preheat-cache": "miss"})
    assert call.end == {
        "status": "succeeded",
        "finished": 50.0,
        "started": 50.0,
        "attempts": 1,
        "why": None,
    }


def test_the_model_is_asked_what_the_caller_asked_under_the_jobs_id() -> None:
    call = Call(Response())
    call.run()
    assert call.engine.asked == [Request(id=JOB, body=b"x", headers={"x-a": "b"}, timeout_s=3)]


def test_a_failure_is_tried_three_times_with_pauses() -> None:
    call = Call(BROKEN)
    answer = call.run()
    assert answer is not None
    assert answer["status"] == 500
    assert len(call.engine.asked) == 3
    assert call.nap.naps == [1.0, 2.0]
    assert call.end is not None
    assert (call.end["status"], call.end["attempts"]) == ("failed", 3)


def test_a_refusal_is_final() -> None:
    call = Call(Response(status=422))
    call.run()
    assert len(call.engine.asked) == 1
    assert call.end is not None
    assert call.end["status"] == "failed"


def test_a_full_queue_is_no_attempt() -> None:
    call = Call(BUSY, BUSY, Response())
    call.run()
    assert call.nap.naps == [7.0, 7.0]
    assert call.end is not None
    assert (call.end["status"], call.end["attempts"]) == ("succeeded", 1)


def test_a_stream_is_joined() -> None:
    answer = Call(Response(chunks=pieces())).run()
    assert answer is not None
    assert answer["body"] == b"ab"


def test_a_job_that_was_cancelled_before_is_not_run() -> None:
    call = Call(Response())
    call.entries.items[end_key(JOB)] = {"status": "cancelled"}
    assert call.run() is None
    assert not call.engine.asked


def test_the_answer_of_a_job_that_was_cancelled_meanwhile_is_dropped() -> None:
    call = Call(Response())

    async def invoke(request: Request) -> Response:
        call.entries.items[end_key(JOB)] = {"status": "cancelled"}
        return Response()

    call.engine.invoke = invoke  # type: ignore[method-assign]
    assert call.run() is None
    assert call.end == {"status": "cancelled"}
    assert call.told[-1]["event"] == "job-dropped"


@pytest.mark.parametrize("answer", [Response(body=b"1"), Response(status=422, body=b"no")])
def test_a_job_that_another_call_has_ended_alike_meanwhile_is_answered_here_too(answer: Response) -> None:
    """Two submits of one key may each have spawned a call, and the record names one of them."""
    other, call = Call(answer), Call(answer)

    async def invoke(request: Request) -> Response:
        await other.attempts.run(JOB, asked(request))
        call.entries.items.update(other.entries.items)
        return answer

    call.engine.invoke = invoke  # type: ignore[method-assign]
    assert call.run() == answered(answer)
    assert call.end == other.end


def test_the_answer_of_a_job_that_another_call_has_ended_otherwise_meanwhile_is_dropped() -> None:
    call = Call(BROKEN)

    async def invoke(request: Request) -> Response:
        call.entries.items[end_key(JOB)] = {"status": "succeeded"}
        return BROKEN

    call.engine.invoke = invoke  # type: ignore[method-assign]
    assert call.run() is None
    assert call.end == {"status": "succeeded"}


def test_a_call_that_modal_repeats_goes_on_counting() -> None:
    call = Call(BROKEN)
    call.entries.items[attempt_key(JOB)] = Attempt(number=2, started=1.0).item()
    call.run()
    assert len(call.engine.asked) == 1
    assert call.end is not None
    assert call.end["attempts"] == 3


def test_a_job_whose_container_died_with_its_answer_is_answered_again() -> None:
    """Its end was written, and Modal repeats the call that had no answer yet."""
    call = Call(Response(body=b"1"), Response(body=b"2"))
    call.run()
    end = call.end
    again = call.run()
    assert again is not None
    assert (again["status"], again["body"]) == (200, b"2")
    assert call.end == end
    assert call.entries.items[attempt_key(JOB)]["number"] == 1


@pytest.mark.parametrize("first", [Response(status=422), BROKEN])
def test_a_job_that_had_failed_is_not_run_again(first: Response) -> None:
    call = Call(first)
    call.run()
    asked_before = len(call.engine.asked)
    assert call.run() is None
    assert len(call.engine.asked) == asked_before


def test_an_answer_that_does_not_come_again_is_none() -> None:
    call = Call(Response(body=b"1"), BROKEN)
    call.run()
    assert call.run() is None
    assert call.end is not None
    assert call.end["status"] == "succeeded"


def test_a_job_that_was_cut_off_three_times_has_failed() -> None:
    call = Call(Response())
    call.entries.items[attempt_key(JOB)] = Attempt(number=3, started=1.0).item()
    assert call.run() is None
    assert not call.engine.asked
    assert call.end is not None
    assert call.end["why"] == "Attempt 3 was cut off."


@pytest.mark.parametrize(
    ("failures", "part", "expected"), [(1, 0.0, 0.5), (1, 1.0, 1.0), (3, 1.0, 4.0), (20, 1.0, 60.0)]
)
def test_pauses_grow_and_leave_half_to_chance(failures: int, part: float, expected: float) -> None:
    assert delay_s(failures, part) == expected
