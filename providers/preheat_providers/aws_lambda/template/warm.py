"""Provisioned concurrency that follows its use, the clock, or both.

https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
"""

from preheat_providers._aws.templates.hours import scheduled_actions
from preheat_providers._aws.templates.intrinsics import Json, Resources, ref, resource
from preheat_providers.aws_lambda.template.names import ALIAS
from preheat_providers.aws_lambda.template.wanted import Wanted


def warm_resources(wanted: Wanted) -> Resources:
    """Return what changes the number of environments that are kept ready; a fixed one is in the alias."""
    options = wanted.options
    if not options.scales_provisioned:
        return {}
    target = {
        "ServiceNamespace": "lambda",
        "ScalableDimension": "lambda:function:ProvisionedConcurrency",
        "ResourceId": f"function:{wanted.function}:{ALIAS}",
        "MinCapacity": options.provisioned,
        "MaxCapacity": options.provisioned_max or options.provisioned,
        "ScheduledActions": scheduled_actions(options.provisioned_schedule),
    }
    resources = {
        "ProvisionedTarget": resource(
            "AWS::ApplicationAutoScaling::ScalableTarget", target, DependsOn="Alias"
        )
    }
    if options.provisioned_max is not None:
        resources["ProvisionedPolicy"] = _following(options.provisioned_use)
    return resources


def _following(use: float) -> Json:
    metric = {"PredefinedMetricType": "LambdaProvisionedConcurrencyUtilization"}
    return resource(
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        {
            "PolicyName": "use",
            "PolicyType": "TargetTrackingScaling",
            "ScalingTargetId": ref("ProvisionedTarget"),
            "TargetTrackingScalingPolicyConfiguration": {
                "PredefinedMetricSpecification": metric,
                "TargetValue": use,
            },
        },
    )
