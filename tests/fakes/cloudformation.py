"""CloudFormation with one stack, behind a real boto3 client: no network, and time passes when we sleep."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from tests.fakes.aws_errors import handler

from preheat.progress import Event
from preheat_providers._aws.stacks import Stack, Stacks

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

ID = "arn:aws:cloudformation:eu-central-1:123456789012:stack/preheat-ocr-prod/5f1c"
CHANGE_SET = "arn:aws:cloudformation:eu-central-1:123456789012:changeSet/preheat-1/9a2b"
NAME = "preheat-ocr-prod"
STACK = "AWS::CloudFormation::Stack"
WHEN = datetime(2026, 11, 21, tzinfo=UTC)
PAGE = 3
TEMPLATE = {"Resources": {"Function": {"Type": "AWS::Lambda::Function"}}}
TAGS = {"preheat:name": "ocr", "preheat:stage": "prod"}
MEMORY = handler(
    "'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to 3008"
)


@dataclass(frozen=True)
class Told:
    """One event, as the stack tells it."""

    resource: str
    status: str
    reason: str = ""
    type: str = "AWS::Lambda::Function"


@dataclass(frozen=True)
class Moment:
    """What the stack comes to when the next seconds have passed; None leaves its state as it is."""

    status: str | None
    events: tuple[Told, ...] = ()


def course(verb: str, *events: Told, end: str | None = None) -> list[Moment]:
    """Return the usual course: in progress, then at an end."""
    return [Moment(f"{verb}_IN_PROGRESS"), Moment(None, events), Moment(end or f"{verb}_COMPLETE")]


def rolled_back(verb: str, *events: Told) -> list[Moment]:
    """Return the course of an operation that fails."""
    prefix = "" if verb == "CREATE" else f"{verb}_"
    return [*course(verb, *events, end=f"{prefix}ROLLBACK_IN_PROGRESS"), Moment(f"{prefix}ROLLBACK_COMPLETE")]


@dataclass(frozen=True)
class Refused(Exception):
    """The service's answer to a call that it does not take."""

    code: str
    message: str
    status: int = 400


