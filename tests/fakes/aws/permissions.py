"""The policies of the bootstrap stack as IAM gets them, and what IAM would say of a request."""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from tests.fakes.lambda_templates import iam_matches

from preheat_providers._aws.bootstrap.document import document

ACCOUNT, REGION = "123456789012", "ap-southeast-1"
BUCKET = f"preheat-{ACCOUNT}-{REGION}"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/preheat-boundary-{REGION}"
NAMES = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "Bucket": BUCKET}
RESOURCES: Mapping[str, Any] = document()["Resources"]

Policy = dict[str, Any]
Statement = dict[str, Any]


def here(service: str, resource: str) -> str:
    """The ARN of something in the account and region."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def filled(value: Any) -> Any:
    """`value` as CloudFormation fills it in."""
    match value:
        case {"Fn::Sub": [str(text), dict()]} | {"Fn::Sub": str(text)}:
            for name, replacement in NAMES.items():
                text = text.replace("${" + name + "}", replacement)
            return text
        case {"Ref": "Boundary"}:
            return BOUNDARY
        case {"Ref": "AWS::AccountId"}:
            return ACCOUNT
        case dict():
            return {key: filled(each) for key, each in value.items()}
        case list():
            return [filled(each) for each in value]
    return value


def own() -> Policy:
    """The policy within the deploy role."""
    policy: Policy = filled(RESOURCES["DeployRole"]["Properties"]["Policies"][0]["PolicyDocument"])
    return policy


def attached() -> Mapping[str, Policy]:
    """The policies beside it, by their names."""
    names = [each["Ref"] for each in RESOURCES["DeployRole"]["Properties"]["ManagedPolicyArns"]]
    properties = [filled(RESOURCES[name]["Properties"]) for name in names]
    return {each["ManagedPolicyName"]: each["PolicyDocument"] for each in properties}


def deploying() -> tuple[Policy, ...]:
    """Everything that the deploy role has."""
    return (own(), *attached().values())


def bounding() -> Policy:
    """The boundary."""
    policy: Policy = filled(RESOURCES["Boundary"]["Properties"]["PolicyDocument"])
    return policy


def statements(effect: str, *policies: Policy) -> Iterator[Statement]:
    """The statements of that effect; without `policies`, of all that the stack has."""
    for policy in policies or (*deploying(), bounding()):
        yield from (each for each in policy["Statement"] if each["Effect"] == effect)


def allowed(policies: Sequence[Policy], action: str, resource: str, **context: str) -> bool:
    """Say what IAM would; `context` is what is known of the request, by the keys of conditions."""
    effects = {
        statement["Effect"]
        for policy in policies
        for statement in policy["Statement"]
        if _applies(statement, action, resource, context)
    }
    return effects == {"Allow"}


def _applies(statement: Statement, action: str, resource: str, context: Mapping[str, str]) -> bool:
    return (
        action in statement["Action"]
        and any(iam_matches(pattern, resource) for pattern in statement["Resource"])
        and all(
            _holds(operator, context.get(key), wanted)
            for operator, tests in statement.get("Condition", {}).items()
            for key, wanted in tests.items()
        )
    )


def _holds(operator: str, value: str | None, wanted: str | list[str]) -> bool:
    patterns = [wanted] if isinstance(wanted, str) else wanted
    match operator:
        case "Null":
            return (value is None) == (wanted == "true")
        case "StringEquals":
            return value in patterns
        case "StringLike" | "ArnLike":
            return value is not None and any(fnmatchcase(value, pattern) for pattern in patterns)
    raise AssertionError(f"no condition that is known here: {operator}")
