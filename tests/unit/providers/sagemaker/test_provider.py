import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from tests.fakes.bundle import FakeBuild
from tests.fakes.sagemaker_templates import project

from preheat.errors import ProviderError
from preheat.progress import quiet
from preheat.provider.protocol import Bootstraps, Provider, Remarks
from preheat.provider.registry import Registry
from preheat_providers.sagemaker.provider import SagemakerProvider


@pytest.fixture
def provider(tmp_path: Path) -> SagemakerProvider:
    return SagemakerProvider(environment={"AWS_REGION": "eu-central-1"}, home=lambda: tmp_path)


def test_it_is_found_by_its_name_and_names_the_extra_that_it_needs() -> None:
    found: Provider = Registry.installed().get("sagemaker")
    assert isinstance(found, SagemakerProvider)
    (entry,) = entry_points(group="preheat.providers", name="sagemaker")
    assert list(entry.extras) == ["aws"]


def test_what_an_account_needs_once_can_be_set_up(provider: SagemakerProvider) -> None:
    assert isinstance(provider, Bootstraps)
    assert "Resources" in json.loads(provider.bootstrap_template())


def test_checking_and_building_need_no_sdk() -> None:
    code = (
        "import sys\n"
        "from preheat_providers.sagemaker.provider import sagemaker_provider\n"
        "sagemaker_provider().options_schema()\n"
        "print(sorted(name for name in sys.modules if name in ('boto3', 'botocore', 'httpx')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_secret_without_a_value_is_found_before_anything_is_built(provider: SagemakerProvider) -> None:
    (finding,) = provider.check(project(secrets={"API_KEY": "env:NOT_SET"}))
    assert (finding.key, finding.fix) == ("secrets.API_KEY", "export NOT_SET=...")


def test_without_a_region_it_says_where_to_name_one(tmp_path: Path) -> None:
    nowhere = SagemakerProvider(environment={"AWS_CONFIG_FILE": "/dev/null"}, home=lambda: tmp_path)
    with pytest.raises(ProviderError, match="No AWS region is known"):
        nowhere.observe("ocr", "dev")


def test_weights_that_come_from_s3_go_apart(provider: SagemakerProvider) -> None:
    assert provider.target(project()).apart == ()
    assert provider.target(project(provider={"sagemaker": {"weights": "s3"}})).apart == ("weights",)


def test_who_reads_a_plan_is_told_of_a_machine_whose_price_is_not_known(provider: SagemakerProvider) -> None:
    assert isinstance(provider, Remarks)
    known, unknown = project(), project(provider={"sagemaker": {"instance_type": "ml.p5.48xlarge"}})
    built = FakeBuild()(known, provider.target(known), report=quiet)
    assert provider.remarks(known, built) == ()
    (said,) = provider.remarks(unknown, built)
    assert said.startswith("The price of ml.p5.48xlarge is not in preheat's table")
