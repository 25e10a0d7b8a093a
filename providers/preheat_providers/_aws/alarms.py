"""Which alarms fire. Reads CloudWatch."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from preheat.errors import ProviderError
from preheat_providers._aws.errors import translated

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

ALARMS_AT_ONCE = 100
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html"""


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
                MaxRecords=ALARMS_AT_ONCE,
            )
            states |= {each["AlarmName"]: each["StateValue"] for each in found["MetricAlarms"]}
            states |= {each["AlarmName"]: each["StateValue"] for each in found["CompositeAlarms"]}
    missing = [name for name in names if name not in states]
    if missing:
        raise ProviderError(
            f"There is no alarm called {', '.join(missing)} in this account and region.",
            hint="aws cloudwatch describe-alarms --query 'MetricAlarms[].AlarmName'",
        )
    return tuple(name for name in names if states[name] == "ALARM")
