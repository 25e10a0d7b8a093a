"""What a deployed template is made of, read back by those who operate it. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

RULE, ALARM, QUEUE = "AWS::Events::Rule", "AWS::CloudWatch::Alarm", "AWS::SQS::Queue"
Template = Mapping[str, Any]


def upload_buckets(template: Template) -> tuple[str, ...]:
    """Return the buckets of somebody else to whose uploads a rule listens."""
    rules = (properties for _, properties in of_kind(template, RULE))
    found = {each for rule in rules for each in rule_buckets(rule) if isinstance(each, str)}
    return tuple(sorted(found))


def rule_buckets(rule: Mapping[str, Any]) -> list[Any]:
    """Return the buckets that a rule of EventBridge listens to; the stack's own is a reference."""
    names: list[Any] = rule["EventPattern"]["detail"]["bucket"]["name"]
    return names


def alarm_names(template: Template) -> tuple[str, ...]:
    """Return what its own alarms are called."""
    return tuple(properties["AlarmName"] for _, properties in of_kind(template, ALARM))


def of_kind(template: Template, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield logical id and properties of every resource of a kind."""
    for name, document in template["Resources"].items():
        if document["Type"] == kind:
            yield name, document["Properties"]
