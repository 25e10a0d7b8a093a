"""A template as people and the plan read it: its references as text, and everything that it allows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from preheat.plan.model import Resource

PERMISSION = "permission"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Permission:
    """One action that is allowed on one thing; `principal` is who may, None for the function itself."""

    action: str
    resource: str
    principal: str | None = None

    def __str__(self) -> str:
        who = f" by {self.principal}" if self.principal else ""
        return f"{self.action} on {self.resource}{who}"


def permission_list(template: Mapping[str, Any]) -> tuple[Permission, ...]:
    """Return everything that `template` allows to anybody, in order."""
    found: set[Permission] = set()
    for name, document in template["Resources"].items():
        found.update(_permissions(name, document["Type"], document["Properties"]))
    return tuple(sorted(found, key=str))


def permission_resources(template: Mapping[str, Any]) -> tuple[Resource, ...]:
    """Return each permission as a resource of the plan."""
    return tuple(
        Resource(kind=PERMISSION, name=str(each), properties={}) for each in permission_list(template)
    )


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
