"""Functions of container images: pushed to ECR, deployed, changed, pruned and destroyed.

MiniStack checks nothing of an image's size or of who may read the repository, and takes a change from
archives to an image, which Lambda refuses: so does ours, before anybody is asked.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.fakes.aws.cloud import OPTIONS, SETTINGS, Cloud
from tests.fakes.aws.facts import Reader
from tests.fakes.aws.mailbox import Mailbox
from tests.fakes.aws.registry_door import Door, registry_door
from tests.fakes.aws.resources import stack_of
from tests.fakes.functions import Function, Functions
from tests.fakes.images import layer_of
from tests.fakes.registry import Registry, image_of, serving
from tests.fakes.sagemaker.workplace import base_image
from tests.functional.aws_lambda.stacks.conftest import PROJECTS
from tests.functional.aws_lambda.stacks.test_deploying import change_sets
from tests.functional.aws_lambda.stacks.test_jobs import finished

from preheat.errors import BundleError, ProviderError
from preheat.interface.message import Request
from preheat.progress import Event, Step, quiet
from preheat_providers.aws_lambda.provider import LambdaProvider
from preheat_providers.aws_lambda.template.names import (
    image_stack_name,
    log_group,
    repository_name,
    stack_name,
)

READY = {"warm": "provisioned", "provisioned": 2, "endpoint": "http-api", "auth": "jwt"}
JWT = {"jwt_issuer": "https://i/", "jwt_audience": ["a"]}
CALLED = {"warm": "schedule", "auth": "iam", "tracing": True}
CHANGES = (
    (READY | JWT, {"ready": 2, "schedules": {}, "apis": ["JWT https://i/ a"], "urls": []}),
    (
        CALLED,
        {
            "ready": 0,
            "schedules": {"keep_warm": "rate(5 minutes)"},
            "tracing": "Active",
            "apis": [],
            "urls": ["AWS_IAM"],
        },
    ),
)
KEEP_TWO = "[provider.aws_lambda]\nkeep_releases = 2\n\n[resources]"


@pytest.fixture(scope="module")
def door(cloud: Cloud) -> Iterator[Door]:
    with registry_door(cloud) as door:
        yield door


@pytest.fixture(scope="module")
def projects(door: Door, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Functions]:
    """Projects of images; the account that they are deployed to does not outlive them."""
    provider = LambdaProvider(reach=lambda host: door.host)
    folder = tmp_path_factory.mktemp("images")
    with base_image() as base:
        options = {**OPTIONS, "package": "image", "base_image": base}
        yield Functions(provider, folder, projects=PROJECTS, settings=SETTINGS, options=options)


@pytest.fixture
def reader(cloud: Cloud) -> Iterator[Reader]:
    made = Reader(cloud)
    yield made
    made.close()


@pytest.fixture
def plain(projects: Functions) -> Iterator[Function]:
    """A function that this test alone changes, not deployed yet."""
    function = projects.fresh("plain")
    yield function
    if function.provider.status(function.name, function.stage):
        function.provider.destroy(function.name, function.stage, report=quiet)


def images(function: Function, cloud: Cloud) -> set[str]:
    """The images in the function's repository, as versions name them."""
    repository = repository_name(function.name, function.stage)
    found = cloud.client("ecr").describe_images(repositoryName=repository)["imageDetails"]
    return {f"{repository}@{each['imageDigest']}" for each in found}


def described(function: Function, cloud: Cloud, qualifier: str = "live") -> Any:
    name = stack_name(function.name, function.stage)
    return cloud.client("lambda").get_function(FunctionName=name, Qualifier=qualifier)


def code(function: Function, cloud: Cloud, qualifier: str = "live") -> str:
    """The image of a version."""
    uri: str = described(function, cloud, qualifier)["Code"]["ImageUri"]
    assert uri.startswith("123456789012.dkr.ecr.us-east-1.amazonaws.com/")
    return uri.partition("/")[2]


def second(function: Function) -> Function:
    function.edit("handler.py", '"first"', '"second"')
    return function


