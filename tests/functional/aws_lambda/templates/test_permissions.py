"""No template allows more than it names: no action by wildcard, `*` only where an action knows no thing."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from tests.fakes.lambda_templates import EVERY_TRIGGER, properties, statements, template
from tests.fakes.template_variants import every_variant

from preheat_providers._aws.templates.reading import Permission, permission_list
from preheat_providers.aws_lambda.options import Options

WITHOUT_RESOURCES = frozenset({"xray:PutTraceSegments", "xray:PutTelemetryRecords"})
"""Actions that know no resources, so that only `*` allows them. Read on 2026-11-21:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html"""

PUBLIC = frozenset({"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"})
"""What everybody may do at an endpoint without IAM: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"""


def too_wide(permission: Permission) -> bool:
    if "*" in permission.action or "?" in permission.action:
        return True
    if permission.principal is not None and permission.principal.startswith("*"):
        return permission.action not in PUBLIC or permission.resource != "${Alias}"
    if permission.resource == "*":
        return permission.action not in WITHOUT_RESOURCES
    return not _names_a_thing(permission.resource)


def _names_a_thing(resource: str) -> bool:
    """Whether an ARN names a bucket, a queue or the like before any wildcard."""
    if resource.startswith("${"):
        return True
    *_, thing = re.sub(r"\$\{AWS::(\w+)\}", r"\1", resource).split(":", 5)
    return not thing.startswith(("*", "?"))


def wide(made: dict[str, Any]) -> list[str]:
    return [str(permission) for permission in permission_list(made) if too_wide(permission)]


def test_no_template_allows_more_than_it_names() -> None:
    found = {str(each): too_much for each in every_variant() if (too_much := wide(each.template()))}
    assert found == {}


def test_nothing_is_allowed_by_what_the_list_does_not_read(made: dict[str, Any]) -> None:
    """Managed policies, policies of their own and lists of what is not allowed would go unseen."""
    kinds = {each["Type"] for each in made["Resources"].values()}
    assert not kinds & {
        "AWS::IAM::Policy",
        "AWS::IAM::ManagedPolicy",
        "AWS::S3::BucketPolicy",
        "AWS::Logs::ResourcePolicy",
    }
    text = json.dumps(made)
    assert not [
        word for word in ("ManagedPolicyArns", "NotAction", "NotResource", "NotPrincipal") if word in text
    ]


def test_every_role_has_the_boundary_if_there_is_one(made: dict[str, Any]) -> None:
    roles = [each["Properties"] for each in made["Resources"].values() if each["Type"] == "AWS::IAM::Role"]
    bounded = [role for role in roles if "PermissionsBoundary" in role]
    assert bounded in ([], roles)


def every_action(made: dict[str, Any]) -> None:
    statements(made)["Uploads"]["Action"] = ["s3:*"]


def every_object(made: dict[str, Any]) -> None:
    statements(made)["Uploads"]["Resource"] = ["*"]


def every_bucket(made: dict[str, Any]) -> None:
    statements(made)["Uploads"]["Resource"] = [{"Fn::Sub": "arn:${AWS::Partition}:s3:::*/in/*"}]


def everybody(made: dict[str, Any]) -> None:
    properties(made, "UrlPermission")["Action"] = "lambda:UpdateFunctionCode"


@pytest.mark.parametrize("fault", [every_action, every_object, every_bucket, everybody])
def test_a_planted_permission_is_found(fault: Callable[[dict[str, Any]], None]) -> None:
    made = template(*EVERY_TRIGGER, options=Options(jobs=True))
    fault(made)
    assert wide(made)
