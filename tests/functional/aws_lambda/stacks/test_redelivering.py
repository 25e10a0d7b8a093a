"""What failed for good runs again, and so do objects that were there before the trigger."""

import json

from tests.fakes.aws.cloud import Cloud
from tests.fakes.aws.mailbox import Mailbox
from tests.fakes.aws.resources import physical_id, waiting
from tests.fakes.functions import Function, Functions

TRIGGERS = """
[triggers.uploads]
type = "object-created"
bucket = "{name}"
prefix = "in/"
output = "{name}/out"

[triggers.nightly]
type = "schedule"
cron = "0 3 * * *"
input = "night"
"""
RETURN = 'return f"{VERSION} {name}"'
RAISE = 'raise RuntimeError("no such night")'
TELL = f'print("heard", name)\n        {RETURN}'


def stack(function: Function) -> str:
    return f"preheat-{function.name}-{function.stage}"


def triggered(functions: Functions, cloud: Cloud) -> Function:
    """Return a project with triggers, not deployed; its bucket has the project's name."""
    function = functions.fresh("plain")
    cloud.client("s3").create_bucket(Bucket=function.name)
    toml = function.root / "preheat.toml"
    toml.write_text(toml.read_text() + TRIGGERS.format(name=function.name))
    return function


def test_a_scheduled_call_that_failed_for_good_is_made_again(functions: Functions, cloud: Cloud) -> None:
    function = triggered(functions, cloud)
    function.edit("handler.py", RETURN, RAISE)
    function.edit("handler.py", 'return ["hello"]', "return []")
    function.deploy()
    queue = physical_id(cloud, stack(function), "FailedCalls")
    fail_at_once(cloud, function, queue)
    calls = cloud.client("lambda")
    calls.invoke(FunctionName=stack(function), InvocationType="Event", Payload=b'"night"')
    failed = cloud.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=20, VisibilityTimeout=0)
    assert json.loads(failed["Messages"][0]["Body"])["requestPayload"] == "night"

    function.edit("handler.py", RAISE, TELL)
    function.deploy()
    mark = len(cloud.server.lines)
    assert function.provider.replay(function.name, function.stage) == 1
    cloud.server.until("heard night", after=mark)
    assert waiting(cloud, queue) == 0


def fail_at_once(cloud: Cloud, function: Function, queue: str) -> None:
    """Give up asynchronous calls after one attempt. MiniStack reads this of the function, not the alias."""
    found = cloud.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    cloud.client("lambda").put_function_event_invoke_config(
        FunctionName=stack(function),
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": found["Attributes"]["QueueArn"]}},
    )


def test_objects_that_were_there_before_are_run_once_each(functions: Functions, cloud: Cloud) -> None:
    function = triggered(functions, cloud)
    s3 = cloud.client("s3")
    keys = ["in/a b+c%.json", "in/größe.json", "in/deep/er.json"]
    for key in [*keys, "other/d.json"]:
        s3.put_object(Bucket=function.name, Key=key, Body=b'"you"', ContentType="application/json")
    function.deploy()
    results = Mailbox.of_bucket(cloud, function.name)
    assert function.provider.backfill(function.name, function.stage, f"s3://{function.name}/in/") == 3
    results.keys({f"out/{key}.json" for key in keys})
    made = {key for key in cloud.objects(function.name) if key.startswith("out/")}
    assert made == {f"out/{key}.json" for key in keys}
    told = json.loads(cloud.objects(function.name)[f"out/{keys[0]}.json"])
    assert told["result"] == "first you"
