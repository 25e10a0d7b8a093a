from pathlib import Path
from typing import Any, Literal

import pytest
from tests.fakes.lambda_templates import project
from tests.fakes.warming import replayed, trace

from preheat.errors import ProviderError
from preheat.project.model import Resources
from preheat.provider.protocol import Pool
from preheat.provider.warm_options import Demand, LeastHours, WarmOption, Warms
from preheat.warming.planner import MONTH_S, month_usd
from preheat.warming.possible import changed, possible
from preheat.warming.simulate import Outcome
from preheat_providers._aws.prices.table import Prices
from preheat_providers.aws_lambda.options import Options, read_options
from preheat_providers.aws_lambda.provider import LambdaProvider
from preheat_providers.aws_lambda.warming import LIFETIME_S, warm_settings

HOURS = (
    LeastHours(cron="0 8 * * *", timezone="UTC", least=3),
    LeastHours(cron="0 18 * * *", timezone="UTC", least=0),
)
DEMAND = Demand(levels=(1, 3), hours=HOURS)
OF = project(
    resources=Resources(memory_mb=2048),
    provider={"aws_lambda": {"warm": "provisioned", "provisioned": 7, "region": "us-east-1"}},
)
PRICES = Prices("us-east-1")
SECOND = 2 * PRICES["lambda_gb_second_x86_64"].usd
CALL = PRICES["lambda_request"].usd


@pytest.fixture
def provider(tmp_path: Path) -> LambdaProvider:
    return LambdaProvider(environment={}, home=lambda: tmp_path)


@pytest.fixture
def options(provider: LambdaProvider) -> dict[str, WarmOption]:
    return {each.name: each for each in provider.warm_options(OF, DEMAND)}


def paid(option: WarmOption, outcome: Outcome) -> float:
    """Return what the replayed time costs, without what is paid by the month."""
    return (month_usd(option.rates, outcome) - option.rates.month) * outcome.duration_s / MONTH_S


def test_it_says_how_it_keeps_environments_warm(provider: LambdaProvider) -> None:
    assert isinstance(provider, Warms)


def test_the_first_option_is_to_do_nothing_and_every_kind_is_offered(options: dict[str, WarmOption]) -> None:
    kinds = [each.kind for each in options.values()]
    assert kinds[0] == "nothing"
    assert set(kinds) == {"nothing", "snapshot", "pings", "kept", "scheduled"}
    assert all(each.bound and each.lifetime_s == LIFETIME_S for each in options.values())


def test_lambda_takes_every_option_and_its_settings_are_what_was_simulated(
    provider: LambdaProvider, options: dict[str, WarmOption]
) -> None:
    assert possible(provider, OF, options.values()) == (list(options.values()), [])
    for option in options.values():
        told = read_options(changed(OF, "aws_lambda", option.settings).provider["aws_lambda"])
        assert told.region == "us-east-1"
        fixed = told.warm == "provisioned" and not told.provisioned_schedule
        assert (told.provisioned if fixed else 0) == option.least
        hours = [LeastHours(cron=h.cron, timezone=h.timezone, least=h.min) for h in told.provisioned_schedule]
        assert tuple(hours) == option.hours
        if option.ping_every_s is not None:
            assert told.schedule_minutes == option.ping_every_s / 60


def test_what_runs_and_what_starts_is_paid_by_the_second_and_every_call(
    options: dict[str, WarmOption],
) -> None:
    outcome = replayed(trace(0, 1000), cold_s=3, service_s=1, bound=True, idle_s=600)
    assert paid(options['warm = "none"'], outcome) == pytest.approx(2 * (3 + 1) * SECOND + 2 * CALL)


def test_requests_through_the_gateway_are_paid_there_too_and_pings_are_not(provider: LambdaProvider) -> None:
    plain = project()
    gateway = project(provider={"aws_lambda": {"endpoint": "http-api"}})
    for before, after in zip(
        provider.warm_options(plain, DEMAND), provider.warm_options(gateway, DEMAND), strict=True
    ):
        more = after.rates.request - before.rates.request
        assert more == pytest.approx(PRICES["http_api_request"].usd)
        assert after.rates.ping == before.rates.ping


