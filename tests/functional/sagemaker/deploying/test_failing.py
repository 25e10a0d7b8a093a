"""What a deploy refuses, what its failure says and leaves, and the same command again."""

import threading
from dataclasses import replace

import pytest
from tests.fakes.aws.cloud import BUCKET
from tests.fakes.aws.resources import stack_of
from tests.fakes.functions import Function, Functions
from tests.fakes.images import layer_of
from tests.fakes.registry import Registry, image_of, serving
from tests.fakes.sagemaker.account import Account
from tests.fakes.sagemaker.plane import Course, Refusal
from tests.functional.sagemaker.deploying.test_deploying import (
    SCANS,
    config_of,
    numbers,
    second,
)

from preheat.errors import BundleError, Conflict, NotDeployed, ProviderError
from preheat.progress import Event, Notice, Report, Step, quiet
from preheat_providers.sagemaker.template.names import (
    endpoint_name,
    image_stack_name,
    log_group,
    object_prefix,
    stack_name,
)

REASON = "The primary container for production variant main did not pass the ping health check."
CRASH = '{"level": "error", "event": "failed", "message": "setup failed: no such file", "time": "x"}'


def left_of(function: Function, account: Account) -> set[str]:
    """What the account has that is called after a function."""
    there = account.cloud.inventory() | set(account.plane.configs) | set(account.plane.models)
    return {each for each in there if function.name in each}


def test_a_container_that_never_gets_well_is_told_of_while_one_waits_and_at_the_end(
    words: Function, account: Account
) -> None:
    failing = threading.Event()
    account.plane.courses = [Course(("Creating", "Failed"), REASON, held=failing)]
    told: list[Event] = []

    def report(event: Event) -> None:
        told.append(event)
        if isinstance(event, Step) and event.text.startswith("Endpoint CREATE_IN_PROGRESS"):
            account.write_log(log_group(words.name, "dev"), CRASH)
        if isinstance(event, Notice):
            failing.set()

    with pytest.raises(ProviderError) as caught:
        words.pipeline(report).deploy(words.root)
    assert REASON in caught.value.message
    assert caught.value.message.endswith("The container said:\n  setup failed: no such file")
    notices = [each.text for each in told if isinstance(each, Notice)]
    assert notices == ["the container: setup failed: no such file"]
    with pytest.raises(NotDeployed):
        words.provider.deployment(words.name, "dev")
    assert words.deploy().release == 1


def test_a_base_that_does_not_fit_is_told_of_before_anything_is_built(words: Function) -> None:
    told: list[Event] = []
    with serving(Registry()) as registry:
        image_of(registry, "empty", [layer_of({"etc/motd": b"hi"})])
        options = {**words.options, "base_image": f"{registry.host}/empty:latest"}
        with pytest.raises(BundleError, match="has no Python"):
            replace(words, options=options).pipeline(told.append).deploy(words.root)
    stages = [each.stage for each in told if isinstance(each, Step)]
    assert list(dict.fromkeys(stages)) == ["check", "image"]


def test_an_update_that_fails_leaves_the_release_before(words: Function, account: Account) -> None:
    words.deploy()
    first = config_of(words, account)
    account.plane.courses = [Course(("Updating", "Failed"), REASON)]
    with pytest.raises(ProviderError, match="did not pass the ping health check"):
        second(words).deploy()
    assert config_of(words, account) == first
    assert numbers(words) == [(1, True)]
    assert words.deploy().release == 2


def test_a_rollback_to_what_does_not_start_says_why(words: Function, account: Account) -> None:
    words.deploy()
    second(words).deploy()
    newest = config_of(words, account)
    account.plane.courses = [Course(("Updating", "InService"), REASON)]
    with pytest.raises(ProviderError, match=r"Release 1 .* does not work, so the endpoint runs what it ran"):
        words.provider.rollback(words.name, "dev", 1)
    assert config_of(words, account) == newest


def test_a_quota_of_zero_is_named_with_the_line_that_asks_for_more(words: Function, account: Account) -> None:
    account.plane.quotas = {"ml.c5.large for endpoint usage": 4, "ml.m5.large for endpoint usage": 0}
    try:
        with pytest.raises(ProviderError, match=r"may run 0 of ml.m5.large for endpoint usage") as caught:
            words.deploy()
    finally:
        account.plane.quotas = {}
    assert "request-service-quota-increase --service-code sagemaker --quota-code L-00000001" in str(
        caught.value.hint
    )
    assert left_of(words, account) == set()