@dataclass
class FakeCloudFormation:
    """The stack NAME: `status` None is no stack. `calls` are those that change something, in their order."""

    status: str | None = None
    reason: str | None = None
    template: Mapping[str, Any] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    executed: list[Moment] = field(default_factory=lambda: course("CREATE"))
    deleted: list[Moment] = field(default_factory=lambda: course("DELETE"))
    going_on: list[Moment] = field(default_factory=list)
    change: list[tuple[str, str | None]] = field(default_factory=lambda: [("CREATE_COMPLETE", None)])
    findings: list[tuple[str, str]] = field(default_factory=list)
    resources: dict[str, tuple[str, str]] = field(default_factory=dict)
    refused: dict[str, Refused | BaseException] = field(default_factory=dict)
    interrupt_after: int | None = None
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    now: float = 0.0
    told: list[dict[str, Any]] = field(default_factory=list)
    mute: bool = False
    stale: int = 0
    """So many answers about the state are still those of before an operation began."""

    def __post_init__(self) -> None:
        self.client: CloudFormationClient = boto3.client(
            "cloudformation",
            region_name="eu-central-1",
            aws_access_key_id="AKIATESTONLY",
            aws_secret_access_key="never-to-be-logged",
        )
        self._asked: dict[str, Any] = {}
        self._wanted: dict[str, Any] = {}
        self._before: str | None = None
        events = self.client.meta.events
        events.register("before-parameter-build.cloudformation", self._note)
        events.register("before-call.cloudformation", self._answer)

    @property
    def changes(self) -> list[str]:
        return [name for name, _ in self.calls]

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let the next moment come."""
        self.now += seconds
        if self.interrupt_after is not None:
            self.interrupt_after -= 1
            if self.interrupt_after < 0:
                raise KeyboardInterrupt
        if len(self.change) > 1:
            self.change.pop(0)
        if self.going_on:
            self._come(self.going_on.pop(0))

    def tell(self, event: Told) -> None:
        of_stack = event.type == STACK
        self.told.append(
            {
                "StackId": ID,
                "EventId": f"event-{len(self.told)}",
                "StackName": NAME,
                "LogicalResourceId": event.resource,
                "PhysicalResourceId": ID if of_stack else event.resource.lower(),
                "ResourceType": event.type,
                "ResourceStatus": event.status,
                "ResourceStatusReason": event.reason,
                "OperationId": "now",
                "Timestamp": WHEN,
            }
        )

    def _come(self, moment: Moment) -> None:
        for event in moment.events:
            self.tell(event)
        if moment.status is not None:
            self.status = moment.status
            self.tell(Told(NAME, moment.status, type=STACK))
            if moment.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"} and self._wanted:
                self.template = json.loads(self._wanted["TemplateBody"])
                self.tags = {each["Key"]: each["Value"] for each in self._wanted["Tags"]}

    def _note(self, params: dict[str, Any], **_: Any) -> None:
        self._asked = dict(params)

    def _answer(self, model: Any, **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        handle: Callable[[dict[str, Any]], dict[str, Any]] = getattr(self, f"_{model.name}")
        if model.name not in READING:
            self.calls.append((model.name, self._asked))
        try:
            if (refusal := self.refused.get(model.name)) is not None:
                raise refusal
            return AWSResponse("", 200, HTTPHeaders(), None), handle(self._asked)
        except Refused as error:
            answer = {"Error": {"Code": error.code, "Message": error.message}, "ResponseMetadata": {}}
            return AWSResponse("", error.status, HTTPHeaders(), None), answer

    def _DescribeStacks(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked.get("StackName")
        gone = self.status is None or (self.status == "DELETE_COMPLETE" and name != ID)
        if gone or name not in {None, NAME, ID}:
            if name is None:
                return {"Stacks": []}
            raise Refused("ValidationError", f"Stack with id {name} does not exist")
        status = self.status
        if self.stale and self._before is not None:
            self.stale -= 1
            status = self._before
        return {"Stacks": [self._described(status or "")]}

    def _described(self, status: str) -> dict[str, Any]:
        return {
            "StackId": ID,
            "StackName": NAME,
            "StackStatus": status,
            "CreationTime": WHEN,
            **({"StackStatusReason": self.reason} if self.reason else {}),
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": "****"} for key in sorted(self.parameters)
            ],
            "Outputs": [{"OutputKey": "Endpoint", "OutputValue": "https://example.org/"}],
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()],
        }

    def _GetTemplate(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"TemplateBody": dict(self.template)}

    def _DescribeStackEvents(self, asked: dict[str, Any]) -> dict[str, Any]:
        newest_first = [] if self.mute else self.told[::-1]
        start = int(asked.get("NextToken", "0"))
        end = start + PAGE
        more = {"NextToken": str(end)} if end < len(newest_first) else {}
        return {"StackEvents": newest_first[start:end], **more}

    def _ListStackResources(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {
            "StackResourceSummaries": [
                {
                    "LogicalResourceId": name,
                    "PhysicalResourceId": physical,
                    "ResourceType": kind,
                    "ResourceStatus": "CREATE_COMPLETE",
                    "LastUpdatedTimestamp": WHEN,
                }
                for name, (kind, physical) in self.resources.items()
            ]
        }

    def _CreateChangeSet(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._wanted = asked
        if asked["ChangeSetType"] == "CREATE":
            self._come(Moment("REVIEW_IN_PROGRESS"))
        return {"Id": CHANGE_SET, "StackId": ID}

    def _DescribeChangeSet(self, asked: dict[str, Any]) -> dict[str, Any]:
        status, reason = self.change[0]
        return {"Status": status, **({"StatusReason": reason} if reason else {})}

    def _DescribeEvents(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert asked.get("ChangeSetName", asked.get("StackName")) in {CHANGE_SET, ID}
        assert asked["Filters"] == {"FailedEvents": True}
        events = [
            {
                "LogicalResourceId": "Function",
                "ResourceType": "AWS::Lambda::Function",
                "OperationId": operation,
                "ValidationStatusReason": reason,
            }
            for operation, reason in self.findings
        ]
        return {"OperationEvents": [{"LogicalResourceId": NAME, "OperationId": "now"}, *events]}

    def _ExecuteChangeSet(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self._begin(self.executed)

    def _DeleteStack(self, asked: dict[str, Any]) -> dict[str, Any]:
        if self.status == "UPDATE_IN_PROGRESS":
            said = f"Stack [{NAME}] cannot be deleted while in status {self.status}"
            raise Refused("ValidationError", said)
        return self._begin(self.deleted)

    def _begin(self, moments: list[Moment]) -> dict[str, Any]:
        self._before = self.status
        self.going_on = list(moments)
        self._come(self.going_on.pop(0))
        return {}

    def _DeleteChangeSet(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {}


def deployed(
    cloud: FakeCloudFormation,
    *,
    parameters: dict[str, str | None] | None = None,
    told: list[Event] | None = None,
) -> Stack:
    stacks = Stacks(cloud.client, sleep=cloud.sleep, clock=cloud.clock)
    report = (told if told is not None else []).append
    return stacks.deploy(NAME, TEMPLATE, parameters=parameters or {}, tags=TAGS, report=report)


READING = frozenset(
    (
        "DescribeStacks",
        "DescribeStackEvents",
        "DescribeChangeSet",
        "DescribeEvents",
        "GetTemplate",
        "ListStackResources",
    )
)
