"""Deploying: what is made, what an edit sends, and which release answers."""

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from tests.fakes.aws.cloud import BUCKET
from tests.fakes.aws.resources import stack_of
from tests.fakes.functions import Function
from tests.fakes.patience import PATIENCE_S
from tests.fakes.sagemaker.account import Account

from preheat.errors import ProviderError
from preheat.interface.message import Request
from preheat.progress import Event, Step, quiet
from preheat_providers.sagemaker.template.names import (
    endpoint_name,
    image_stack_name,
    object_prefix,
    repository_name,
    stack_name,
)


def config_of(function: Function, account: Account) -> str:
    """The endpoint config that answers."""
    return account.plane.endpoints[endpoint_name(function.name, "dev")].config


def model_of(function: Function, account: Account) -> str:
    """The model of that config."""
    (variant,) = account.plane.configs[config_of(function, account)]["ProductionVariants"]
    name: str = variant["ModelName"]
    return name


def records(function: Function, account: Account) -> dict[str, Any]:
    prefix = f"{object_prefix(function.name, 'dev')}releases/"
    found = account.cloud.objects(BUCKET, prefix)
    return {key.removeprefix(prefix): json.loads(body) for key, body in found.items()}


def numbers(function: Function) -> list[tuple[int, bool]]:
    return [(each.number, each.active) for each in function.releases()]


def events(function: Function, account: Account) -> list[str]:
    """What has happened to the stack, oldest first."""
    pages = account.cloud.client("cloudformation").get_paginator("describe_stack_events")
    found = [
        f"{each['LogicalResourceId']} {each['ResourceStatus']}"
        for page in pages.paginate(StackName=stack_name(function.name, "dev"))
        for each in page["StackEvents"]
    ]
    return found[::-1]


def second(function: Function) -> Function:
    """The function with another release, which is not deployed yet."""
    function.edit("handler.py", '"first"', '"second"')
    return function


def test_a_first_deploy_pushes_an_image_and_makes_an_endpoint_of_it(
    words: Function, account: Account
) -> None:
    steps: list[Event] = []
    deployed = words.pipeline(steps.append).deploy(words.root)
    assert (deployed.changed, deployed.release) == (True, 1)
    assert deployed.token is not None
    for stack in (stack_name(words.name, "dev"), image_stack_name(words.name, "dev")):
        assert stack_of(account.cloud, stack)["StackStatus"] == "CREATE_COMPLETE"
    repository = repository_name(words.name, "dev")
    [image] = account.cloud.client("ecr").describe_images(repositoryName=repository)["imageDetails"]
    variant = account.plane.configs[config_of(words, account)]["ProductionVariants"][0]
    container = account.plane.models[variant["ModelName"]]["PrimaryContainer"]
    assert container["Image"].endswith(f"/{repository}@{image['imageDigest']}")
    assert container["Environment"]["PREHEAT_STAGE"] == "dev"
    assert variant["InstanceType"] == "ml.m5.large"
    told = " ".join(step.text for step in steps if isinstance(step, Step) and step.stage == "apply")
    assert "Endpoint CREATE_COMPLETE" in told


def test_an_unchanged_redeploy_asks_and_changes_nothing(words: Function, account: Account) -> None:
    first = words.deploy()
    before, calls = account.cloud.inventory(), len(account.plane.seen)
    assert words.plan().changes == ()
    again = words.deploy()
    assert (again.changed, again.release, again.endpoint) == (False, 1, first.endpoint)
    assert account.cloud.inventory() == before
    assert set(account.plane.seen[calls:]) == {"DescribeEndpoint"}


def test_an_edit_sends_the_code_alone_and_makes_a_release_beside_the_one_before(
    words: Function, account: Account
) -> None:
    words.deploy()
    first, sent = config_of(words, account), len(account.door.seen)
    assert second(words).deploy().release == 2
    uploads = [(method, size) for method, _, size in account.door.seen[sent:] if method in ("PATCH", "PUT")]
    assert 0 < sum(size for _, size in uploads) < 50_000
    assert config_of(words, account) != first
    assert first in account.plane.configs
    assert numbers(words) == [(2, True), (1, False)]
    assert sorted(records(words, account)) == ["000001.json", "000002.json"]


