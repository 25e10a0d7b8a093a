"""Publishing a version and removing old ones. Which ones are old is pure; the rest changes the function."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypedDict

from preheat.errors import ProviderError
from preheat.progress import Notice, Report
from preheat_providers._aws.errors import translated
from preheat_providers.aws_lambda.operating.releases import Version, list_versions
from preheat_providers.aws_lambda.template.names import Described, describe

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

POLL_S, POLLS = 1, 900
"""A snapshot takes minutes: https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html"""


class Code(TypedDict, total=False):
    """Where Lambda takes code from: an object of S3, or an image in ECR."""

    S3Bucket: str
    S3Key: str
    ImageUri: str


def publish_code(
    client: "LambdaClient", function: str, code: Code, *, described: Described, logs: str
) -> int:
    """Give `function` the `code`, publish it as `described`, and return the version once it can answer.

    The alias stays where it is. Every step can be repeated: what is there already is found.
    `logs` is the command that shows why the version does not start, if it does not.
    """
    sha256 = send_code(client, function, code)
    with translated(f"no version of {function} can be published"):
        published = client.publish_version(
            FunctionName=function,
            # Refuses to publish what somebody else may have sent in between.
            CodeSha256=sha256,
            Description=describe(described.digest, described.key),
        )
    number = int(published["Version"])
    _await_version(client, function, number, logs)
    return number


def send_code(client: "LambdaClient", function: str, code: Code) -> str:
    """Give `function` the `code` without publishing it, and return its SHA-256 in Lambda's form."""
    what = f"the code of {function} cannot be changed"
    _await_update(client, function, what)
    with translated(what):
        sent = client.update_function_code(FunctionName=function, **code)
    _await_update(client, function, what)
    return sent["CodeSha256"]


def superfluous(versions: Iterable[Version], *, keep: int, needed: frozenset[int]) -> tuple[int, ...]:
    """Return which of `versions`, newest first, may go: all but the `keep` newest and those `needed`."""
    numbers = [version.number for version in versions]
    return tuple(number for number in numbers[keep:] if number not in needed)


def prune(
    client: "LambdaClient", function: str, *, keep: int, needed: frozenset[int], report: Report
) -> tuple[Version, ...]:
    """Remove the versions that nobody needs, and return the others.

    What cannot be removed is said: the function serves already. Raises ProviderError if there is no list.
    """
    versions = list_versions(client, function)
    old = superfluous(versions, keep=keep, needed=needed)
    removed = set()
    try:
        for number in old:
            with translated(f"version {number} of {function} cannot be removed"):
                client.delete_function(FunctionName=function, Qualifier=str(number))
            removed.add(number)
    except ProviderError as error:
        report(Notice("apply", f"An old release stays: {error.message}", hint=error.hint))
    return tuple(version for version in versions if version.number not in removed)


def _await_update(client: "LambdaClient", function: str, what: str) -> None:
    with translated(what):
        client.get_waiter("function_updated_v2").wait(
            FunctionName=function, WaiterConfig={"Delay": POLL_S, "MaxAttempts": POLLS}
        )


def _await_version(client: "LambdaClient", function: str, number: int, logs: str) -> None:
    from botocore.exceptions import WaiterError

    with translated(f"version {number} of {function} cannot be asked for"):
        try:
            client.get_waiter("published_version_active").wait(
                FunctionName=function,
                Qualifier=str(number),
                WaiterConfig={"Delay": POLL_S, "MaxAttempts": POLLS},
            )
        except WaiterError as error:
            answer = error.last_response
            reason = answer.get("StateReason") or answer.get("State") or str(error)
            raise ProviderError(
                f"Release {number} of {function} does not start, so the traffic stays where it is: {reason}",
                hint=f"{logs}  # shows what setup printed",
            ) from error
