import json
from dataclasses import replace

from tests.fakes.starts import RESULT

from preheat.coldstart.document import document
from preheat.coldstart.model import Comparison, Saving, Spread, Verdict

FULL = replace(
    RESULT,
    savings=(Saving(what="import boto3", how="import it in predict", ms=12.34567),),
    verdict=Verdict(key="p95_ms", limit=100.0, measured=120.0),
    comparison=Comparison(
        release=3, digest="sha256:11", total_ms=Spread(80.0, 90.0), rss_bytes=1, ratio=1.25, phases=()
    ),
)


def test_the_first_condition_stands_at_the_top() -> None:
    found = document(FULL)
    assert (found["cache"], found["cores"]) == ("warm", "all")
    assert found["total_ms"] == {"p50": 100.0, "p95": 120.0}
    assert [each["cores"] for each in found["conditions"]] == ["all", "one"]


def test_others_may_rely_on_these_keys() -> None:
    assert list(document(FULL)) == [
        "format",
        "name",
        "stage",
        "provider",
        "digest",
        "entry",
        "without",
        "machine",
        "runs",
        "cache",
        "cores",
        "total_ms",
        "ready_ms",
        "first_answer_ms",
        "second_answer_ms",
        "cpu_ms",
        "rss_bytes",
        "read_bytes",
        "bare_ms",
        "ratio",
        "phases",
        "imports",
        "weights",
        "conditions",
        "savings",
        "budget",
        "comparison",
    ]


def test_a_budget_carries_its_numbers() -> None:
    assert document(FULL)["budget"] == {"key": "p95_ms", "limit": 100.0, "measured": 120.0, "kept": False}
    assert document(RESULT)["budget"] is None


def test_savings_that_were_not_looked_for_are_told_from_none_found() -> None:
    assert document(RESULT)["savings"] is None
    assert document(replace(RESULT, savings=()))["savings"] == []


def test_it_is_json_with_times_to_the_microsecond() -> None:
    found = json.loads(json.dumps(document(FULL)))
    assert found["savings"][0]["ms"] == 12.346
    assert found["phases"][2] == {
        "name": "onnxruntime.InferenceSession",
        "start_ms": 12.0,
        "ms": 70.0,
        "within": "setup",
    }
    assert found["comparison"]["ratio"] == 1.25
