"""The endpoint, its logs, how an update reaches it, and what undoes one.

https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green.html, read on 2026-11-21
"""

from preheat_providers._aws.templates.alarms import above_zero
from preheat_providers._aws.templates.intrinsics import Json, Resources, att, ref, resource
from preheat_providers.sagemaker.template.names import VARIANT, log_group, stack_tags
from preheat_providers.sagemaker.template.scaling import NAMESPACE
from preheat_providers.sagemaker.template.wanted import Wanted

LEAST_CANARY_FLEET = 2
"""A canary is at most half of the instances:
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TrafficRoutingConfig.html"""

UPDATE_S = 4 * 3600
"""How long an update may take, instances that are hard to get included; SageMaker allows twice that."""


def endpoint_resources(wanted: Wanted) -> Resources:
    """Return the endpoint, where its container logs, and the alarm on requests that fail."""
    name, stage = wanted.project.name, wanted.project.stage
    logs = {"LogGroupName": log_group(name, stage), "RetentionInDays": wanted.options.log_days}
    tags = [{"Key": key, "Value": value} for key, value in stack_tags(name, stage).items()]
    return {
        "LogGroup": resource("AWS::Logs::LogGroup", logs),
        "ErrorAlarm": _alarm(wanted),
        "Endpoint": resource(
            "AWS::SageMaker::Endpoint",
            {
                "EndpointName": wanted.endpoint,
                "EndpointConfigName": att("EndpointConfig", "EndpointConfigName"),
                "DeploymentConfig": _deployment(wanted) if wanted.instance else None,
                # The policies have set the number of instances; an update keeps what they set.
                "RetainAllVariantProperties": True if wanted.instance else None,
                "Tags": tags,
            },
            DependsOn=["LogGroup"],
        ),
    }


def canary_instances(wanted: Wanted) -> int:
    """Return how many instances take requests first after an update; none: all take them at once.

    A number and not a share, which SageMaker would take of the instances that run at the time: of those
    that always run, it is never more than the half that SageMaker allows.
    """
    percent = wanted.options.canary_percent
    if percent is None or wanted.floor < LEAST_CANARY_FLEET:
        return 0
    return max(1, wanted.floor * percent // 100)


def _deployment(wanted: Wanted) -> Json:
    options = wanted.options
    wait_s = options.canary_minutes * 60
    canary = canary_instances(wanted)
    routing: Json = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
    if canary:
        size = {"Type": "INSTANCE_COUNT", "Value": canary}
        routing = {"Type": "CANARY", "WaitIntervalInSeconds": wait_s, "CanarySize": size}
    deployment: Json = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": wait_s,
            "MaximumExecutionTimeoutInSeconds": UPDATE_S,
        }
    }
    if options.rollback:
        deployment["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": ref("ErrorAlarm")}]}
    return deployment


def _alarm(wanted: Wanted) -> Json:
    """Return the alarm on answers of 500 and above, which asynchronous endpoints count as well.

    https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-monitor.html
    """
    return above_zero(
        f"{wanted.endpoint}-endpoint-errors",
        NAMESPACE,
        "Invocation5XXErrors",
        statistic="Sum",
        dimensions={"EndpointName": wanted.endpoint, "VariantName": VARIANT},
        topic=wanted.options.alarm_topic,
    )
