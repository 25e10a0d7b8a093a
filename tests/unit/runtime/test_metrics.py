import pytest
from prometheus_client.parser import text_string_to_metric_families

from preheat.interface.message import Response
from preheat.runtime.metrics import Metrics, Outcome, outcome_of

OK = (("outcome", "ok"), ("route", "/invocations"))


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.render()[1].decode())
        for sample in family.samples
    }


def test_a_request_is_counted_by_route_and_outcome_with_its_seconds() -> None:
    metrics = Metrics()
    route = metrics.route("/invocations")
    route.started()
    route.finished("ok", 0.2)
    seen = samples(metrics)
    assert seen["preheat_requests_total", OK] == 1
    assert seen["preheat_request_seconds_sum", OK] == pytest.approx(0.2)
    assert seen["preheat_request_seconds_bucket", (("le", "0.1"), *OK)] == 0
    assert seen["preheat_request_seconds_bucket", (("le", "0.25"), *OK)] == 1
    assert seen["preheat_request_seconds_bucket", (("le", "+Inf"), *OK)] == 1


@pytest.mark.parametrize(("seconds", "within"), [(0.001, "0.001"), (0.0011, "0.0025"), (60.5, "+Inf")])
def test_a_bucket_holds_its_own_bound_and_the_last_one_everything(seconds: float, within: str) -> None:
    metrics = Metrics()
    metrics.route("/invocations").finished("ok", seconds)
    seen = samples(metrics)
    buckets = [
        (dict(labels)["le"], value)
        for (name, labels), value in seen.items()
        if name == "preheat_request_seconds_bucket"
    ]
    assert next(bound for bound, value in buckets if value) == within
    values = [value for _, value in buckets]
    assert values == sorted(values)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "ok"), (302, "ok"), (404, "rejected"), (429, "rejected"), (500, "failed"), (504, "failed")],
)
def test_a_status_says_whose_doing_the_end_was(status: int, outcome: Outcome) -> None:
    assert outcome_of(status) == outcome


def test_requests_in_flight_are_those_not_ended_on_all_routes() -> None:
    metrics = Metrics()
    one, other = metrics.route("/jobs"), metrics.route("/invocations")
    one.started()
    other.started()
    assert samples(metrics)["preheat_requests_in_flight", ()] == 2
    one.finished("cancelled", 0.1)
    other.finished("ok", 0.1)
    assert samples(metrics)["preheat_requests_in_flight", ()] == 0


def test_what_the_engine_says_of_its_answer_is_recorded_in_seconds() -> None:
    metrics = Metrics()
    route = metrics.route("/invocations")
    cold = {"x-preheat-start": "cold"}
    route.answered(Response(headers=cold, queue_ms=1500, model_ms=2.5, batch_size=3))
    route.answered(Response(headers={"x-preheat-start": "warm"}))
    seen = samples(metrics)
    assert seen["preheat_cold_starts_total", ()] == 1
    assert (seen["preheat_queue_seconds_count", OK], seen["preheat_queue_seconds_sum", OK]) == (1, 1.5)
    assert seen["preheat_model_seconds_sum", OK] == 0.0025
    assert seen["preheat_batch_size_bucket", (("le", "2.0"), *OK)] == 0
    assert seen["preheat_batch_size_bucket", (("le", "4.0"), *OK)] == 1


def test_an_answer_of_unknown_batch_size_counts_in_the_times_alone() -> None:
    metrics = Metrics()
    metrics.route("/invocations").answered(Response(model_ms=1.0))
    seen = samples(metrics)
    assert seen["preheat_model_seconds_count", OK] == 1
    assert not any(name == "preheat_batch_size_count" for name, _ in seen)


def test_an_error_that_never_reached_the_model_does_not_make_it_look_fast() -> None:
    metrics = Metrics()
    metrics.route("/invocations").answered(Response(status=400, headers={"x-preheat-start": "cold"}))
    seen = samples(metrics)
    assert not any(name == "preheat_model_seconds_count" for name, _ in seen)
    assert seen["preheat_cold_starts_total", ()] == 1


def test_a_failure_in_predict_has_times_of_its_own() -> None:
    metrics = Metrics()
    metrics.route("/invocations").answered(Response(status=500, model_ms=40.0))
    failed = (("outcome", "failed"), ("route", "/invocations"))
    assert samples(metrics)["preheat_model_seconds_sum", failed] == 0.04


def test_answers_of_a_cache_are_counted_by_how_they_were_made() -> None:
    metrics = Metrics()
    for route, how in (("/a", "hit"), ("/b", "hit"), ("/a", "miss")):
        metrics.route(route).answered(Response(headers={"x-preheat-cache": how}))
    metrics.route("/a").answered(Response())
    seen = samples(metrics)
    assert seen["preheat_cache_total", (("outcome", "hit"),)] == 2
    assert seen["preheat_cache_total", (("outcome", "miss"),)] == 1


def test_workers_and_the_circuit_are_asked_for_at_each_scrape() -> None:
    pool = {"busy": 1, "idle": 0}
    circuit = [False]
    metrics = Metrics(workers=lambda: pool, circuit_open=lambda: circuit[0])
    seen = samples(metrics)
    assert (seen["preheat_workers", (("state", "busy"),)], seen["preheat_circuit_open", ()]) == (1, 0)
    pool["busy"], circuit[0] = 3, True
    seen = samples(metrics)
    assert (seen["preheat_workers", (("state", "busy"),)], seen["preheat_circuit_open", ()]) == (3, 1)


def test_two_of_them_share_nothing_and_tell_nothing_of_the_process() -> None:
    one, other = Metrics(), Metrics()
    one.route("/a").answered(Response(headers={"x-preheat-start": "cold"}))
    assert samples(other)["preheat_cold_starts_total", ()] == 0
    assert all(name.startswith("preheat_") for name, _ in samples(one))


def test_the_media_type_is_that_of_the_text_format() -> None:
    assert Metrics().render()[0].startswith("text/plain; version=")
