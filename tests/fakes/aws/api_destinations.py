"""Connections and API destinations in stacks: MiniStack's EventBridge has them, its CloudFormation not."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import eventbridge
from ministack.services.cloudformation import provisioners

Properties = Mapping[str, Any]
Answer = tuple[int, Mapping[str, str], bytes]


def know_api_destinations() -> None:
    """Let stacks have both from now on."""
    handlers = provisioners._RESOURCE_HANDLERS
    handlers["AWS::Events::Connection"] = _handlers(
        eventbridge._create_connection,
        eventbridge._update_connection,
        eventbridge._delete_connection,
        "ConnectionArn",
    )
    handlers["AWS::Events::ApiDestination"] = _handlers(
        eventbridge._create_api_destination,
        eventbridge._update_api_destination,
        eventbridge._delete_api_destination,
        "ApiDestinationArn",
    )


def _handlers(
    create: Callable[[Any], Answer],
    update: Callable[[Any], Answer],
    delete: Callable[[Any], Answer],
    arn: str,
) -> Mapping[str, Callable[..., Any]]:
    def created(logical_id: str, properties: Properties, stack: str) -> tuple[str, Properties]:
        name = provisioners._physical_name(stack, logical_id, max_len=64)
        return name, {"Arn": _said(create({**properties, "Name": name}))[arn]}

    def updated(name: str, _: Properties, properties: Properties, stack: str) -> tuple[str, Properties]:
        return name, {"Arn": _said(update({**properties, "Name": name}))[arn]}

    def deleted(name: str, _: Properties) -> None:
        delete({"Name": name})

    return {"create": created, "update": updated, "delete": deleted}


def _said(answer: Answer) -> Mapping[str, Any]:
    status, _, body = answer
    if status >= 400:
        raise ValueError(body.decode())
    found: Mapping[str, Any] = json.loads(body)
    return found
