import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from tests.fakes.lambda_templates import project

from preheat.errors import ProviderError
from preheat.provider.protocol import Bootstraps, Provider
from preheat.provider.registry import Registry
from preheat_providers.aws_lambda.provider import LambdaProvider


@pytest.fixture
def provider(tmp_path: Path) -> LambdaProvider:
    return LambdaProvider(environment={"AWS_REGION": "eu-central-1"}, home=lambda: tmp_path)


@pytest.mark.parametrize("name", ["aws_lambda", "aws-lambda", "lambda"])
def test_it_has_three_names(name: str) -> None:
    found: Provider = Registry.installed().get(name)
    assert isinstance(found, LambdaProvider)
    assert found.name == "aws_lambda"


def test_the_extra_that_it_needs_is_named() -> None:
    (entry,) = entry_points(group="preheat.providers", name="aws_lambda")
    assert list(entry.extras) == ["aws"]


def test_what_an_account_needs_once_can_be_set_up(provider: LambdaProvider) -> None:
    assert isinstance(provider, Bootstraps)
    assert "Resources" in json.loads(provider.bootstrap_template())


def test_checking_and_building_for_lambda_need_no_sdk() -> None:
    code = (
        "import sys\n"
        "from preheat_providers.aws_lambda.provider import lambda_provider\n"
        "lambda_provider().options_schema()\n"
        "print(sorted(name for name in sys.modules if name in ('boto3', 'botocore')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_secret_without_a_value_is_found_before_anything_is_built(provider: LambdaProvider) -> None:
    (finding,) = provider.check(project(secrets={"API_KEY": "env:NOT_SET"}))
    assert (finding.key, finding.fix) == ("secrets.API_KEY", "export NOT_SET=...")


def test_without_a_region_it_says_where_to_name_one(tmp_path: Path) -> None:
    nowhere = LambdaProvider(environment={"AWS_CONFIG_FILE": "/dev/null"}, home=lambda: tmp_path)
    with pytest.raises(ProviderError, match="No AWS region is known") as caught:
        nowhere.observe("ocr", "dev")
    assert "AWS_REGION" in str(caught.value.hint)
