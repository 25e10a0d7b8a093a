from pathlib import Path
from typing import Any

import pytest

from preheat.plan.model import Cost
from preheat.project.model import Project, Resources, Scaling
from preheat_providers.modal.costs import costs_of
from preheat_providers.modal.options import Options
from preheat_providers.modal.rates import LIST_RATES, Rates

RATES = Rates({"cpu_hour_cost": 0.05, "mem_gib_hour_cost": 0.01, "gpu_hour_cost_l4": 1.0}, "tested")


def project(**resources: Any) -> Project:
    return Project(
        root=Path(),
        stage="dev",
        name="x",
        handler="a:B",
        resources=Resources(**resources),
        scaling=Scaling(min=2),
    )


def costs(rates: Rates = RATES, options: Options | None = None, **resources: Any) -> dict[str, Cost]:
    found = costs_of(project(**resources), options or Options(), rates)
    return {cost.name: cost for cost in found}


def test_an_hour_is_cores_memory_and_gpus() -> None:
    hour = costs(cpu=2.0, memory_mb=2048, gpu="L4:3")["one container"]
    assert hour.usd == pytest.approx(2 * 0.05 + 2 * 0.01 + 3 * 1.0)
    assert "tested" in hour.basis


def test_a_request_is_its_share_of_the_hour() -> None:
    found = costs(cpu=1.0, memory_mb=1024)
    hour = found["one container"].usd
    assert found["requests of 1000 ms"].usd == pytest.approx(1000 * hour / 3600)
    assert found["requests of 100 ms"].usd == pytest.approx(100 * hour / 3600)


def test_what_always_runs_is_paid_for_the_month_and_what_stays_for_its_window() -> None:
    found = costs(options=Options(scaledown_window=3600))
    hour = found["one container"].usd
    assert found["min_containers = 2"].usd == pytest.approx(2 * 730 * hour)
    assert found["scaledown_window = 3600"].usd == pytest.approx(hour)


def test_less_than_an_eighth_of_a_core_costs_as_much() -> None:
    assert costs(cpu=0.01)["one container"].usd == costs(cpu=0.125)["one container"].usd


def test_without_a_price_nothing_is_guessed() -> None:
    assert costs(gpu="H200") == {}


@pytest.mark.parametrize(
    ("name", "usd"), [("H100", 3.9492), ("H100!", 3.9492), ("A100-80GB", 2.4984), ("B200+", 6.25)]
)
def test_a_gpu_has_the_listed_price_under_all_its_names(name: str, usd: float) -> None:
    assert LIST_RATES.gpu(name) == usd


def test_modals_keys_are_found_where_a_gpu_has_another_name_there() -> None:
    rates = Rates({"gpu_hour_cost_a100_40gb": 2.1, "gpu_hour_cost_a10g": 1.1}, "")
    assert (rates.gpu("A100"), rates.gpu("A10"), rates.gpu("T4")) == (2.1, 1.1, None)
