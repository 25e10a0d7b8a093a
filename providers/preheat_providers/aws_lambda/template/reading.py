"""A template as resources for the plan: what a deploy wants, and what the stack has."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from preheat.plan.model import Resource

FUNCTION, VERSION = "AWS::Lambda::Function", "AWS::Lambda::Version"
PERMISSION = "permission"
DERIVED = {"AWS::IAM::Role": "Policies", FUNCTION: "Description", "AWS::Lambda::Alias": "FunctionVersion"}
"""Properties that say what other resources say already."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Permission:
    """One action that is allowed on one thing; `principal` is who may, None for the function itself."""

    action: str
    resource: str
    principal: str | None = None

    def __str__(self) -> str:
        who = f" by {self.principal}" if self.principal else ""
        return f"{self.action} on {self.resource}{who}"


def resources_of(template: Mapping[str, Any]) -> tuple[Resource, ...]:
    """Return the resources of `template`, references written as `${NAME}`, and each permission by itself.

    The version is called `Version`, whatever its logical id, and the function lacks its description,
    so that a change of code is one of `Code.S3Key` and of the version alone.
    """
    resources = [_resource(name, document) for name, document in template["Resources"].items()]
    permissions = [
        Resource(kind=PERMISSION, name=str(each), properties={}) for each in permission_list(template)
    ]
    return (*resources, *permissions)


def permission_list(template: Mapping[str, Any]) -> tuple[Permission, ...]:
    """Return everything that `template` allows to anybody, in order."""
    found: set[Permission] = set()
    for name, document in template["Resources"].items():
        found.update(_permissions(name, document["Type"], document["Properties"]))
    return tuple(sorted(found, key=str))


def _resource(name: str, document: Mapping[str, Any]) -> Resource:
    kind = document["Type"]
    derived = DERIVED.get(kind)
    properties = {key: value for key, value in document["Properties"].items() if key != derived}
    if kind == FUNCTION:
        properties |= document.get("Metadata", {})
    return Resource(kind=kind, name="Version" if kind == VERSION else name, properties=text_of(properties))


def _permissions(name: str, kind: str, properties: Mapping[str, Any]) -> Iterator[Permission]:
    match kind:
        case "AWS::IAM::Role":
            who = None if name == "Role" else f"${{{name}}}"
            for policy in properties["Policies"]:
                yield from _allowed(policy["PolicyDocument"], who)
        case "AWS::SQS::QueuePolicy":
            yield from _allowed(properties["PolicyDocument"], None)
        case "AWS::Lambda::Permission":
            yield Permission(
                action=properties["Action"],
                resource=text_of(properties["FunctionName"]),
                principal=_caller(properties),
            )


def _caller(properties: Mapping[str, Any]) -> str:
    through = " through the Function URL" if properties.get("InvokedViaFunctionUrl") else ""
    return f"{properties['Principal']}{through}"


def _allowed(document: Mapping[str, Any], who: str | None) -> Iterator[Permission]:
    for statement in document["Statement"]:
        principal = statement.get("Principal", {}).get("Service", who)
        for action in _listed(statement["Action"]):
            for each in _listed(statement["Resource"]):
                yield Permission(action=action, resource=text_of(each), principal=principal)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def text_of(value: Any) -> Any:
    """Return `value` with the functions of CloudFormation in it written as text, as `Fn::Sub` has it."""
    match value:
        case {"Ref": str(name)}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"${{{name}.{attribute}}}"
        case {"Fn::Sub": str(text)}:
            return text.replace("${!", "${")
        case dict():
            return {key: text_of(each) for key, each in value.items()}
        case list():
            return [text_of(each) for each in value]
        case _:
            return value
