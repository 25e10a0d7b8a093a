"""Change sets: what an update would do, made, awaited, run, or removed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from preheat.errors import ProviderError
from preheat_providers._aws.errors import explain, translated
from preheat_providers._aws.scrubbing import plain
from preheat_providers._aws.stacks.checks import CALLS_FOR_THEM, found_in_change_set
from preheat_providers._aws.stacks.failures import told
from preheat_providers._aws.stacks.model import StackFailed
from preheat_providers._aws.stacks.waiting import Waiting

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import DescribeChangeSetOutputTypeDef, ParameterTypeDef

BODY_BYTES = 51_200
"""Of a template in the request itself:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html (2026-11-21)"""

UNCHANGED = ("didn't contain changes", "No updates are to be performed", "There are no changes")
"""How CloudFormation says that nothing differs; the first two for the same request, as it seems at random:
https://github.com/ansible-collections/amazon.aws/pull/507"""

Kind = Literal["CREATE", "UPDATE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of a stack, asked for under a name of its own."""

    stack: str
    kind: Kind
    name: str
    body: str
    parameters: Mapping[str, str | None]
    tags: Mapping[str, str]


def change(
    stack: str,
    kind: Kind,
    template: Mapping[str, Any],
    parameters: Mapping[str, str | None],
    tags: Mapping[str, str],
) -> Change:
    """Return what to ask for. Raises ProviderError for a template that is too large."""
    # In ASCII: GetTemplate gives question marks back for all else
    body = json.dumps(template, separators=(",", ":"))
    if len(body) > BODY_BYTES:
        raise ProviderError(
            f"The template of the stack {stack} has {len(body):,} bytes, and CloudFormation takes "
            f"{BODY_BYTES:,}: {len(body) - BODY_BYTES:,} too many.",
            hint="fewer triggers, alarms and variables in one project: see preheat plan --template",
        )
    return Change(
        stack=stack,
        kind=kind,
        name=f"preheat-{uuid4().hex}",
        body=body,
        parameters=parameters,
        tags=tags,
    )


class Changes:
    """Change sets of one account and region."""

    def __init__(self, client: "CloudFormationClient", waiting: Waiting) -> None:
        self._client = client
        self._waiting = waiting

    def prepared(self, wanted: Change) -> str | None:
        """Make the change set; return the stack's id, None if nothing differs. Raises ProviderError."""
        from botocore.exceptions import ClientError

        with translated(f"The stack {wanted.stack} cannot be changed"):
            try:
                made = self._client.create_change_set(
                    StackName=wanted.stack,
                    ChangeSetName=wanted.name,
                    ClientToken=wanted.name,
                    ChangeSetType=wanted.kind,
                    TemplateBody=wanted.body,
                    Parameters=_parameters(wanted.parameters),
                    Tags=[{"Key": key, "Value": value} for key, value in sorted(wanted.tags.items())],
                    Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
                )
            except ClientError as error:
                if _unchanged(error.response.get("Error", {}).get("Message", "")):
                    return None
                raise
        return made["StackId"] if self._ready(wanted, made["Id"]) else None

    def run(self, wanted: Change) -> None:
        """Begin with the change. Raises ProviderError."""
        with translated(f"The stack {wanted.stack} cannot be changed"):
            self._client.execute_change_set(
                StackName=wanted.stack,
                ChangeSetName=wanted.name,
                ClientRequestToken=wanted.name,
                # Nobody keeps a release that never worked, nor what of it was to be retained
                RetainExceptOnCreate=True,
            )

    def remove(self, wanted: Change) -> bool:
        """Remove a change set that is not to be run, and say whether there was one that did not run."""
        from botocore.exceptions import ClientError

        with translated(f"The change set {wanted.name} cannot be removed"):
            try:
                self._client.delete_change_set(StackName=wanted.stack, ChangeSetName=wanted.name)
            except ClientError as error:
                code = error.response.get("Error", {}).get("Code", "")
                if code not in {"InvalidChangeSetStatus", "ChangeSetNotFound", "ValidationError"}:
                    raise
                return False
        return True

    def _ready(self, wanted: Change, change_set: str) -> bool:
        """Wait for the change set; return whether it holds any change. Raises StackFailed."""

        def ask() -> "DescribeChangeSetOutputTypeDef | None":
            answer = self._client.describe_change_set(StackName=wanted.stack, ChangeSetName=change_set)
            return answer if answer["Status"] in {"CREATE_COMPLETE", "FAILED"} else None

        with translated(f"The change set of the stack {wanted.stack} cannot be read"):
            found = self._waiting.until(ask, f"The change set of the stack {wanted.stack}")
        if found["Status"] == "CREATE_COMPLETE":
            return True
        reason = found.get("StatusReason", "CloudFormation gives no reason")
        if _unchanged(reason):
            self.remove(wanted)  # a stack keeps those that failed, up to a limit
            return False
        raise self._refusal(wanted, change_set, reason)

    def _refusal(self, wanted: Change, change_set: str, reason: str) -> StackFailed:
        found = found_in_change_set(self._client, change_set) if CALLS_FOR_THEM in reason else ()
        said = told(found) or plain(reason)
        fix = explain(found[0].code, found[0].reason) if found else explain(None, reason)
        message = f"The stack {wanted.stack} cannot be changed: {said.rstrip('.')}."
        return StackFailed(
            f"{message} {fix.why}" if fix is not None else message,
            hint=fix.hint.replace(" ARN ", f" {change_set} ") if fix is not None else None,
            status=None,
            failures=found,
        )


def _unchanged(reason: str) -> bool:
    return any(text in reason for text in UNCHANGED)


def _parameters(values: Mapping[str, str | None]) -> "list[ParameterTypeDef]":
    return [
        {"ParameterKey": key, "UsePreviousValue": True}
        if value is None
        else {"ParameterKey": key, "ParameterValue": value}
        for key, value in sorted(values.items())
    ]
