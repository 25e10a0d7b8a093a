from typing import Any

import pytest

from preheat_providers.sagemaker.operating.status import instances_text, start_times


def test_a_start_takes_what_its_phases_take_together() -> None:
    events: list[dict[str, Any]] = [
        {"event": "ready", "phases": [{"name": "import", "ms": 100.0}, {"name": "setup", "ms": 50.5}]},
        {"event": "request", "ms": 3},
        {"event": "ready", "phases": [{"name": "setup", "ms": 7}]},
    ]
    assert start_times(events) == [150.5, 7.0]


@pytest.mark.parametrize(
    ("variant", "text"),
    [
        ({}, None),
        ({"CurrentInstanceCount": 0, "DesiredInstanceCount": 0}, "0"),
        ({"CurrentInstanceCount": 0, "DesiredInstanceCount": 1}, "0, going to 1"),
    ],
)
def test_instances_are_those_that_run_and_those_that_are_wanted(
    variant: dict[str, int], text: str | None
) -> None:
    assert instances_text(variant) == text
