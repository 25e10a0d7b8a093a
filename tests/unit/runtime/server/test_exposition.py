import asyncio
from collections.abc import Callable
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from preheat.runtime.server.exposition import SharedExposition, merged


def rendering(count: int) -> Callable[[], tuple[str, bytes]]:
    text = text_of(count)
    return lambda: ("text/plain", text)


def text_of(count: int) -> bytes:
    registry = CollectorRegistry()
    counter = Counter("jobs", 'Jobs, "all" of {them}.', ("route",), registry=registry)
    counter.labels('/a "b" {c} d').inc(count)
    Histogram("seconds", "Time.", buckets=(1.0,), registry=registry).observe(count)
    return generate_latest(registry)


def samples(text: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = list(text_string_to_metric_families(text.decode()))
    assert len({family.name for family in families}) == len(families), "a family stands twice"
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_each_series_says_whose_it_is_and_stands_in_one_family() -> None:
    found = samples(merged({0: text_of(2), 1: text_of(3)}))
    for worker, count in (("0", 2.0), ("1", 3.0)):
        assert found["jobs_total", (("route", '/a "b" {c} d'), ("worker", worker))] == count
        assert found["seconds_sum", (("worker", worker),)] == count
        assert found["seconds_bucket", (("le", "+Inf"), ("worker", worker))] == 1.0
        assert found["preheat_worker_up", (("worker", worker),)] == 1.0


def test_a_worker_that_did_not_answer_is_said_to_be_down() -> None:
    found = samples(merged({0: text_of(2), 1: None}))
    assert found["preheat_worker_up", (("worker", "1"),)] == 0.0
    assert ("seconds_sum", (("worker", "1"),)) not in found


def test_every_worker_answers_for_all_and_one_that_is_gone_is_left_out(tmp_path: Path) -> None:
    async def scenario() -> list[bytes]:
        workers = [
            SharedExposition(rendering(slot), slot=slot, workers=3, folder=tmp_path) for slot in (0, 1)
        ]
        for worker in workers:
            await worker.open()
        answers = [(await worker.render())[1] for worker in workers]
        for worker in workers:
            worker.close()
        return answers

    first, second = asyncio.run(scenario())
    assert samples(first) == samples(second)
    assert samples(first)["seconds_sum", (("worker", "1"),)] == 1.0
    assert samples(first)["preheat_worker_up", (("worker", "2"),)] == 0.0
