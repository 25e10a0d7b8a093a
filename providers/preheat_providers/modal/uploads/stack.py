"""The stack that tells an app of uploads, as it is and as it should be. Asks AWS, and changes it."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from preheat.plan.model import Resource
from preheat.progress import Report, Step
from preheat.project.model import ObjectCreated
from preheat_providers._aws.buckets import make_tell
from preheat_providers._aws.session import Session
from preheat_providers._aws.stacks import Stack, Stacks
from preheat_providers._aws.stacks.model import INVALID
from preheat_providers._aws.templates.names import stack_tags
from preheat_providers.modal.names import app_name, uploads_stack
from preheat_providers.modal.shipped.settings import PROVIDER
from preheat_providers.modal.uploads.template import ENDPOINT, KEY, KEY_MARK, template_of

KIND = "AWS::CloudFormation::Stack"
STAGE = "apply"


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadsStack:
    """The stack of one function and stage, in the region of `session`."""

    session: Session
    name: str
    stage: str
    sleep: Callable[[float], None] = time.sleep

    @property
    def stack(self) -> str:
        """What it is called."""
        return uploads_stack(app_name(self.name, self.stage))

    @property
    def address(self) -> str:
        """Where it is, for a record: `REGION NAME`."""
        return f"{self.session.region} {self.stack}"

    def key_mark(self) -> str | None:
        """Return the mark of the key that the stack has, or None where there is no stack that works."""
        found = self._found()
        return found.parameters.get(KEY_MARK) if found is not None else None

    def observed(self) -> tuple[Resource, ...]:
        """Return the stack as a resource to compare with what is wanted; nothing without it."""
        found = self._found()
        if found is None or found.template is None:
            return ()
        return (stack_resource(self.stack, found.template),)

    def deploy(
        self,
        uploads: Sequence[ObjectCreated],
        endpoint: str,
        *,
        boundary: str | None,
        key: str | None,
        mark: str,
        report: Report,
    ) -> None:
        """Bring the stack to what `uploads` need; a `key` of None keeps the one that it has."""
        client = self.session.client("s3")
        for each in uploads:
            region = self.session.region
            if make_tell(
                client, each.bucket, region=region, trigger=each.name, provider=PROVIDER, option="aws_region"
            ):
                report(Step(STAGE, f"the bucket {each.bucket} tells EventBridge of its uploads"))
        report(Step(STAGE, f"asking CloudFormation what differs of {self.stack}"))
        self._stacks.deploy(
            self.stack,
            template_of(app_name(self.name, self.stage), uploads, boundary=boundary),
            parameters={KEY: key, KEY_MARK: mark, ENDPOINT: endpoint},
            tags=stack_tags(self.name, self.stage),
            report=report,
        )

    def delete(self, report: Report) -> tuple[str, ...]:
        """Remove the stack; return what was removed."""
        return self._stacks.delete(self.stack, report=report)

    @property
    def _stacks(self) -> Stacks:
        return Stacks(self.session.client("cloudformation"), sleep=self.sleep)

    def _found(self) -> Stack | None:
        found = self._stacks.find(self.stack)
        return None if found is None or found.status in INVALID else found


def wanted_stack(
    name: str, stage: str, uploads: Sequence[ObjectCreated], *, boundary: str | None
) -> tuple[Resource, ...]:
    """Return the stack that `uploads` need as a resource; nothing without any."""
    if not uploads:
        return ()
    app = app_name(name, stage)
    return (stack_resource(uploads_stack(app), template_of(app, uploads, boundary=boundary)),)


def stack_resource(name: str, template: Mapping[str, Any]) -> Resource:
    """Return a stack as what its template says; the digest tells of any other difference."""
    text = json.dumps(template, sort_keys=True)
    kinds = sorted(each["Type"] for each in template["Resources"].values())
    digest = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    return Resource(kind=KIND, name=name, properties={"resources": kinds, "template": digest})
