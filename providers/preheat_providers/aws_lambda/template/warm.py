"""Provisioned concurrency that follows its use, the clock, or both.

https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
"""

from preheat_providers._aws.templates.cron import aws_cron
from preheat_providers._aws.templates.intrinsics import Json, Resources, ref, resource
from preheat_providers.aws_lambda.options import ProvisionedHours
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
        "ScheduledActions": [
            _action(number, each) for number, each in enumerate(options.provisioned_schedule)
        ]
        or None,
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


def _action(number: int, hours: ProvisionedHours) -> Json:
    return {
        "ScheduledActionName": f"hours-{number}",
        "Schedule": aws_cron(hours.cron),
        "Timezone": hours.timezone,
        "ScalableTargetAction": {"MinCapacity": hours.min, "MaxCapacity": hours.max},
    }
