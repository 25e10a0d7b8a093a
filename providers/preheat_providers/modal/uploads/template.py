"""The stack that tells a deployed app of uploads: rules, the connection and its key, what was lost. Pure.

Buckets belong to somebody else. All that they must do is to send their events to EventBridge. EventBridge
repeats a delivery for a day, and then leaves it in the queue.
"""

from collections.abc import Sequence

from preheat.project.model import ObjectCreated
from preheat_providers._aws.templates.alarms import above_zero
from preheat_providers._aws.templates.intrinsics import (
    Json,
    Resources,
    allow,
    att,
    policy,
    ref,
    resource,
    sub,
)
from preheat_providers._aws.templates.names import logical_id
from preheat_providers._aws.templates.queues import dead_letters
from preheat_providers._aws.templates.roles import service_role
from preheat_providers._aws.templates.uploads import event_pattern

KEY, KEY_MARK, ENDPOINT = "UploadsKey", "UploadsKeyMark", "Endpoint"
"""Parameters: the key, what tells one key from the next, and where the app is told."""
HEADER = "x-preheat-uploads-key"
CONNECTION, DESTINATION, ROLE, LOST = "Connection", "Destination", "CallingRole", "Lost"
SERVICE = "events.amazonaws.com"
ATTEMPTS, LONGEST_S = 185, 24 * 3600
"""What EventBridge does at most:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html, read on 2026-11-21."""
CALLS_A_SECOND = 100


def template_of(app: str, uploads: Sequence[ObjectCreated], *, boundary: str | None = None) -> Json:
    """Return the template for the triggers `uploads` of `app`; `boundary` is the policy of its role."""
    rules = {_rule_id(each): _rule(each) for each in uploads}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"preheat: uploads for {app} on Modal",
        "Parameters": {
            KEY: {"Type": "String", "NoEcho": True, "MinLength": 32},
            KEY_MARK: {"Type": "String"},
            ENDPOINT: {"Type": "String"},
        },
        "Resources": {**_way(boundary), **_lost(list(rules), app), **rules},
    }


def _way(boundary: str | None) -> Resources:
    """Return how events get to Modal."""
    key = {"ApiKeyName": HEADER, "ApiKeyValue": ref(KEY)}
    call = allow("Call", ["events:InvokeApiDestination"], [att(DESTINATION)])
    return {
        CONNECTION: resource(
            "AWS::Events::Connection",
            {
                "Description": sub(f"The key ${{{KEY_MARK}}}"),
                "AuthorizationType": "API_KEY",
                "AuthParameters": {"ApiKeyAuthParameters": key},
            },
        ),
        DESTINATION: resource(
            "AWS::Events::ApiDestination",
            {
                "ConnectionArn": att(CONNECTION),
                "HttpMethod": "POST",
                "InvocationEndpoint": ref(ENDPOINT),
                "InvocationRateLimitPerSecond": CALLS_A_SECOND,
            },
        ),
        ROLE: service_role(SERVICE, call, boundary=boundary),
    }


def _lost(rules: list[str], app: str) -> Resources:
    sending = {
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": "sqs:SendMessage",
        "Resource": att(LOST),
        "Condition": {"ArnEquals": {"aws:SourceArn": [att(rule) for rule in rules]}},
    }
    return {
        LOST: dead_letters(),
        "LostPolicy": resource(
            "AWS::SQS::QueuePolicy", {"Queues": [ref(LOST)], "PolicyDocument": policy(sending)}
        ),
        "LostAlarm": above_zero(
            f"{app}-lost-uploads",
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            statistic="Maximum",
            dimensions={"QueueName": att(LOST, "QueueName")},
            topic=None,
        ),
    }


def _rule(upload: ObjectCreated) -> Json:
    target = {
        "Id": "modal",
        "Arn": att(DESTINATION),
        "RoleArn": att(ROLE),
        "RetryPolicy": {"MaximumRetryAttempts": ATTEMPTS, "MaximumEventAgeInSeconds": LONGEST_S},
        "DeadLetterConfig": {"Arn": att(LOST)},
    }
    return resource("AWS::Events::Rule", {"EventPattern": event_pattern(upload), "Targets": [target]})


def _rule_id(upload: ObjectCreated) -> str:
    return logical_id("UploadRule", upload.name)