def test_an_endpoint_that_is_to_have_another_mode_is_left_alone_before_anything_is_sent(
    words: Function, account: Account
) -> None:
    words.deploy()
    sent = len(account.door.seen)
    words.edit("preheat.toml", SCANS, "")
    words.edit("preheat.toml", "min = 0", "min = 1")
    at_once = replace(second(words), options={**words.options, "mode": "realtime"})
    with pytest.raises(
        ProviderError, match=r'has mode = "async", and .* does not update .* "realtime"'
    ) as caught:
        at_once.deploy()
    assert f"preheat destroy {words.name}" in str(caught.value.hint)
    assert "PUT" not in [method for method, _, _ in account.door.seen[sent:]]
    assert numbers(words) == [(1, True)]


def test_an_endpoint_of_that_name_that_somebody_made_is_not_touched(
    words: Function, account: Account
) -> None:
    name = endpoint_name(words.name, "dev")
    account.plane.models["theirs"] = {}
    account.plane.configs["theirs"] = {"ProductionVariants": [{"VariantName": "v", "ModelName": "theirs"}]}
    account.plane.answer("CreateEndpoint", {"EndpointName": name, "EndpointConfigName": "theirs"})
    with pytest.raises(ProviderError, match="Cannot create already existing"):
        words.deploy()
    assert account.plane.endpoints.pop(name).config == "theirs"
    assert words.deploy().release == 1


def test_a_rollback_while_an_update_runs_waits_for_what_comes_of_it(
    words: Function, account: Account
) -> None:
    words.deploy()
    first = config_of(words, account)
    second(words).deploy()
    newest = config_of(words, account)
    words.provider.rollback(words.name, "dev", 1)
    endpoint = account.plane.endpoints[endpoint_name(words.name, "dev")]
    endpoint.wanted, endpoint.course, endpoint.asked = newest, Course((*("Updating",) * 5, "InService")), 0
    assert words.provider.rollback(words.name, "dev", None).release == 1
    assert (config_of(words, account), endpoint.wanted) == (first, first)


def test_a_rollback_while_a_deploy_runs_is_refused(words: Function, account: Account) -> None:
    words.deploy()
    updated = threading.Event()
    account.plane.courses = [Course(("Updating", "InService"), held=updated)]
    refused: list[Conflict] = []

    def report(event: Event) -> None:
        if not refused and isinstance(event, Step) and event.text.startswith("Endpoint UPDATE_IN_PROGRESS"):
            try:
                with pytest.raises(Conflict, match=r"A deploy of words-.* is under way") as caught:
                    words.provider.rollback(words.name, "dev", None)
            finally:
                updated.set()
            refused.append(caught.value)

    second(words).pipeline(report).deploy(words.root)
    assert refused
    assert numbers(words) == [(2, True), (1, False)]


def test_the_stack_of_somebody_else_is_not_touched(words: Function, account: Account) -> None:
    client = account.cloud.client("cloudformation")
    body = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'
    client.create_stack(StackName=stack_name(words.name, "dev"), TemplateBody=body)
    try:
        with pytest.raises(Conflict, match="belongs to nothing that preheat deployed"):
            words.deploy()
    finally:
        client.delete_stack(StackName=stack_name(words.name, "dev"))


@pytest.mark.parametrize("at", ["Endpoint CREATE_IN_PROGRESS", "sending what", "naming it"])
def test_an_interrupted_deploy_goes_on_with_the_same_command(
    words: Function, account: Account, at: str
) -> None:
    def report(event: Event) -> None:
        if isinstance(event, Step) and event.text.startswith(at):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        words.pipeline(report).deploy(words.root)
    deployed = words.deploy()
    assert (deployed.release, deployed.token is not None) == (1, True)
    assert numbers(words) == [(1, True)]


def test_an_endpoint_that_was_deleted_beside_its_stack_is_said(words: Function, account: Account) -> None:
    words.deploy()
    account.plane.endpoints.pop(endpoint_name(words.name, "dev"))
    with pytest.raises(ProviderError, match=r"has no endpoint .* any more") as caught:
        words.deploy()
    assert "preheat destroy" in str(caught.value.hint)
    assert words.status().ready is False
    assert words.status().details["endpoint"] == "Deleted: somebody removed it beside its stack"


def test_destroying_leaves_nothing_and_lists_what_went(words: Function, account: Account) -> None:
    before = account.cloud.inventory()
    words.deploy()
    second(words).deploy()
    receipt = words.provider.destroy(words.name, "dev", report=quiet)
    assert receipt.left == ()
    text = "\n".join(receipt.removed)
    for what in ("AWS::SageMaker::Endpoint ", "AWS::ECR::Repository ", "endpoint config ", "model "):
        assert what in text
    assert account.cloud.inventory() == before
    assert left_of(words, account) == set()
    with pytest.raises(NotDeployed):
        words.provider.destroy(words.name, "dev", report=quiet)


