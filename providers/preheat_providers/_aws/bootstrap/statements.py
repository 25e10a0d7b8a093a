"""The words that IAM policies are made of here: names, ARNs in the stack's own account, statements. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

Statement = dict[str, Any]

NAME = "preheat-bootstrap"
PREFIX = "preheat-*"
"""What everything that a deploy makes is called."""

BUCKET = "preheat-${AWS::AccountId}-${AWS::Region}"
BOUNDARY = "preheat-boundary-${AWS::Region}"


SCALING_ACTIONS = (
    "DeleteScalingPolicy",
    "DeleteScheduledAction",
    "DeregisterScalableTarget",
    "PutScalingPolicy",
    "PutScheduledAction",
    "RegisterScalableTarget",
)
LOG_ACTIONS = (
    "CreateLogGroup",
    "DeleteLogGroup",
    "DeleteRetentionPolicy",
    "FilterLogEvents",
    "ListTagsForResource",
    "PutRetentionPolicy",
    "TagResource",
    "UntagResource",
)


def sub(text: str) -> dict[str, str]:
    """Return `text` as CloudFormation fills it in."""
    return {"Fn::Sub": text}


def here(service: str, resource: str) -> dict[str, str]:
    """Return the ARN of a resource of the stack's account and region."""
    return sub(f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{resource}")


def iam(resource: str) -> dict[str, str]:
    """Return the ARN of a role or policy of the stack's account."""
    return sub(f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:{resource}")


ROLES = iam(f"role/{PREFIX}")


def s3(resource: str) -> dict[str, str]:
    """Return the ARN of a bucket, or of the objects in one."""
    return sub(f"arn:${{AWS::Partition}}:s3:::{resource}")


def allow(
    sid: str,
    service: str,
    actions: Sequence[str],
    resources: Sequence[Any],
    condition: Mapping[str, Any] | None = None,
) -> Statement:
    """Return the statement that lets `actions` of `service` happen to `resources`."""
    return _statement("Allow", sid, [f"{service}:{action}" for action in actions], resources, condition)


def deny(sid: str, service: str, actions: Sequence[str], resources: Sequence[Any]) -> Statement:
    """Return the statement that forbids `actions`, whatever else allows them."""
    return _statement("Deny", sid, [f"{service}:{action}" for action in actions], resources, None)


def linked_role(sid: str, service: str) -> Statement:
    """Return what lets AWS make the role that `service` works under, which an account has once.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html
    """
    role = iam(f"role/aws-service-role/{service}/*")
    named = {"StringEquals": {"iam:AWSServiceName": service}}
    return allow(sid, "iam", ["CreateServiceLinkedRole"], [role], named)


def _statement(
    effect: str,
    sid: str,
    actions: Sequence[str],
    resources: Sequence[Any],
    condition: Mapping[str, Any] | None,
) -> Statement:
    statement: Statement = {
        "Sid": sid,
        "Effect": effect,
        "Action": sorted(actions),
        "Resource": list(resources),
    }
    return statement | ({"Condition": dict(condition)} if condition else {})


def policy(*statements: Statement) -> dict[str, Any]:
    """Return a policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}
