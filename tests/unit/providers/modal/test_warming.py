from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.warming import replayed, trace

from preheat.errors import ProviderError
from preheat.project.model import Project, Resources, Scaling
from preheat.provider.protocol import Pool
from preheat.provider.warm_options import Demand, WarmOption, Warms
from preheat.warming.planner import MONTH_S, month_usd
from preheat.warming.possible import changed
from preheat_providers.modal.options import Options, read_options
from preheat_providers.modal.provider import ModalProvider
from preheat_providers.modal.rates import LIST_RATES, Rates
from preheat_providers.modal.scaling import scale_of
from preheat_providers.modal.warming import warm_options, warm_settings

RATES = Rates({"cpu_hour_cost": 0.05, "mem_gib_hour_cost": 0.01}, "tested")
HOUR = 2 * 0.05 + 4 * 0.01
DEMAND = Demand(levels=(1, 3))


def project(**modal: Any) -> Project:
    return Project(
        root=Path(),
        stage="dev",
        name="x",
        handler="a:B",
        resources=Resources(cpu=2.0, memory_mb=4096),
        scaling=Scaling(max=5),
        provider={"modal": modal},
    )


def offered(rates: Rates = RATES, **modal: Any) -> dict[str, WarmOption]:
    of = project(**modal)
    return {each.name: each for each in warm_options(of, read_options(modal), DEMAND, rates)}


def test_it_says_how_it_keeps_containers_warm() -> None:
    assert isinstance(ModalProvider(), Warms)


def test_windows_numbers_buffers_and_a_snapshot_are_offered() -> None:
    found = offered()
    assert next(iter(found.values())).kind == "nothing"
    assert {each.kind for each in found.values()} == {"nothing", "pool", "kept", "snapshot"}
    assert {each.least for each in found.values()} == {0, 1, 3}
    assert {each.buffer for each in found.values()} == {0, 1, 2}
    assert all(each.most == 5 for each in found.values())


@pytest.mark.parametrize(
    "modal",
    [{}, {"min_containers": 2, "scaledown_window": 90, "buffer_containers": 4}, {"snapshot": "cpu"}],
)
def test_the_settings_of_an_option_make_the_pool_that_was_simulated(modal: dict[str, Any]) -> None:
    for option in offered(**modal).values():
        after = changed(project(**modal), "modal", option.settings)
        scale = scale_of(after, read_options(after.provider["modal"]))
        assert (scale.min_containers, scale.buffer_containers) == (option.least, option.buffer)
        assert scale.scaledown_window == option.idle_s
        assert (read_options(after.provider["modal"]).snapshot == "cpu") == (option.kind == "snapshot")


def test_a_snapshot_of_the_project_keeps_its_kind_and_the_other_options_go_without() -> None:
    of = project(snapshot="gpu")
    for option in offered(snapshot="gpu").values():
        told = read_options(changed(of, "modal", option.settings).provider["modal"])
        assert told.snapshot == ("gpu" if option.kind == "snapshot" else "none")


def test_a_container_is_paid_from_its_start_to_its_end() -> None:
    option = offered()["scaledown 60 s"]
    outcome = replayed(trace(0, 1000), cold_s=5, service_s=1, idle_s=option.idle_s, buffer_when_idle=False)
    seconds = 2 * (5 + 1 + 60)
    paid = month_usd(option.rates, outcome) * outcome.duration_s / MONTH_S
    assert paid == pytest.approx(seconds * HOUR / 3600)


def test_what_always_runs_is_paid_for_the_month() -> None:
    option = offered()["min 3, scaledown 60 s"]
    outcome = replayed(trace(0, 1000), least=3)
    assert month_usd(option.rates, outcome) == pytest.approx(3 * 730 * HOUR)


def test_a_container_of_several_inputs_takes_them_at_once() -> None:
    assert {each.concurrency for each in offered(concurrency=8).values()} == {8}


def test_without_a_price_nothing_is_compared() -> None:
    of = replace(project(), resources=Resources(gpu="B300"))
    with pytest.raises(ProviderError, match="No price is known for the GPU 'B300'"):
        list(warm_options(of, Options(), DEMAND, LIST_RATES))


def test_a_pool_is_written_where_the_project_says_it() -> None:
    pool = Pool(min=1, max=4)
    assert warm_settings(Options(), pool) == {"scaling.min": 1, "scaling.max": 4}
    own = Options(min_containers=0)
    assert warm_settings(own, pool) == {"provider.modal.min_containers": 1, "scaling.max": 4}
