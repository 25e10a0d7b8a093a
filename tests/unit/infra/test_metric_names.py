"""Every metric that the dashboards and alerts name is one that the runtime exports."""

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from preheat.runtime.metrics import Metrics, Outcome

INFRA = Path(__file__).parents[3] / "infra"


def text() -> str:
    return Metrics(workers=lambda: {"ready": 1}, circuit_open=lambda: False).render()[1].decode()


def described() -> dict[str, str]:
    return dict(re.findall(r"^# TYPE (\S+) (\w+)$", text(), re.MULTILINE))


def exported() -> set[str]:
    samples = re.findall(r"^(preheat_\w+)", text(), re.MULTILINE)
    histograms = [name for name, kind in described().items() if kind == "histogram"]
    series = [f"{name}_{part}" for name in histograms for part in ("bucket", "sum", "count")]
    return {*described(), *samples, *series}


@pytest.mark.parametrize("file", ["prometheus/alerts.yml", "grafana/dashboard.json"])
def test_a_dashboard_names_only_metrics_that_exist(file: str) -> None:
    used = set(re.findall(r"\bpreheat_\w+", (INFRA / file).read_text()))
    assert used
    assert used <= exported()


def test_an_alert_selects_only_outcomes_that_exist() -> None:
    selected = re.findall(r'outcome="(\w+)"', (INFRA / "prometheus/alerts.yml").read_text())
    assert selected
    assert set(selected) <= set(get_args(Outcome))


def test_every_metric_that_exists_is_on_the_dashboard() -> None:
    shown = (INFRA / "grafana/dashboard.json").read_text()
    assert [name for name in described() if name not in shown] == []


def test_the_dashboard_is_json_with_distinct_panels() -> None:
    panels = json.loads((INFRA / "grafana/dashboard.json").read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
