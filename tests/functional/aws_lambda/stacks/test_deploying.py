"""Deploying: what is sent, which way it goes, what a failure leaves, and that destroying leaves nothing."""

import re
from collections.abc import Iterator

import pytest
from tests.fakes.aws.cloud import BUCKET, Cloud
from tests.fakes.aws.resources import stack_of
from tests.fakes.functions import Function, Functions

from preheat.errors import ProviderError
from preheat.progress import Event, Step, quiet
from preheat_providers.aws_lambda.template.names import log_group, schedule_name, stack_name


@pytest.fixture
def plain(functions: Functions) -> Iterator[Function]:
    """A function that this test alone changes, not deployed yet."""
    function = functions.fresh("plain")
    yield function
    if function.provider.status(function.name, function.stage):
        function.provider.destroy(function.name, function.stage, report=quiet)


def stack(function: Function) -> str:
    return stack_name(function.name, function.stage)


def change_sets(cloud: Cloud, function: Function) -> int:
    """Count the change sets that were executed, by the events that each begins with."""
    events = cloud.client("cloudformation").describe_stack_events(StackName=stack(function))["StackEvents"]
    begun = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")
    return sum(
        each["ResourceType"] == "AWS::CloudFormation::Stack" and each["ResourceStatus"] in begun
        for each in events
    )


def test_a_first_deploy_makes_one_stack_whose_function_answers(plain: Function, cloud: Cloud) -> None:
    steps: list[Event] = []
    deployed = plain.pipeline(steps.append).deploy(plain.root)
    assert (deployed.changed, deployed.release) == (True, 1)
    assert plain.ask("you") == "first you"
    found = stack_of(cloud, stack(plain))
    assert found["StackStatus"] == "CREATE_COMPLETE"
    tags = {tag["Key"]: tag["Value"] for tag in found["Tags"]}
    assert tags == {"preheat:name": plain.name, "preheat:stage": "dev"}
    told = " ".join(step.text for step in steps if isinstance(step, Step) and step.stage == "apply")
    assert {"Function", "Role", "Alias"} <= set(told.replace(",", " ").split())


def test_an_unchanged_redeploy_asks_and_changes_nothing(plain: Function, cloud: Cloud) -> None:
    first = plain.deploy()
    before = cloud.inventory()
    again = plain.deploy()
    assert (again.changed, again.release, again.endpoint) == (False, 1, first.endpoint)
    assert cloud.inventory() == before
    assert change_sets(cloud, plain) == 1


def test_new_code_goes_past_the_stack_and_sends_less_than_200_kilobytes(
    plain: Function, cloud: Cloud
) -> None:
    plain.deploy()
    before = cloud.objects(BUCKET)
    plain.edit("handler.py", '"first"', '"second"')
    deployed = plain.deploy()
    assert (deployed.changed, deployed.release) == (True, 2)
    assert plain.ask("you") == "second you"
    assert change_sets(cloud, plain) == 1
    sent = [body for key, body in cloud.objects(BUCKET).items() if key not in before]
    assert 0 < sum(map(len, sent)) < 200_000
    assert plain.plan().changes == ()


def test_a_setting_goes_by_a_change_set_also_after_new_code_went_past_it(
    plain: Function, cloud: Cloud
) -> None:
    plain.deploy()
    plain.edit("handler.py", '"first"', '"second"')
    plain.deploy()
    plain.edit("preheat.toml", "memory_mb = 512", "memory_mb = 640")
    assert plain.deploy().release == 3
    assert change_sets(cloud, plain) == 2
    assert plain.ask("you") == "second you"
    found = cloud.client("lambda").get_function_configuration(FunctionName=stack(plain), Qualifier="live")
    assert (found["MemorySize"], found["Version"]) == (640, "3")


def test_an_update_that_fails_is_rolled_back_and_the_release_before_answers(
    plain: Function, cloud: Cloud
) -> None:
    plain.deploy()
    plain.edit("handler.py", '"first"', '"second"')
    plain.deploy()
    schedules, taken = cloud.client("scheduler"), schedule_name(stack(plain), "nightly")
    target = {"Arn": "arn:aws:sqs:us-east-1:123456789012:q", "RoleArn": "arn:aws:iam::123456789012:role/r"}
    window = {"Mode": "OFF"}
    schedules.create_schedule(
        Name=taken, ScheduleExpression="rate(1 day)", FlexibleTimeWindow=window, Target=target
    )
    plain.edit("handler.py", '"second"', '"third"')
    plain.edit("preheat.toml", "[triggers.http]", NIGHTLY)
    with pytest.raises(ProviderError, match=taken) as caught:
        plain.deploy()
    assert "ScheduleNightly" in caught.value.message
    assert stack_of(cloud, stack(plain))["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert plain.ask("you") == "second you"

    schedules.delete_schedule(Name=taken)
    plain.deploy()
    assert plain.ask("you") == "third you"


def test_destroy_leaves_nothing_and_its_receipt_names_what_was_there(plain: Function, cloud: Cloud) -> None:
    before = cloud.inventory()
    plain.deploy()
    plain.edit("handler.py", '"first"', '"second"')
    plain.deploy()
    plain.ask("you")
    made = cloud.inventory() - before
    receipt = plain.provider.destroy(plain.name, plain.stage, report=quiet)
    assert cloud.inventory() == before
    assert receipt.left == ()
    told = "\n".join(receipt.removed)
    objects = {each for each in made if each.startswith(f"s3 {BUCKET}/")}
    assert f"{len(objects)} objects" in told
    for each in made - objects:
        name = re.split(r"[:/]", each)[-1]
        assert name in told, f"{each} is not in\n{told}"
    assert log_group(plain.name, plain.stage) in told


NIGHTLY = """[triggers.nightly]
type = "schedule"
cron = "0 3 * * *"
input = "night"

[triggers.http]"""