@pytest.mark.parametrize("theirs", [True, False])
def test_a_result_that_is_written_while_the_endpoint_goes_is_removed_too(
    words: Function, account: Account, monkeypatch: pytest.MonkeyPatch, *, theirs: bool
) -> None:
    bucket, folder = f"late-{words.name}", object_prefix(words.name, "dev") if theirs else ""
    account.cloud.client("s3").create_bucket(Bucket=bucket)
    options = {**words.options, **({"output_bucket": bucket} if theirs else {})}
    replace(words, options=options).deploy()
    outputs = stack_of(account.cloud, stack_name(words.name, "dev"))["Outputs"]
    jobs = next(each["OutputValue"] for each in outputs if each["OutputKey"] == "JobsBucket")

    def ended(name: str) -> None:
        account.cloud.client("s3").put_object(Bucket=jobs, Key=f"{folder}outputs/late.out", Body=b"x")
        account.end(name)

    monkeypatch.setattr(account.plane, "ended", ended)
    receipt = words.provider.destroy(words.name, "dev", report=quiet)
    assert receipt.left == ()
    assert f"1 object (jobs) in s3://{jobs}/{folder and f'{folder}outputs/'}" in receipt.removed
    assert account.cloud.objects(bucket) == {}
    assert left_of(words, account) == {f"s3 {bucket}"}


@pytest.mark.parametrize("theirs", [True, False])
def test_a_destroy_that_failed_is_finished_by_the_next(
    words: Function, account: Account, monkeypatch: pytest.MonkeyPatch, *, theirs: bool
) -> None:
    s3, bucket = account.cloud.client("s3"), f"team-{words.name}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="outputs/theirs", Body=b"x")
    options = {**words.options, **({"output_bucket": bucket} if theirs else {})}
    replace(words, options=options).deploy()

    def refused(name: str) -> None:
        raise Refusal(f"{name} is busy")

    with monkeypatch.context() as patched:
        patched.setattr(account.plane, "ended", refused)
        with pytest.raises(ProviderError, match="is busy"):
            words.provider.destroy(words.name, "dev", report=quiet)
    account.plane.endpoints.pop(endpoint_name(words.name, "dev"), None)
    assert words.provider.destroy(words.name, "dev", report=quiet).left == ()
    assert list(account.cloud.objects(bucket)) == ["outputs/theirs"]


def test_destroying_while_an_update_runs_waits_for_its_end(words: Function, account: Account) -> None:
    words.deploy()
    second(words).deploy()
    endpoint = account.plane.endpoints[endpoint_name(words.name, "dev")]
    endpoint.course, endpoint.asked = Course((*("Updating",) * 5, "InService")), 0
    told: list[Event] = []
    receipt = words.provider.destroy(words.name, "dev", report=told.append)
    assert receipt.left == ()
    texts = [event.text for event in told if isinstance(event, Step)]
    assert f"the endpoint {endpoint.name} is Updating: waiting for its end" in texts


def test_a_destroy_that_was_cut_off_is_finished_by_the_next(words: Function, account: Account) -> None:
    words.deploy()
    second(words).deploy()
    client = account.cloud.client("cloudformation")
    with pytest.raises(KeyboardInterrupt):
        words.provider.destroy(words.name, "dev", report=interrupt_at(image_stack_name(words.name, "dev")))
    listed = client.list_stacks(StackStatusFilter=["CREATE_COMPLETE", "UPDATE_COMPLETE"])["StackSummaries"]
    assert stack_name(words.name, "dev") not in [each["StackName"] for each in listed]
    receipt = words.provider.destroy(words.name, "dev", report=quiet)
    assert receipt.left == ()
    assert account.cloud.objects(BUCKET, object_prefix(words.name, "dev")) == {}
    assert left_of(words, account) == set()


def interrupt_at(text: str) -> Report:
    """Return what presses Ctrl-C when a step says `text`."""

    def report(event: Event) -> None:
        if isinstance(event, Step) and text in event.text:
            raise KeyboardInterrupt

    return report


def test_two_stages_of_one_project_do_not_meet(words: Function, functions: Functions) -> None:
    words.deploy()
    other = functions.at_stage(words, "prod")
    other.deploy()
    try:
        stages = [status.stage for status in words.provider.status(words.name, None)]
        assert stages == ["dev", "prod"]
    finally:
        other.provider.destroy(other.name, "prod", report=quiet)
    assert words.status().stage == "dev"
