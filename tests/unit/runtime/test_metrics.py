from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from preheat.errors import BadInput, HandlerFailed
from preheat.runtime.metrics import Metrics


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.render()[1].decode())
        for sample in family.samples
    }


def ticking(*times: float) -> Iterator[float]:
    yield from times


def test_a_request_is_counted_by_route_and_outcome_with_its_seconds() -> None:
    clock = ticking(10.0, 10.2)
    metrics = Metrics(clock=lambda: next(clock))
    with metrics.track("/invocations") as tracked:
        tracked.status = 200
    seen = samples(metrics)
    assert seen["preheat_requests_total", (("outcome", "ok"), ("route", "/invocations"))] == 1
    assert seen["preheat_request_seconds_sum", (("route", "/invocations"),)] == pytest.approx(0.2)
    assert seen["preheat_request_seconds_bucket", (("le", "0.1"), ("route", "/invocations"))] == 0
    assert seen["preheat_request_seconds_bucket", (("le", "0.25"), ("route", "/invocations"))] == 1


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, "ok"),
        (404, "rejected"),
        (429, "rejected"),
        (500, "failed"),
        (504, "failed"),
        (None, "cancelled"),
    ],
)
def test_a_status_says_whose_doing_the_end_was(status: int | None, outcome: str) -> None:
    metrics = Metrics()
    with metrics.track("/jobs") as tracked:
        tracked.status = status
    assert samples(metrics)["preheat_requests_total", (("outcome", outcome), ("route", "/jobs"))] == 1


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (BadInput("x"), "rejected"),
        (HandlerFailed("x"), "failed"),
        (OSError(), "failed"),
        (KeyboardInterrupt(), "cancelled"),
    ],
)
def test_an_error_passes_through_and_is_counted(error: BaseException, outcome: str) -> None:
    metrics = Metrics()
    with pytest.raises(type(error)), metrics.track("/jobs"):
        raise error
    assert samples(metrics)["preheat_requests_total", (("outcome", outcome), ("route", "/jobs"))] == 1
    assert samples(metrics)["preheat_requests_in_flight", ()] == 0


def test_requests_in_flight_are_those_not_ended() -> None:
    metrics = Metrics()
    with metrics.track("/jobs"), metrics.track("/jobs"):
        assert samples(metrics)["preheat_requests_in_flight", ()] == 2
    assert samples(metrics)["preheat_requests_in_flight", ()] == 0


def test_what_the_engine_says_of_its_answer_is_recorded_in_seconds() -> None:
    metrics = Metrics()
    metrics.observe_answer(
        200, {"x-preheat-start": "cold", "x-preheat-queue-ms": "1500", "x-preheat-model-ms": "2.5"}
    )
    metrics.observe_answer(200, {"x-preheat-start": "warm"})
    seen = samples(metrics)
    assert seen["preheat_cold_starts_total", ()] == 1
    assert (seen["preheat_queue_seconds_count", ()], seen["preheat_queue_seconds_sum", ()]) == (1, 1.5)
    assert seen["preheat_model_seconds_sum", ()] == 0.0025


def test_an_error_that_never_reached_the_model_does_not_make_it_look_fast() -> None:
    metrics = Metrics()
    metrics.observe_answer(400, {"x-preheat-start": "cold", "x-preheat-model-ms": "0.0"})
    seen = samples(metrics)
    assert (seen["preheat_model_seconds_count", ()], seen["preheat_cold_starts_total", ()]) == (0, 1)


def test_workers_are_asked_for_at_each_scrape() -> None:
    pool = {"busy": 1, "idle": 0}
    metrics = Metrics(workers=lambda: pool)
    assert samples(metrics)["preheat_workers", (("state", "busy"),)] == 1
    pool["busy"] = 3
    assert samples(metrics)["preheat_workers", (("state", "busy"),)] == 3


def test_two_of_them_share_nothing_and_tell_nothing_of_the_process() -> None:
    one, other = Metrics(), Metrics()
    one.cold_start()
    assert samples(other)["preheat_cold_starts_total", ()] == 0
    assert all(name.startswith("preheat_") for name, _ in samples(one))


def test_the_media_type_is_that_of_the_text_format() -> None:
    assert Metrics().render()[0].startswith("text/plain; version=")
