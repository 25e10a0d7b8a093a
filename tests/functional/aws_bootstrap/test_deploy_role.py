"""What the deploy role may do is enough for every command, and no more: MiniStack asks IAM at each call.

It asks nothing of what CloudFormation does in its stacks, and does not know the condition
iam:PermissionsBoundary: the rules for roles are only read, in the unit tests.
"""

import json
import platform
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.aws.bootstrapping import Account
from tests.fakes.aws.registry_door import registry_door
from tests.fakes.environments import PYTHON
from tests.fakes.functions import Function, Functions
from tests.fakes.sagemaker.workplace import base_image

from preheat.errors import ProviderError
from preheat_providers.aws_lambda.provider import LambdaProvider
from preheat_providers.aws_lambda.template.names import repository_name

PROJECTS = Path(__file__).parents[1] / "aws_lambda" / "stacks" / "projects"
SETTINGS = f'python = "{PYTHON}"\n'
ARCHITECTURE = "arm64" if platform.machine() == "aarch64" else "x86_64"


@pytest.fixture
def provider(account: Account, tmp_path: Path) -> LambdaProvider:
    """The provider with the keys of somebody who may do what the deploy role may."""
    account.trust_github()
    account.bootstrap(repository="acme/models", environment="prod")
    # MiniStack has no TLS, without which the bucket answers nobody.
    account.session.client("s3").delete_bucket_policy(Bucket=account.default_bucket)
    return LambdaProvider(environment=account.as_deployer(), home=lambda: tmp_path / "home")


@pytest.fixture
def function(account: Account, provider: LambdaProvider, tmp_path: Path) -> Function:
    """A project of one file, whose role is within the boundary."""
    options = {"architecture": ARCHITECTURE, **account.bootstrap().settings}
    functions = Functions(provider, tmp_path, projects=PROJECTS, settings=SETTINGS, options=options)
    return functions.fresh("plain")


@pytest.mark.runtime
def test_the_deploy_role_can_do_everything_that_a_function_needs(
    function: Function, provider: LambdaProvider
) -> None:
    assert function.deploy().changed
    assert not function.deploy().changed
    assert function.ask("you") == "first you"
    assert function.status().ready
    function.edit("handler.py", '"first"', '"second"')
    assert function.deploy().release == 2
    assert [release.number for release in function.releases()] == [2, 1]
    assert provider.rollback(function.name, function.stage, None).release == 1
    assert provider.promote(function.name, function.stage, canary=0.1).release == 1
    assert provider.firing(function.name, function.stage, ()) == ()
    list(provider.logs(function.name, function.stage, follow=False))
    receipt = provider.destroy(function.name, function.stage, report=lambda _event: None)
    assert receipt.left == ()


@pytest.mark.runtime
def test_the_deploy_role_can_do_everything_that_a_function_of_an_image_needs(
    account: Account, provider: LambdaProvider, tmp_path: Path
) -> None:
    with base_image() as base, registry_door(account) as door:
        provider = LambdaProvider(
            environment=account.as_deployer(), home=lambda: tmp_path / "home", reach=lambda host: door.host
        )
        image = {"package": "image", "base_image": base, "keep_releases": 2}
        options = {"architecture": ARCHITECTURE, **account.bootstrap().settings, **image}
        functions = Functions(provider, tmp_path, projects=PROJECTS, settings=SETTINGS, options=options)
        function = functions.fresh("plain")
        for before, after in (("first", "first"), ("first", "second"), ("second", "third"), ("third", "4th")):
            function.edit("handler.py", f'"{before}"', f'"{after}"')
            function.deploy()
        assert function.ask("you") == "4th you"
        images = account.client("ecr").describe_images(
            repositoryName=repository_name(function.name, function.stage)
        )
        assert len(images["imageDetails"]) == 3
        receipt = provider.destroy(function.name, function.stage, report=lambda _event: None)
        assert receipt.left == ()
        assert account.client("ecr").describe_repositories()["repositories"] == []


@pytest.mark.runtime
@pytest.mark.parametrize(
    "missing",
    [
        "s3:PutObject",
        "cloudformation:CreateChangeSet",
        "cloudformation:ExecuteChangeSet",
        "lambda:UpdateFunctionCode",
        "lambda:PublishVersion",
    ],
)
def test_a_deploy_that_lacks_a_permission_names_it(
    account: Account, function: Function, tmp_path: Path, missing: str
) -> None:
    if missing.startswith("lambda:"):
        function.deploy()
        function.edit("handler.py", '"first"', '"second"')
    lacking = LambdaProvider(environment=account.as_deployer(without=missing), home=lambda: tmp_path / "home")
    with pytest.raises(ProviderError) as caught:
        replace(function, provider=lacking).deploy()
    assert missing in f"{caught.value.message} {caught.value.hint}"


def test_the_bucket_answers_nobody_without_tls(account: Account) -> None:
    account.trust_github()
    account.bootstrap(repository="acme/models", environment="prod")
    s3 = account.seen_with(account.as_deployer()).session.client("s3")
    with pytest.raises(s3.exceptions.ClientError, match="explicit deny in a resource-based policy"):
        s3.put_object(Bucket=account.default_bucket, Key="preheat/a", Body=b"a")
    account.session.client("s3").delete_bucket_policy(Bucket=account.default_bucket)
    s3.put_object(Bucket=account.default_bucket, Key="preheat/a", Body=b"a")


def test_the_deploy_role_cannot_change_what_bootstrap_made(
    account: Account, provider: LambdaProvider
) -> None:
    environ = account.as_deployer()
    with pytest.raises(ProviderError, match="AccessDenied"):
        account.seen_with(environ).stacks.delete("preheat-bootstrap", report=lambda _event: None)
    iam = account.seen_with(environ).session.client("iam")
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    with pytest.raises(iam.exceptions.ClientError, match="AccessDenied"):
        iam.put_role_policy(
            RoleName=f"preheat-deploy-{account.region}", PolicyName="deploy", PolicyDocument=policy
        )
    s3 = account.seen_with(environ).session.client("s3")
    with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
        s3.delete_bucket_policy(Bucket=account.default_bucket)
