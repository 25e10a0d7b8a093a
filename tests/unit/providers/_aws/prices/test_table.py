import json
from datetime import date
from importlib.resources import files

import pytest

from preheat_providers._aws.prices import table
from preheat_providers._aws.prices.table import HOME, Prices

REGIONS = (
    "us-east-1",
    "us-east-2",
    "us-west-2",
    "eu-central-1",
    "eu-west-1",
    "ap-northeast-1",
    "ap-southeast-1",
)


@pytest.mark.parametrize("name", table.names())
def test_every_figure_names_its_source_and_the_day_it_was_read(name: str) -> None:
    price = Prices(HOME)[name]
    assert price.usd > 0
    assert price.unit
    assert price.source.startswith("https://")
    assert ".aws/" in price.source or "amazon.com/" in price.source or "amazonaws.com/" in price.source
    assert date(2026, 1, 1) <= date.fromisoformat(price.read) <= date(2026, 11, 21)


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("name", ["lambda_request", "lambda_gb_second_x86_64", "lambda_gb_second_arm64"])
def test_what_every_function_pays_is_known_in_every_listed_region(name: str, region: str) -> None:
    assert Prices(region)[name].region == region


def test_a_region_without_a_figure_is_priced_as_us_east_1_and_says_so() -> None:
    assert Prices("ap-south-2")["lambda_request"].region == HOME
    assert Prices("eu-west-1")["lambda_snapstart_cache"].region == HOME
    assert Prices(None)["lambda_request"].region == HOME


def test_arm_is_cheaper_than_x86_wherever_both_are_known() -> None:
    for name in ("lambda_gb_second", "lambda_provisioned", "lambda_provisioned_gb_second"):
        for region in REGIONS:
            arm, x86 = Prices(region)[f"{name}_arm64"], Prices(region)[f"{name}_x86_64"]
            assert arm.usd < x86.usd


def test_no_region_is_an_order_of_magnitude_from_another() -> None:
    text = files("preheat_providers._aws.prices").joinpath("prices.json").read_text(encoding="utf-8")
    for name, figure in json.loads(text)["figures"].items():
        assert set(figure["usd"]) <= set(REGIONS), name
        assert max(figure["usd"].values()) < 2 * min(figure["usd"].values()), name