def test_a_base_that_does_not_fit_is_told_of_before_anything_is_built(plain: Function) -> None:
    told: list[Event] = []
    with serving(Registry()) as registry:
        image_of(registry, "empty", [layer_of({"etc/motd": b"hi"})])
        options = {**plain.options, "base_image": f"{registry.host}/empty:latest"}
        with pytest.raises(BundleError, match="has no Python"):
            replace(plain, options=options).pipeline(told.append).deploy(plain.root)
    stages = [each.stage for each in told if isinstance(each, Step)]
    assert list(dict.fromkeys(stages)) == ["check", "image"]


def test_a_first_deploy_pushes_an_image_and_makes_a_function_of_it(plain: Function, cloud: Cloud) -> None:
    steps: list[Event] = []
    deployed = plain.pipeline(steps.append).deploy(plain.root)
    assert (deployed.changed, deployed.release) == (True, 1)
    assert plain.ask("you") == "first you"
    for name in (stack_name, image_stack_name):
        assert stack_of(cloud, name(plain.name, plain.stage))["StackStatus"] == "CREATE_COMPLETE"
    assert images(plain, cloud) == {code(plain, cloud)}
    found = described(plain, cloud)["Configuration"]
    assert (found["PackageType"], found["Runtime"], found["Layers"]) == ("Image", "", [])
    told = " ".join(step.text for step in steps if isinstance(step, Step))
    assert told.index("Images CREATE_COMPLETE") < told.index("naming it") < told.index("Function CREATE_")


def test_the_plan_says_what_ecr_lacks_and_a_redeploy_that_lacks_nothing_changes_nothing(
    plain: Function, cloud: Cloud
) -> None:
    plan = plain.plan()
    [note] = plan.notes
    assert note.endswith("which a deploy sends.")
    kinds = {change.kind for change in plan.changes}
    assert {"AWS::ECR::Repository", "AWS::Lambda::Function"} <= kinds
    assert "AWS::Lambda::LayerVersion" not in kinds
    plain.deploy()
    after, before = plain.plan(), cloud.inventory()
    assert after.changes == ()
    assert after.notes[0].endswith("all of which is in ECR.")
    assert not plain.deploy().changed
    assert cloud.inventory() == before
    second(plain)
    [note] = plain.plan().notes
    assert 0 < int(re.findall(r"ECR lacks ([\d,]+) bytes", note)[0].replace(",", "")) < 50_000


def test_new_code_goes_past_the_stack_and_sends_one_layer(plain: Function, cloud: Cloud, door: Door) -> None:
    plain.deploy()
    first, sent = code(plain, cloud), len(door.seen)
    deployed = second(plain).deploy()
    assert (deployed.changed, deployed.release) == (True, 2)
    assert plain.ask("you") == "second you"
    assert change_sets(cloud, plain) == 1
    uploads = [(method, size) for method, _, size in door.seen[sent:] if method in ("PATCH", "PUT")]
    assert 0 < sum(size for _, size in uploads) < 50_000
    assert images(plain, cloud) == {first, code(plain, cloud)}
    assert plain.plan().changes == ()


def test_code_that_the_stack_had_all_along_is_brought_back_with_more_memory(
    plain: Function, cloud: Cloud
) -> None:
    plain.deploy()
    first = code(plain, cloud)
    second(plain).deploy()
    plain.edit("handler.py", '"second"', '"first"')
    plain.edit("preheat.toml", "memory_mb = 512", "memory_mb = 640")
    plain.deploy()
    assert plain.ask("you") == "first you"
    assert code(plain, cloud) == first
    assert described(plain, cloud)["Configuration"]["MemorySize"] == 640
    assert plain.plan().changes == ()


def test_a_rollback_goes_to_the_image_before_and_the_plan_tells_of_it(plain: Function, cloud: Cloud) -> None:
    plain.deploy()
    first = code(plain, cloud)
    second(plain).deploy()
    assert plain.provider.rollback(plain.name, plain.stage, None).release == 1
    assert (plain.ask("you"), code(plain, cloud)) == ("first you", first)
    changed = {field.path for change in plain.plan().changes for field in change.fields}
    assert changed == {"Code.ImageUri", "Description", "Traffic"}
    plain.deploy()
    assert plain.ask("you") == "second you"
    assert plain.plan().changes == ()


