"""Versions published past the stack, the alias, and what is pruned."""

from typing import Any, cast

from botocore.exceptions import ClientError
from tests.fakes.lambda_control import BUCKET, FUNCTION, Control

from preheat.progress import Event, Notice, quiet
from preheat_providers.aws_lambda.deploying.versions import Code, prune, publish_code
from preheat_providers.aws_lambda.operating.alias import Alias, move_alias, read_alias
from preheat_providers.aws_lambda.operating.releases import NOT_OURS, list_versions
from preheat_providers.aws_lambda.template.names import Described


def publish(control: Control, number: int) -> int:
    control.put_code(f"{number}.zip", f"x = {number}\n")
    described = Described(f"sha256:{number:064x}", f"{number}.zip")
    code: Code = {"S3Bucket": BUCKET, "S3Key": described.key}
    return publish_code(control.client, FUNCTION, code, described=described, logs="preheat logs ocr")


def numbers(control: Control) -> list[int]:
    return [version.number for version in list_versions(control.client, FUNCTION)]


def test_a_version_says_which_bundle_and_which_archive_it_is(control: Control) -> None:
    assert [publish(control, 1), publish(control, 2)] == [1, 2]
    newest, oldest = list_versions(control.client, FUNCTION)
    assert (newest.number, newest.described) == (2, Described(f"sha256:{2:064x}", "2.zip"))
    assert (oldest.number, oldest.described.key) == (1, "1.zip")
    assert newest.created.endswith("Z")
    assert not newest.snapshot


def test_publishing_leaves_the_traffic_where_it_is(control: Control) -> None:
    publish(control, 1)
    control.client.create_alias(FunctionName=FUNCTION, Name="live", FunctionVersion="1")
    publish(control, 2)
    assert read_alias(control.client, FUNCTION) == Alias(version=1)


def test_a_version_of_somebody_else_is_listed_as_such(control: Control) -> None:
    control.client.publish_version(FunctionName=FUNCTION, Description="by hand")
    (version,) = list_versions(control.client, FUNCTION)
    assert version.described == NOT_OURS


def test_the_alias_takes_a_canary_and_drops_it_again(control: Control) -> None:
    publish(control, 1)
    publish(control, 2)
    control.client.create_alias(FunctionName=FUNCTION, Name="live", FunctionVersion="1")
    canary = Alias(version=1, canary=2, share=0.25)
    move_alias(control.client, FUNCTION, canary)
    assert read_alias(control.client, FUNCTION) == canary
    move_alias(control.client, FUNCTION, Alias(version=2))
    assert read_alias(control.client, FUNCTION) == Alias(version=2)


def test_the_alias_remembers_what_served_before(control: Control) -> None:
    for number in range(1, 4):
        publish(control, number)
    control.client.create_alias(FunctionName=FUNCTION, Name="live", FunctionVersion="1")
    first = read_alias(control.client, FUNCTION)
    assert first is not None
    assert first.before is None
    move_alias(control.client, FUNCTION, first.moved(3))
    third = read_alias(control.client, FUNCTION)
    assert third is not None
    assert (third.version, third.before, third.needed) == (3, 1, frozenset({1, 3}))


def test_what_cloudformation_moved_came_after_what_was_remembered(control: Control) -> None:
    for number in range(1, 4):
        publish(control, number)
    control.client.create_alias(FunctionName=FUNCTION, Name="live", FunctionVersion="2")
    move_alias(control.client, FUNCTION, Alias(version=1, before=2))
    control.client.update_alias(FunctionName=FUNCTION, Name="live", FunctionVersion="3")
    moved = read_alias(control.client, FUNCTION)
    assert moved is not None
    assert (moved.version, moved.before) == (3, 1)


def test_a_function_that_was_never_deployed_has_no_alias(control: Control) -> None:
    assert read_alias(control.client, FUNCTION) is None
    assert read_alias(control.client, "preheat-other-dev") is None


def test_pruning_keeps_the_newest_and_what_is_needed(control: Control) -> None:
    for number in range(1, 7):
        publish(control, number)
    left = prune(control.client, FUNCTION, keep=2, needed=frozenset({2, 6}), report=quiet)
    assert [version.number for version in left] == numbers(control) == [6, 5, 2]
    prune(control.client, FUNCTION, keep=2, needed=frozenset({2, 6}), report=quiet)
    assert numbers(control) == [6, 5, 2]


class Keeping:
    """A client that may not remove versions."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def delete_function(self, **asked: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DeleteFunction")


def test_a_version_that_cannot_be_removed_is_no_failed_deploy(control: Control) -> None:
    for number in range(1, 4):
        publish(control, number)
    events: list[Event] = []
    keeping = cast("Any", Keeping(control.client))
    left = prune(keeping, FUNCTION, keep=2, needed=frozenset({3}), report=events.append)
    (notice,) = events
    assert isinstance(notice, Notice)
    assert notice.text.startswith(f"An old release stays: version 1 of {FUNCTION} cannot be removed")
    assert [version.number for version in left] == numbers(control) == [3, 2, 1]