def test_a_rollback_is_an_update_to_the_config_before_and_the_plan_tells_of_it(
    words: Function, account: Account
) -> None:
    words.deploy()
    first = config_of(words, account)
    second(words).deploy()
    gone_back = words.provider.rollback(words.name, "dev", None)
    assert (gone_back.release, gone_back.changed) == (1, True)
    assert config_of(words, account) == first
    update = account.plane.endpoints[endpoint_name(words.name, "dev")].updates[-1]
    assert update["RetainAllVariantProperties"] is True
    alarms = update["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]
    assert alarms == [{"AlarmName": f"{endpoint_name(words.name, 'dev')}-endpoint-errors"}]
    assert numbers(words) == [(2, False), (1, True)]
    [change] = words.plan().changes
    assert [(field.path, field.before) for field in change.fields] == [("Traffic", "all to release 1")]
    assert words.deploy().release == 2
    assert words.plan().changes == ()


def test_a_new_release_after_a_rollback_has_a_new_number(words: Function, account: Account) -> None:
    words.deploy()
    second(words).deploy()
    words.provider.rollback(words.name, "dev", 1)
    words.edit("handler.py", '"second"', '"third"')
    assert words.deploy().release == 3
    assert numbers(words) == [(3, True), (2, False), (1, False)]


def test_a_release_that_nobody_recorded_is_there_and_is_recorded_next_time(
    words: Function, account: Account
) -> None:
    words.deploy()
    key = f"{object_prefix(words.name, 'dev')}releases/000001.json"
    account.cloud.client("s3").delete_object(Bucket=BUCKET, Key=key)
    assert numbers(words) == [(1, True)]
    second(words).deploy()
    assert numbers(words) == [(2, True), (1, False)]
    assert records(words, account)["000001.json"]["created"]


def test_promote_gives_the_newest_release_the_traffic(words: Function, account: Account) -> None:
    words.deploy()
    second(words).deploy()
    newest = config_of(words, account)
    words.provider.rollback(words.name, "dev", 1)
    assert words.provider.promote(words.name, "dev", canary=None).release == 2
    assert config_of(words, account) == newest


def test_a_canary_is_a_share_of_the_instances_of_an_update(words: Function, account: Account) -> None:
    words.deploy()
    second(words).deploy()
    with pytest.raises(ProviderError, match="serves already"):
        words.provider.promote(words.name, "dev", canary=0.1)
    words.provider.rollback(words.name, "dev", 1)
    with pytest.raises(ProviderError, match="needs two instances, and 1 run"):
        words.provider.promote(words.name, "dev", canary=0.1)
    account.plane.instances[endpoint_name(words.name, "dev")] = 4
    assert words.provider.promote(words.name, "dev", canary=0.25).release == 2
    update = account.plane.endpoints[endpoint_name(words.name, "dev")].updates[-1]
    policy = update["DeploymentConfig"]["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    assert policy["CanarySize"] == {"Type": "CAPACITY_PERCENT", "Value": 25}
    assert policy["WaitIntervalInSeconds"] == 300


def test_releases_that_nobody_goes_back_to_are_removed(words: Function, account: Account) -> None:
    words.edit("preheat.toml", "[resources]", "[provider.sagemaker]\nkeep_releases = 2\n\n[resources]")
    words.deploy()
    first = config_of(words, account)
    second(words).deploy()
    words.edit("handler.py", '"second"', '"third"')
    words.deploy()
    assert numbers(words) == [(3, True), (2, False)]
    assert first not in account.plane.configs
    assert sorted(records(words, account)) == ["000002.json", "000003.json"]


def test_a_model_that_a_kept_release_has_too_stays(words: Function, account: Account) -> None:
    """Another machine makes another config of the same model, and another backlog nothing of both."""
    words.edit("preheat.toml", "[resources]", "[provider.sagemaker]\nkeep_releases = 2\n\n[resources]")
    words.deploy()
    model = model_of(words, account)
    for machine in ("ml.c5.xlarge", "ml.m5.xlarge"):
        on_another(words, machine).deploy()
    assert numbers(words) == [(3, True), (2, False)]
    assert model_of(words, account) == model
    assert model in account.plane.models


def on_another(function: Function, machine: str) -> Function:
    """The function on another machine, not deployed yet."""
    return replace(function, options={**function.options, "instance_type": machine})


def test_another_machine_takes_the_scaling_off_first(words: Function, account: Account) -> None:
    words.deploy()
    known = len(events(words, account))
    on_another(words, "ml.c5.xlarge").deploy()
    told, stack = events(words, account)[known:], stack_name(words.name, "dev")
    ends = [number for number, event in enumerate(told) if event == f"{stack} UPDATE_COMPLETE"]
    assert len(ends) == 2
    first, then = told[: ends[0]], told[ends[0] :]
    assert "Instances UPDATE_COMPLETE" not in first
    assert then.index("Endpoint UPDATE_COMPLETE") < then.index("Instances UPDATE_COMPLETE")
    variant = account.plane.configs[config_of(words, account)]["ProductionVariants"][0]
    assert variant["InstanceType"] == "ml.c5.xlarge"
    with pytest.raises(
        ProviderError, match=r"Release 1 .* ran on ml.m5.large and .* on ml.c5.xlarge"
    ) as error:
        words.provider.rollback(words.name, "dev", 1)
    assert error.value.hint is not None
    assert 'instance_type = "ml.m5.large"' in error.value.hint


SCANS = """
[triggers.scans]
type = "object-created"
bucket = "words-in"
prefix = "in/"
output = "words-out/results"
attempts = 2
"""


@pytest.mark.parametrize(("mode", "least"), [("realtime", 1), ("serverless", 0)])
def test_an_endpoint_that_answers_at_once_has_another_front_and_no_jobs(
    words: Function, account: Account, mode: str, least: int
) -> None:
    words.edit("preheat.toml", SCANS, "")
    words.edit("preheat.toml", "min = 0", f"min = {least}")
    machine = {"instance_type": "ml.m5.large"} if mode == "realtime" else {}
    at_once = replace(words, options={"base_image": words.options["base_image"], "mode": mode, **machine})
    assert at_once.deploy().release == 1
    outputs = stack_of(account.cloud, stack_name(words.name, "dev"))["Outputs"]
    front = next(each["OutputValue"] for each in outputs if each["OutputKey"] == "Front")
    config = account.cloud.client("lambda").get_function_configuration(FunctionName=front)
    assert config["Handler"] == "preheat_providers.sagemaker.front.requests.handler"
    assert "AsyncInferenceConfig" not in account.plane.configs[config_of(words, account)]
    request = Request(body=b"x", id="1")
    with pytest.raises(ProviderError, match="takes no jobs"):
        words.provider.submit(words.name, "dev", request)
    second(at_once).deploy()
    assert words.provider.rollback(words.name, "dev", None).release == 1


def test_weights_that_go_apart_lie_in_the_bucket_as_sagemaker_fetches_them(
    words: Function, account: Account
) -> None:
    (words.root / "words.bin").write_bytes(b"w" * 1000)
    words.edit(
        "preheat.toml",
        "[resources]",
        '[weights.words]\nsource = "file:words.bin"\n\n[provider.sagemaker]\nweights = "s3"\n\n[resources]',
    )
    words.deploy()
    variant = account.plane.configs[config_of(words, account)]["ProductionVariants"][0]
    container = account.plane.models[variant["ModelName"]]["PrimaryContainer"]
    uri = container["ModelDataSource"]["S3DataSource"]["S3Uri"]
    prefix = uri.removeprefix(f"s3://{BUCKET}/")
    assert account.cloud.objects(BUCKET, prefix) == {f"{prefix}words/words.bin": b"w" * 1000}
    assert records(words, account)["000001.json"]["weights"] == prefix
    repository = repository_name(words.name, "dev")
    ecr = account.cloud.client("ecr")
    asked = [{"imageDigest": container["Image"].partition("@")[2]}]
    [image] = ecr.batch_get_image(repositoryName=repository, imageIds=asked)["images"]
    config = json.loads(image["imageManifest"])["config"]["digest"]
    blob = httpx.get(
        f"http://{account.door.host}/v2/{repository}/blobs/{config}",
        auth=account.door.login,
        timeout=PATIENCE_S,
    )
    made = [each["created_by"] for each in blob.raise_for_status().json()["history"]]
    assert made[-1] == "preheat: code"
    assert "preheat: weights" not in made


def test_a_bucket_of_theirs_tells_of_results_too_and_keeps_what_is_theirs(
    words: Function, account: Account
) -> None:
    s3 = account.cloud.client("s3")
    theirs = f"team-{words.name}"
    s3.create_bucket(Bucket=theirs)
    s3.put_object(Bucket=theirs, Key="theirs", Body=b"x")
    replace(words, options={**words.options, "output_bucket": theirs}).deploy()
    assert "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(Bucket=theirs)
    s3.put_object(Bucket=theirs, Key=f"{object_prefix(words.name, 'dev')}outputs/a.out", Body=b"x")
    receipt = words.provider.destroy(words.name, "dev", report=quiet)
    assert receipt.left == ()
    assert list(account.cloud.objects(theirs)) == ["theirs"]


def test_what_a_template_says_is_printed(words: Function) -> None:
    ami = "al2-ami-sagemaker-inference-neuron-2"
    words.edit("preheat.toml", "[resources]", "[resources]\ntmp_mb = 2048")
    pipeline = replace(words, options={**words.options, "ami": ami}).pipeline()
    document = json.loads(pipeline.template(pipeline.project(words.root)))
    assert document["Resources"]["Endpoint"]["Type"] == "AWS::SageMaker::Endpoint"
    [variant] = document["Resources"]["EndpointConfig"]["Properties"]["ProductionVariants"]
    assert (variant["InferenceAmiVersion"], variant["VolumeSizeInGB"]) == (ami, 18)
