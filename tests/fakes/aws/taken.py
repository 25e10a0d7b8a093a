"""CloudFormation refuses to make what somebody else has made under that name; MiniStack would take it over.

The words are CloudFormation's own, as tests/fakes/aws_errors.json has them recorded.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import cloudwatch_logs, lambda_svc, scheduler
from ministack.services.cloudformation import provisioners

NAMED: Mapping[str, tuple[str, Callable[[str], bool]]] = {
    "AWS::Lambda::Function": ("FunctionName", lambda name: name in lambda_svc._functions),
    "AWS::Logs::LogGroup": ("LogGroupName", lambda name: name in cloudwatch_logs._log_groups),
    "AWS::Scheduler::Schedule": ("Name", lambda name: f"default/{name}" in scheduler._schedules),
}
"""Types of resources with the property that names one, and whether there is one of that name."""


def refuse_taken_names() -> None:
    """Let the creation of what exists fail from now on."""
    for kind, (key, exists) in NAMED.items():
        handler = provisioners._RESOURCE_HANDLERS[kind]
        handler["create"] = _refusing(kind, key, exists, handler["create"])


def _refusing(
    kind: str, key: str, exists: Callable[[str], bool], create: Callable[..., Any]
) -> Callable[..., Any]:
    def refusing(logical_id: str, properties: Mapping[str, Any], stack: str) -> Any:
        name = properties.get(key)  # without one, CloudFormation draws it
        if name is not None and exists(name):
            raise ValueError(
                f"Resource handler returned message: \"Resource of type '{kind}' with identifier "
                f"'{name}' already exists.\" (RequestToken: 1, HandlerErrorCode: AlreadyExists)"
            )
        return create(logical_id, properties, stack)

    return refusing
