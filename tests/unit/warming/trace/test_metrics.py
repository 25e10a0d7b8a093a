"""Counts of CloudWatch: which of them, and over which time."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.fakes.traces import TEN, notes, read

from preheat.warming.trace.model import TraceError


@pytest.mark.parametrize(
    ("begins", "period_s"),
    [
        ([0, 120, 420, 600], 60),
        ([0, 60, 180], 60),
        ([0, 30, 50], 10),
        ([0, 15, 31, 46], 15),
        ([0, 0.5, 1.0], 0.5),
        ([0, 86400, 2 * 86400 - 3600], 82800),
    ],
    ids=["none in a row", "one left out", "seconds", "uneven", "below a second", "a clock change"],
)
def test_periods_without_a_request_are_left_out_and_make_no_period_longer(
    file: Path, begins: list[float], period_s: float
) -> None:
    points = [{"Timestamp": TEN + each, "Sum": 50} for each in begins]
    trace = read(file, json.dumps({"Datapoints": points}))
    assert f"counts requests by {period_s:g} s" in notes(trace)
    inside = (trace.start + trace.arrivals - TEN)[:, None] - np.array(begins)
    assert ((inside >= 0) & (inside < period_s)).any(axis=1).all()


def metric(label: str, name: str, *values: float) -> dict[str, object]:
    return {"Id": name, "Label": label, "Timestamps": [TEN, TEN + 60][: len(values)], "Values": values}


def test_of_several_metrics_invocations_count_and_may_come_in_pages(file: Path) -> None:
    pages = [metric("Invocations", "m1", 10.0, 20.0), metric("Duration", "m2", 350.0, 350.0)]
    more = metric("Invocations", "m1", 5.0)
    trace = read(file, json.dumps({"MetricDataResults": [*pages, more]}))
    assert len(trace.arrivals) == 35


@pytest.mark.parametrize("labels", [("Errors", "Duration"), ("Invocations", "Invocations")])
def test_several_metrics_of_which_any_may_be_meant_are_refused(file: Path, labels: tuple[str, str]) -> None:
    results = [metric(label, f"m{number}", 1.0, 2.0) for number, label in enumerate(labels)]
    with pytest.raises(TraceError, match="Of several metrics") as refused:
        read(file, json.dumps({"MetricDataResults": results}))
    assert "--metric-name Invocations" in str(refused.value.hint)


def test_samples_count_where_a_sum_is_one_of_milliseconds(file: Path) -> None:
    points = [
        {"Timestamp": TEN + each, "SampleCount": 4, "Sum": 900.0, "Unit": "Milliseconds"} for each in (0, 60)
    ]
    assert len(read(file, json.dumps({"Datapoints": points})).arrivals) == 8
