"""What a deployed template is made of, read back by those who operate the function. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

RULE, ALARM, QUEUE = "AWS::Events::Rule", "AWS::CloudWatch::Alarm", "AWS::SQS::Queue"
FAILED_CALLS = "FailedCalls"
"""The logical id of the queue of asynchronous calls that failed for good."""
Template = Mapping[str, Any]


def code_key(template: Template) -> str:
    """Return the key of the archive that the stack gives the function."""
    key: str = template["Resources"]["Function"]["Properties"]["Code"]["S3Key"]
    return key


def upload_buckets(template: Template) -> tuple[str, ...]:
    """Return the buckets whose uploads run the function."""
    found = {bucket for _, properties in _of(template, RULE) for bucket in rule_buckets(properties)}
    return tuple(sorted(found))


def rule_buckets(rule: Mapping[str, Any]) -> list[str]:
    """Return the buckets that a rule of EventBridge listens to."""
    names: list[str] = rule["EventPattern"]["detail"]["bucket"]["name"]
    return names


def alarm_names(template: Template) -> tuple[str, ...]:
    """Return what the function's own alarms are called."""
    return tuple(properties["AlarmName"] for _, properties in _of(template, ALARM))


def dead_letter_queues(template: Template) -> dict[str, str]:
    """Return the logical id of each queue of dead letters, and that of the queue they come from."""
    found = {}
    for name, properties in _of(template, QUEUE):
        if redrive := properties.get("RedrivePolicy"):
            dead, _ = redrive["deadLetterTargetArn"]["Fn::GetAtt"]
            found[dead] = name
    return found


def keeps_failed_calls(template: Template) -> bool:
    """Say whether there is a queue of asynchronous calls that failed for good."""
    return FAILED_CALLS in template["Resources"]


def keeps_ready(template: Template) -> bool:
    """Say whether environments are kept ready, fixed or changing in number."""
    resources = template["Resources"]
    alias = resources.get("Alias", {}).get("Properties", {})
    return "ProvisionedConcurrencyConfig" in alias or "ProvisionedTarget" in resources


def _of(template: Template, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, document in template["Resources"].items():
        if document["Type"] == kind:
            yield name, document["Properties"]
