from pathlib import Path

import pytest
from tests.fakes.local import project

from preheat.project.model import Scaling
from preheat.provider.protocol import Pool
from preheat.provider.warm_options import Demand, LeastHours, WarmOption, Warms
from preheat.warming.possible import changed
from preheat_providers.local.client import SupervisorClient
from preheat_providers.local.options import read_options
from preheat_providers.local.provider import LocalProvider

HOURS = (
    LeastHours(cron="0 8 * * *", timezone="UTC", least=9),
    LeastHours(cron="0 18 * * *", timezone="UTC", least=0),
)
DEMAND = Demand(levels=(1, 3), hours=HOURS)
OF = project(
    scaling=Scaling(min=2, warm=1, max=4),
    provider={"local": {"keep_alive": "histogram", "port": 8123, "schedule": [{"cron": "@daily", "min": 1}]}},
)


@pytest.fixture
def provider(tmp_path: Path) -> LocalProvider:
    return LocalProvider(SupervisorClient(tmp_path / "home"))


@pytest.fixture
def options(provider: LocalProvider) -> dict[str, WarmOption]:
    return {each.name: each for each in provider.warm_options(OF, DEMAND)}


def test_it_says_how_it_keeps_workers_warm(provider: LocalProvider) -> None:
    assert isinstance(provider, Warms)


def test_the_first_option_keeps_nothing_and_every_kind_is_offered(options: dict[str, WarmOption]) -> None:
    first, *_ = options.values()
    assert (first.kind, first.least, first.idle_s) == ("nothing", 0, 0)
    assert {each.kind for each in options.values()} == {"nothing", "pool", "kept", "histogram", "scheduled"}
    assert all(each.most == 4 for each in options.values())


def test_the_settings_of_an_option_make_the_pool_that_was_simulated(options: dict[str, WarmOption]) -> None:
    for option in options.values():
        after = changed(OF, "local", option.settings)
        told = read_options(after.provider["local"])
        assert (after.scaling.idle_s, told.keep_alive == "histogram") == (option.idle_s, option.adaptive)
        assert (after.scaling.min, after.scaling.warm) == (option.least, option.buffer)
        hours = [LeastHours(cron=each.cron, timezone=each.timezone, least=each.min) for each in told.schedule]
        assert tuple(hours) == option.hours
        assert told.port == 8123


def test_hours_keep_no_more_than_run_at_most(options: dict[str, WarmOption]) -> None:
    assert [each.least for each in options["by the hour, idle 60 s"].hours] == [4, 0]


def test_without_hours_in_the_demand_none_are_offered(provider: LocalProvider) -> None:
    found = provider.warm_options(OF, Demand(levels=(1,)))
    assert "scheduled" not in {each.kind for each in found}


def test_a_pool_is_in_the_table_of_scaling(provider: LocalProvider) -> None:
    settings = provider.warm_settings(project(), Pool(min=2, idle_s=60))
    assert settings == {"scaling.min": 2, "scaling.idle_s": 60}


def test_hours_give_way_to_a_number(provider: LocalProvider) -> None:
    settings = provider.warm_settings(OF, Pool(min=2))
    assert settings == {"scaling.min": 2, "provider.local.schedule": None}
