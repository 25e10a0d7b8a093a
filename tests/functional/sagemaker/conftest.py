"""An account with endpoints, and projects that the pipeline deploys to it.

What stands for AWS, and what it shows:

* MiniStack, over HTTP with real boto3: CloudFormation (change sets, events, rollback, deletion), ECR with its
  login, Lambda, S3 to EventBridge, log groups, alarms, and IAM: a small function may do what its role allows.
* In it, the real aws-lambda-rie and awslambdaric run the front and the forwarder.
* Our own control plane and asynchronous endpoints (`tests.fakes.sagemaker`) stand for SageMaker.

What none of them shows, and only the cloud would: how long anything takes, scaling, quotas that matter,
whether SageMaker's role may read what it must, and everything about SageMaker that is not documented.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.functions import Functions
from tests.fakes.sagemaker.account import Account, sagemaker_account
from tests.fakes.sagemaker.workplace import SETTINGS, base_image, provider_of

from preheat.provider.protocol import Provider

HERE = Path(__file__).parent
PROJECTS = HERE / "deploying" / "projects"
WHOLE = (HERE / "deploying", HERE / "flow")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep these tests in one process: they share the account."""
    for item in items:
        if any(folder in item.path.parents for folder in WHOLE):
            item.add_marker(pytest.mark.xdist_group("sagemaker-stacks"))
            item.add_marker(pytest.mark.runtime)
            item.add_marker(pytest.mark.index)


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account, and local state of its own."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PREHEAT_HOME", str(tmp_path_factory.mktemp("home")))
        environment.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        with sagemaker_account() as account:
            for bucket in ("words-in", "words-out"):
                account.cloud.client("s3").create_bucket(Bucket=bucket)
            yield account


@pytest.fixture(scope="session")
def base() -> Iterator[str]:
    """Debian's Python in a registry."""
    with base_image() as name:
        yield name


@pytest.fixture(scope="session")
def provider(account: Account) -> Provider:
    """The provider of that account."""
    return provider_of(account)


@pytest.fixture(scope="session")
def functions(provider: Provider, base: str, tmp_path_factory: pytest.TempPathFactory) -> Functions:
    """The projects; the account that they are deployed to does not outlive them."""
    return Functions(
        provider,
        tmp_path_factory.mktemp("projects"),
        projects=PROJECTS,
        settings=SETTINGS,
        options={"base_image": base, "instance_type": "ml.m5.large"},
    )
