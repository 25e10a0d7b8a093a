"""Provisioned concurrency that follows its use or the clock, sent to moto by real boto3, which keeps it.

MiniStack has no Application Auto Scaling, and moto's CloudFormation none of its resources: so each resource
of a template is one call here, checked against the model of the API by botocore, and read back.
"""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from tests.fakes.lambda_templates import of_kind, properties, template
from tests.fakes.template_variants import WARM

from preheat_providers.aws_lambda.options import Options

LAMBDA = {"ServiceNamespace": "lambda"}
ALIAS = {
    **LAMBDA,
    "ResourceId": "function:preheat-ocr-dev:live",
    "ScalableDimension": "lambda:function:ProvisionedConcurrency",
}
HOURS = {
    "hours-0": ("cron(0 8 ? * 2-6 *)", "Europe/Berlin", {"MinCapacity": 2, "MaxCapacity": 5}),
    "hours-1": ("cron(0 18 * * ? *)", "UTC", {"MinCapacity": 0, "MaxCapacity": 0}),
}
USE = ("LambdaProvisionedConcurrencyUtilization",)
KEPT: dict[str, tuple[tuple[int, int], dict[str, Any], dict[str, Any]]] = {
    "following": ((1, 9), {}, {"use": (*USE, 0.5)}),
    "hours": ((1, 1), HOURS, {}),
    "both": ((1, 9), HOURS, {"use": (*USE, 0.7)}),
}
"""What is kept of each way: the range, its hours, and the policies."""


class Scaling:
    """One account's Application Auto Scaling, told what CloudFormation would tell it."""

    def __init__(self, endpoint: str) -> None:
        self._client = boto3.client("application-autoscaling", endpoint_url=endpoint, region_name="us-east-1")

    def close(self) -> None:
        """Close the client."""
        self._client.close()

    def apply(self, warm: str) -> None:
        """Make, or change to, what the template of that way has."""
        made = template(options=Options(**WARM[warm]))
        target = properties(made, "ProvisionedTarget")
        actions = target.pop("ScheduledActions", [])
        assert ALIAS.items() <= target.items()
        self._client.register_scalable_target(**target)
        for action in actions:
            self._client.put_scheduled_action(**ALIAS, **action)
        for policy in of_kind(made, "ApplicationAutoScaling::ScalingPolicy").values():
            assert policy.pop("ScalingTargetId") == {"Ref": "ProvisionedTarget"}
            self._client.put_scaling_policy(**ALIAS, **policy)

    def remove(self) -> None:
        """Remove all of it."""
        _, hours, policies = self.kept()
        for name in policies:
            self._client.delete_scaling_policy(**ALIAS, PolicyName=name)
        for name in hours:
            self._client.delete_scheduled_action(**ALIAS, ScheduledActionName=name)
        self._client.deregister_scalable_target(**ALIAS)

    def kept(self) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        """Return the ranges, the hours and the policies that the account has."""
        targets = self._client.describe_scalable_targets(**LAMBDA)["ScalableTargets"]
        actions = self._client.describe_scheduled_actions(**LAMBDA)["ScheduledActions"]
        policies = self._client.describe_scaling_policies(**LAMBDA)["ScalingPolicies"]
        tracking = {each["PolicyName"]: each["TargetTrackingScalingPolicyConfiguration"] for each in policies}
        return (
            [(each["MinCapacity"], each["MaxCapacity"]) for each in targets],
            {
                each["ScheduledActionName"]: (
                    each["Schedule"],
                    each["Timezone"],
                    each["ScalableTargetAction"],
                )
                for each in actions
            },
            {
                name: (each["PredefinedMetricSpecification"]["PredefinedMetricType"], each["TargetValue"])
                for name, each in tracking.items()
            },
        )


@pytest.fixture
def scaling(s3_endpoint: str) -> Iterator[Scaling]:
    made = Scaling(s3_endpoint)
    yield made
    made.close()


@pytest.mark.parametrize("warm", KEPT)
def test_what_scales_is_taken_kept_and_removed(scaling: Scaling, warm: str) -> None:
    scaling.apply(warm)
    size, hours, policies = KEPT[warm]
    assert scaling.kept() == ([size], hours, policies)
    scaling.remove()
    assert scaling.kept() == ([], {}, {})


def test_a_change_is_one_of_what_is_there(scaling: Scaling) -> None:
    scaling.apply("following")
    scaling.apply("both")
    size, hours, policies = KEPT["both"]
    assert scaling.kept() == ([size], hours, policies)
