import json
from typing import Any

import pytest
from tests.fakes.lambda_events import Context, scheduled
from tests.fakes.lambda_work import Length, Remembered, Told

from preheat_providers.aws_lambda.shipped.events.ticks import Ticks
from preheat_providers.aws_lambda.shipped.events.work import Worker
from preheat_providers.aws_lambda.shipped.settings import Tick
from preheat_providers.aws_lambda.shipped.shapes import UnknownEvent

TICKS = [Tick(name="nightly", input={"text": "hello"}), Tick(name="weekly")]


@pytest.fixture
def model() -> Length:
    return Length()


@pytest.fixture
def worker(model: Length) -> Worker:
    return Worker(model, Remembered(), Told())


@pytest.mark.parametrize("schedule", ["nightly", "preheat-demo-dev.nightly"])
def test_a_tick_runs_its_triggers_input(model: Length, worker: Worker, schedule: str) -> None:
    Ticks(TICKS, worker).deliver(scheduled(schedule), Context())
    assert json.loads(model.requests[0].body) == {"text": "hello"}


def test_a_tick_that_is_delivered_twice_runs_once(model: Length, worker: Worker) -> None:
    ticks = Ticks(TICKS, worker)
    for moment in ("2026-01-01T02:30:00Z", "2026-01-01T02:30:00Z", "2026-01-02T02:30:00Z"):
        ticks.deliver(scheduled("nightly", time=moment), Context())
    assert len(model.requests) == 2


@pytest.mark.parametrize("event", [scheduled("other"), {**scheduled("nightly"), "resources": []}])
def test_a_schedule_of_somebody_else_is_refused_by_name(worker: Worker, event: dict[str, Any]) -> None:
    with pytest.raises(UnknownEvent, match="which are nightly, weekly"):
        Ticks(TICKS, worker).deliver(event, Context())
