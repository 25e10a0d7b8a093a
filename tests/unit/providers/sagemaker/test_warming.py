from pathlib import Path
from typing import Any

import pytest
from tests.fakes.sagemaker_templates import project
from tests.fakes.warming import replayed, trace

from preheat.errors import ProviderError
from preheat.project.model import Project, Resources, Scaling
from preheat.provider.protocol import Pool
from preheat.provider.warm_options import Demand, LeastHours, WarmOption, Warms
from preheat.warming.planner import month_usd
from preheat.warming.possible import changed
from preheat_providers._aws.prices.table import Prices
from preheat_providers.sagemaker.costs import DOWN_S, WAKE_S
from preheat_providers.sagemaker.options import Options, read_options
from preheat_providers.sagemaker.provider import SagemakerProvider
from preheat_providers.sagemaker.warming import warm_options, warm_settings

HOURS = (
    LeastHours(cron="0 8 * * *", timezone="UTC", least=3),
    LeastHours(cron="0 18 * * *", timezone="UTC", least=0),
)
DEMAND = Demand(levels=(1, 3), hours=HOURS)
G5_HOUR = 1.408


def of(**table: Any) -> Project:
    return project(
        resources=Resources(gpu="A10G", memory_mb=8192),
        scaling=Scaling(max=5, idle_s=60),
        provider={"sagemaker": table},
    )


def offered(**table: Any) -> dict[str, WarmOption]:
    found = warm_options(of(**table), read_options(table), DEMAND, region="us-east-1")
    return {each.name: each for each in found}


def test_it_says_how_it_keeps_instances(tmp_path: Path) -> None:
    provider = SagemakerProvider(environment={"AWS_REGION": "us-east-1"}, home=lambda: tmp_path)
    assert isinstance(provider, Warms)
    assert {each.name for each in provider.warm_options(of(), DEMAND)} == set(offered())


def test_asleep_is_to_do_nothing_and_numbers_and_hours_are_offered() -> None:
    found = offered()
    assert [each.kind for each in found.values()] == ["nothing", "kept", "kept", "scheduled"]
    assert [each.least for each in found.values()] == [0, 1, 3, 0]
    assert all((each.most, each.idle_s) == (5, DOWN_S + 60) for each in found.values())


def test_a_realtime_endpoint_has_an_instance_at_least_at_any_hour() -> None:
    found = offered(mode="realtime")
    assert [each.least for each in found.values()] == [1, 3, 1]
    assert [each.least for each in found["by the hour"].hours] == [3, 1]
    assert {each.backlog for each in found.values()} == {0}


def test_an_instance_takes_minutes_to_come_and_one_comes_for_a_backlog() -> None:
    found = offered(backlog=7)
    assert {(each.start_extra_s, each.backlog) for each in found.values()} == {(WAKE_S[1], 7)}


def test_the_settings_of_an_option_are_what_was_simulated() -> None:
    for option in offered().values():
        before = of(schedule=[{"cron": "0 0 * * *", "min": 2, "max": 2}])
        after = changed(before, "sagemaker", option.settings)
        told = read_options(after.provider["sagemaker"])
        assert after.scaling.min == option.least
        hours = [LeastHours(cron=each.cron, timezone=each.timezone, least=each.min) for each in told.schedule]
        assert tuple(hours) == option.hours


def test_an_instance_is_paid_by_the_hour_whatever_it_does() -> None:
    option = offered()["min 3"]
    assert month_usd(option.rates, replayed(trace(0, 1000), least=3)) == pytest.approx(3 * 730 * G5_HOUR)


def test_serverless_is_paid_while_it_runs_and_has_nothing_to_keep() -> None:
    table = {"mode": "serverless", "serverless_concurrency": 9}
    plain = project(resources=Resources(memory_mb=4096), provider={"sagemaker": table})
    (option,) = warm_options(plain, read_options(table), DEMAND, region="us-east-1")
    assert (option.kind, option.most, option.bound) == ("nothing", 9, True)
    outcome = replayed(trace(0, 1000), service_s=5, bound=True)
    second = 4 * Prices("us-east-1")["sagemaker_serverless_gb_second"].usd
    per_month = 730 * 3600 / outcome.duration_s
    assert month_usd(option.rates, outcome) == pytest.approx(2 * 5 * second * per_month)


def test_a_machine_without_a_price_is_not_compared() -> None:
    with pytest.raises(ProviderError, match=r"No price is known for ml\.x9\.huge"):
        offered(instance_type="ml.x9.huge")


def test_a_pool_is_in_the_table_of_scaling() -> None:
    settings = warm_settings(Options(), Pool(min=2, max=4, idle_s=300))
    assert settings == {"scaling.min": 2, "scaling.max": 4, "scaling.idle_s": 300}


def test_hours_give_way_to_a_number() -> None:
    options = read_options({"schedule": [{"cron": "0 0 * * *", "min": 2, "max": 2}]})
    assert warm_settings(options, Pool(min=1)) == {"scaling.min": 1, "provider.sagemaker.schedule": None}


@pytest.mark.parametrize(
    ("options", "pool", "what"),
    [
        (Options(mode="serverless"), Pool(min=1), "no instances to keep"),
        (Options(), Pool(min=1, buffer=1), "no instances beside the busy ones"),
    ],
)
def test_what_sagemaker_does_not_keep_is_refused(options: Options, pool: Pool, what: str) -> None:
    with pytest.raises(ProviderError, match=what):
        warm_settings(options, pool)