def test_an_image_goes_with_the_last_release_that_has_it_and_that_of_the_stack_stays(
    plain: Function, cloud: Cloud
) -> None:
    plain.edit("preheat.toml", "[resources]", KEEP_TWO)
    plain.deploy()
    of_stack = code(plain, cloud)
    for before, after in (("first", "second"), ("second", "third"), ("third", "fourth")):
        plain.edit("handler.py", f'"{before}"', f'"{after}"')
        plain.deploy()
    assert [release.number for release in plain.releases()] == [4, 3, 1]
    assert images(plain, cloud) == {of_stack, code(plain, cloud, "3"), code(plain, cloud, "4")}


def test_uploads_and_jobs_run_in_an_image_which_has_to_bring_the_sdk_for_them(
    projects: Functions, cloud: Cloud
) -> None:
    function = projects.fresh("letters")
    for name in ("letters-in", "letters-out"):
        cloud.client("s3").create_bucket(Bucket=f"{function.name}-{name}")
        function.edit("preheat.toml", name, f"{function.name}-{name}")
    cloud.client("sqs").create_queue(QueueName=f"{function.name}-work")
    function.edit("preheat.toml", "letters-work", f"{function.name}-work")
    function.edit("preheat.toml", "[resources]", "[provider.aws_lambda]\njobs = true\n\n[resources]")
    deployment = function.deploy()
    results = Mailbox.of_bucket(cloud, f"{function.name}-letters-out")
    cloud.client("s3").put_object(Bucket=f"{function.name}-letters-in", Key="in/a.txt", Body=b"hello")
    results.keys({"results/in/a.txt.json"})
    job = function.provider.submit(
        function.name, function.stage, Request(body=b"hello", content_type="text/plain", id="r")
    )
    assert finished(cloud, deployment, job)["status"] == "succeeded"


def test_an_image_is_kept_ready_behind_an_api_and_then_called_in_time_behind_a_url(
    plain: Function, cloud: Cloud, reader: Reader
) -> None:
    for options, facts in CHANGES:
        function = replace(plain, options={**plain.options, **options})
        function.deploy()
        assert function.plan().changes == ()
        name, stage = function.name, function.stage
        assert facts.items() <= reader.facts(stack_name(name, stage), log_group(name, stage)).items()


def test_destroy_leaves_nothing_and_its_receipt_names_the_repository(plain: Function, cloud: Cloud) -> None:
    before = cloud.inventory()
    plain.deploy()
    second(plain).deploy()
    receipt = plain.provider.destroy(plain.name, plain.stage, report=quiet)
    assert (cloud.inventory(), receipt.left) == (before, ())
    told = "\n".join(receipt.removed)
    assert repository_name(plain.name, plain.stage) in told
    assert stack_name(plain.name, plain.stage) in told
    left = cloud.client("ecr").describe_repositories()["repositories"]
    assert plain.name not in str(left)


def test_a_function_of_archives_cannot_become_one_of_an_image_and_nothing_is_sent(
    functions: Functions, projects: Functions, cloud: Cloud, door: Door
) -> None:
    archives = functions.fresh("plain")
    archives.deploy()
    plain = projects.fresh("plain")
    plain.edit("preheat.toml", f'name = "{plain.name}"', f'name = "{archives.name}"')
    before, sent = cloud.inventory(), len(door.seen)
    with pytest.raises(ProviderError, match="is made of archives, and Lambda makes no function") as caught:
        plain.deploy()
    assert str(caught.value.hint).startswith(f"preheat destroy {archives.name} --provider lambda")
    assert cloud.inventory() == before
    assert {method for method, _, _ in door.seen[sent:]} <= {"GET", "HEAD"}
    assert archives.ask("you") == "first you"
