from typing import Any

import pytest

from preheat_providers.modal.operating.statistics import Figures, figures_of


def access(status: int | None, ms: float, **more: Any) -> dict[str, Any]:
    return {"event": "access", "route": "/invocations", "status": status, "total_ms": ms, **more}


def test_without_events_there_are_no_latencies() -> None:
    assert figures_of([]) == Figures(requests=0, errors=0, cold_starts=0)


def test_only_answers_of_routes_are_requests() -> None:
    events = [
        access(200, 1),
        {"event": "access", "route": None, "status": 404, "total_ms": 1},
        {"event": "x"},
    ]
    assert figures_of(events).requests == 1


@pytest.mark.parametrize(("status", "errors"), [(200, 0), (400, 0), (429, 0), (500, 1), (504, 1), (None, 1)])
def test_what_failed_on_our_side_or_was_never_answered_is_an_error(status: int | None, errors: int) -> None:
    assert figures_of([access(status, 1)]).errors == errors


def test_latencies_are_of_good_warm_answers() -> None:
    events = [access(200, ms) for ms in range(1, 101)] + [access(500, 9999), access(200, 9999, cold=True)]
    found = figures_of(events)
    assert found.warm_ms_p50 == 50.5
    assert found.warm_ms_p95 == pytest.approx(95.05)


def test_one_answer_is_its_own_percentile() -> None:
    assert figures_of([access(200, 7)]).warm_ms_p95 == 7


def test_a_start_is_the_sum_of_its_phases() -> None:
    starts = [{"event": "ready", "phases": [{"ms": 10}, {"ms": each}]} for each in (5, 15, 100)]
    found = figures_of(starts)
    assert (found.cold_starts, found.cold_ms_p50) == (3, 25)
