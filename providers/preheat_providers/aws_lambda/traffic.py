"""Which release gets the traffic, and whether alarms are against it. The choices are pure."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from preheat.errors import ProviderError
from preheat_providers._aws.errors import translated
from preheat_providers.aws_lambda.alias import Alias

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

ALARMS_AT_ONCE = 100
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html"""


def rolled_back(name: str, numbers: Sequence[int], alias: Alias, release: int | None) -> Alias:
    """Return the alias with all traffic at `release`, or at the one before the active one.

    `numbers` are the releases that exist, newest first. Raises ProviderError.
    """
    if release is None:
        release = next((number for number in numbers if number < alias.version), None)
        if release is None:
            raise ProviderError(
                f"{name} has no release before {alias.version}, which is the active one.",
                hint=f"preheat releases {name} --provider lambda",
            )
    if release not in numbers:
        raise ProviderError(
            f"{name} has no release {release}. There are {_listed(numbers)}.",
            hint=f"preheat rollback {name} {numbers[0]} --provider lambda",
        )
    return Alias(version=release)


def promoted(name: str, numbers: Sequence[int], alias: Alias, canary: float | None) -> Alias:
    """Return the alias with the share `canary` of the traffic, or all of it, at the newest release.

    The rest stays with the active release, or goes to the one before if the newest is active.
    Raises ProviderError if there is nothing beside the newest one.
    """
    newest = numbers[0]
    if canary is None:
        return Alias(version=newest)
    if not 0 <= canary <= 1:
        raise ProviderError(f"A canary's share is a number from 0 to 1, not {canary:g}.")
    beside = alias.version if alias.version != newest else next(iter(numbers[1:]), None)
    if beside is None:
        raise ProviderError(f"{name} has one release only, so there is nothing beside it to serve.")
    return Alias(version=beside, canary=newest, share=canary)


def firing_alarms(client: "CloudWatchClient", names: Sequence[str]) -> tuple[str, ...]:
    """Return which of the alarms called `names` fire, in their order.

    Raises ProviderError if one does not exist, which could never fire.
    """
    states: dict[str, str] = {}
    with translated("the alarms cannot be read"):
        for begin in range(0, len(names), ALARMS_AT_ONCE):
            found = client.describe_alarms(
                AlarmNames=list(names[begin : begin + ALARMS_AT_ONCE]),
                AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            )
            states |= {each["AlarmName"]: each["StateValue"] for each in found["MetricAlarms"]}
            states |= {each["AlarmName"]: each["StateValue"] for each in found["CompositeAlarms"]}
    missing = [name for name in names if name not in states]
    if missing:
        raise ProviderError(
            f"There is no alarm called {_listed(missing)} in this account and region.",
            hint="aws cloudwatch describe-alarms --query 'MetricAlarms[].AlarmName'",
        )
    return tuple(name for name in names if states[name] == "ALARM")


def _listed(items: Iterable[object]) -> str:
    return ", ".join(str(item) for item in items)
