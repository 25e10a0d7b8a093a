"""Every metric that the dashboards and alerts name is one that the runtime exports."""

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from preheat.runtime.metrics import Metrics, Outcome

INFRA = Path(__file__).parents[3] / "infra"


def exported() -> set[str]:
    _, text = Metrics(workers=lambda: {"ready": 1}).render()
    described = re.findall(r"^# TYPE (\S+)", text.decode(), re.MULTILINE)
    samples = re.findall(r"^(preheat_\w+)", text.decode(), re.MULTILINE)
    buckets = [f"{name}_bucket" for name in described]
    return {*described, *samples, *buckets}


@pytest.mark.parametrize("file", ["prometheus/alerts.yml", "grafana/dashboard.json"])
def test_a_dashboard_names_only_metrics_that_exist(file: str) -> None:
    used = set(re.findall(r"\bpreheat_\w+", (INFRA / file).read_text()))
    assert used
    assert used <= exported()


def test_an_alert_selects_only_outcomes_that_exist() -> None:
    selected = re.findall(r'outcome="(\w+)"', (INFRA / "prometheus/alerts.yml").read_text())
    assert selected
    assert set(selected) <= set(get_args(Outcome))


def test_the_dashboard_is_json_with_distinct_panels() -> None:
    panels = json.loads((INFRA / "grafana/dashboard.json").read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
