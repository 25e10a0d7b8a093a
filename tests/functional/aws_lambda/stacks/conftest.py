"""AWS on the loopback, and functions that the pipeline has deployed to it.

What stands for AWS, and what it shows:

* MiniStack, over HTTP with real boto3: CloudFormation (change sets, events, rollback, deletion), Lambda's
  versions, aliases, layers and Function URLs, S3 to EventBridge to SQS to the function, schedules, dead
  letters, log groups, and IAM: signatures are checked, and a role may do what its policies allow.
* In it, the real aws-lambda-rie and awslambdaric run the function (`tests.fakes.aws.execution`).

What neither shows, and only the cloud would: what a stack takes in time and what Lambda does while a change
is in progress; what is checked by Lambda and not by MiniStack (runtimes, memory, names, the role that is
passed); the lines that Lambda itself logs, which MiniStack writes as text also where JSON is asked for;
what events say of their sender; retries of asynchronous calls as an alias configures them, which MiniStack
reads from the function only; SnapStart, provisioned concurrency and cold starts; the permissions of
services (EventBridge to SQS, the scheduler's role), which nothing asks about; metrics that come late.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.aws.cloud import ACCOUNT, OPTIONS, SETTINGS, Cloud, account
from tests.fakes.aws.ministack import Ministack
from tests.fakes.functions import Function, Functions

from preheat.provider.protocol import Provider
from preheat.provider.registry import Registry

PROJECTS = Path(__file__).parent / "projects"


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep these tests in one process: they share the server and its functions."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("lambda-stacks"))
            item.add_marker(pytest.mark.runtime)
            item.add_marker(pytest.mark.index)


@pytest.fixture(scope="package")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """An account, and local state of its own."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PREHEAT_HOME", str(tmp_path_factory.mktemp("home")))
        environment.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        # Where a request has no signature, MiniStack looks for the API that it is for in this account.
        with account(Ministack(env={"MINISTACK_ACCOUNT_ID": ACCOUNT})) as cloud:
            yield cloud


@pytest.fixture(scope="package")
def provider(cloud: Cloud) -> Provider:
    """The provider, as the command line finds it."""
    return Registry.installed().get("aws_lambda")


@pytest.fixture(scope="package")
def functions(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Functions:
    """The projects beside this file; the server that they are deployed to does not outlive them."""
    folder = tmp_path_factory.mktemp("projects")
    return Functions(provider, folder, projects=PROJECTS, settings=SETTINGS, options=OPTIONS)


@pytest.fixture(scope="package")
def letters(functions: Functions, cloud: Cloud) -> Function:
    """The function that every test may send events to."""
    for bucket in ("letters-in", "letters-out", "others"):
        cloud.client("s3").create_bucket(Bucket=bucket)
    cloud.client("sqs").create_queue(QueueName="letters-work")
    return functions.shared("letters")
