"""Reads stacks. Touches nothing."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from preheat_providers._aws.errors import translated
from preheat_providers._aws.stacks.model import GONE, INVALID, Stack

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

ABSENT = "does not exist"
"""CloudFormation has no code of its own for a stack that is not there: ValidationError, and this text."""


def find(client: "CloudFormationClient", name: str) -> Stack | None:
    """Return the stack of this name or id with its template, None if there is none. Raises ProviderError."""
    from botocore.exceptions import ClientError

    with translated(f"The stack {name} cannot be read"):
        try:
            answer = client.describe_stacks(StackName=name)
        except ClientError as error:
            if ABSENT in error.response.get("Error", {}).get("Message", ""):
                return None
            raise
        found = answer["Stacks"][0]
        if found["StackStatus"] == GONE:
            return None
        exists = found["StackStatus"] not in INVALID
        return _stack(found, _template(client, found["StackId"]) if exists else {})


def state(client: "CloudFormationClient", stack_id: str) -> Stack:
    """Return the stack of this id without its template, also when it is gone. Raises ProviderError."""
    with translated(f"The stack {stack_id} cannot be read"):
        return _stack(client.describe_stacks(StackName=stack_id)["Stacks"][0], {})


def resources(client: "CloudFormationClient", stack: Stack) -> dict[str, str]:
    """Return what the stack still has, by logical id, as "TYPE physical-id". Raises ProviderError."""
    with translated(f"The resources of the stack {stack.name} cannot be listed"):
        pages = client.get_paginator("list_stack_resources").paginate(StackName=stack.id)
        return {
            found["LogicalResourceId"]: f"{found['ResourceType']} {found['PhysicalResourceId']}"
            for page in pages
            for found in page["StackResourceSummaries"]
            if found["ResourceStatus"] != GONE and found.get("PhysicalResourceId")
        }


def listed(client: "CloudFormationClient", tags: Mapping[str, str]) -> tuple[Stack, ...]:
    """Return the stacks that carry all of `tags`, without templates. Raises ProviderError."""
    with translated("The stacks of this account cannot be listed"):
        pages = client.get_paginator("describe_stacks").paginate()
        stacks = [_stack(found, {}) for page in pages for found in page["Stacks"]]
    return tuple(stack for stack in stacks if tags.items() <= stack.tags.items())


def _template(client: "CloudFormationClient", stack_id: str) -> Mapping[str, Any]:
    body: object = client.get_template(StackName=stack_id, TemplateStage="Original")["TemplateBody"]
    return body if isinstance(body, Mapping) else {}  # YAML comes as text, and no stack of ours is that


def _stack(found: "StackTypeDef", template: Mapping[str, Any]) -> Stack:
    return Stack(
        name=found["StackName"],
        id=found["StackId"],
        status=found["StackStatus"],
        reason=found.get("StackStatusReason"),
        template=template,
        parameters={
            each["ParameterKey"]: each.get("ParameterValue", "") for each in found.get("Parameters", [])
        },
        outputs={each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])},
        tags={each["Key"]: each["Value"] for each in found.get("Tags", [])},
    )