def test_a_snapshot_is_kept_by_the_month_and_restored_by_the_start(options: dict[str, WarmOption]) -> None:
    option = options['warm = "snapstart"']
    outcome = replayed(trace(0, 1000), bound=True)
    month = 2 * 2 * 730 * 3600 * PRICES["lambda_snapstart_cache"].usd
    assert option.rates.month == pytest.approx(month)
    restored = 2 * 2 * PRICES["lambda_snapstart_restore"].usd
    assert paid(option, outcome) == pytest.approx(restored + 2 * CALL, rel=1e-4)


def test_a_provisioned_environment_has_prices_of_its_own(options: dict[str, WarmOption]) -> None:
    outcome = replayed(trace(0, 1000), service_s=10, least=1, bound=True)
    kept = outcome.duration_s * 2 * PRICES["lambda_provisioned_x86_64"].usd
    busy = 2 * 10 * 2 * PRICES["lambda_provisioned_gb_second_x86_64"].usd
    assert paid(options['warm = "provisioned", 1'], outcome) == pytest.approx(kept + busy + 2 * CALL)


def test_a_ping_is_a_call_that_a_schedule_makes(options: dict[str, WarmOption]) -> None:
    option = options['warm = "schedule", 5 min']
    outcome = replayed(trace(0, 899), least=1, ping_every_s=option.ping_every_s)
    scheduled = outcome.pings * PRICES["scheduler_invocation"].usd
    calls = (2 + outcome.pings) * CALL
    assert outcome.pings == 6
    assert paid(option, outcome) == pytest.approx(scheduled + calls, rel=1e-4)


def test_reserved_concurrency_is_the_most(provider: LambdaProvider) -> None:
    of = project(provider={"aws_lambda": {"reserved_concurrency": 2}})
    found = provider.warm_options(of, DEMAND)
    assert {each.most for each in found} == {2}
    _, refused = possible(provider, of, found)
    assert ('warm = "provisioned", 3', "2 workers are the most that run.") in refused


def test_a_number_is_provisioned_and_none_is_a_way_too() -> None:
    two = warm_settings(Options(), Pool(min=2))
    assert (two["provider.aws_lambda.warm"], two["provider.aws_lambda.provisioned"]) == ("provisioned", 2)
    none = warm_settings(Options(warm="provisioned"), Pool(min=0))
    assert (none["provider.aws_lambda.warm"], none["provider.aws_lambda.provisioned"]) == ("none", None)


@pytest.mark.parametrize("warm", ["snapstart", "schedule", "none"])
def test_none_at_all_takes_away_only_what_is_provisioned(
    warm: Literal["snapstart", "schedule", "none"],
) -> None:
    assert warm_settings(Options(warm=warm), Pool(min=0)) == {}


def test_hours_give_way_to_a_number() -> None:
    table = {"warm": "provisioned", "provisioned_schedule": [{"cron": "0 8 * * *", "min": 1, "max": 1}]}
    for least in (0, 2):
        settings = warm_settings(read_options(table), Pool(min=least))
        assert settings["provider.aws_lambda.provisioned_schedule"] is None
    assert "provider.aws_lambda.provisioned_schedule" not in warm_settings(Options(), Pool(min=2))


@pytest.mark.parametrize("more", [{"buffer": 1}, {"max": 4}, {"idle_s": 60}])
def test_what_only_lambda_decides_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(ProviderError, match="are its own") as refused:
        warm_settings(Options(), Pool(min=1, **more))
    assert refused.value.hint == "preheat warm set 2 --provider aws_lambda"


def test_a_snapshot_is_no_choice_for_an_image_and_everything_else_is(provider: LambdaProvider) -> None:
    image = project(provider={"aws_lambda": {"package": "image"}})
    every, found = ({each.name for each in provider.warm_options(of, DEMAND)} for of in (project(), image))
    assert every - found == {'warm = "snapstart"'}
    assert found <= every
