"""Wires what runs without a request: one object for each kind of event, over one client for each service."""

from collections.abc import Callable, Mapping
from typing import Any

from preheat.interface.message import Request, Response
from preheat.runtime.objects.events import objects_of
from preheat.runtime.objects.storage import S3Storage
from preheat_providers.aws_lambda.shipped.context import LambdaContext
from preheat_providers.aws_lambda.shipped.events.client import dynamodb_client, s3_client
from preheat_providers.aws_lambda.shipped.events.messages import Messages
from preheat_providers.aws_lambda.shipped.events.once import EveryTime, Once, OnceInTable
from preheat_providers.aws_lambda.shipped.events.report import LogReport
from preheat_providers.aws_lambda.shipped.events.ticks import Ticks
from preheat_providers.aws_lambda.shipped.events.uploads import Uploads
from preheat_providers.aws_lambda.shipped.events.work import Worker
from preheat_providers.aws_lambda.shipped.settings import Settings
from preheat_providers.aws_lambda.shipped.shapes import Kind


class Events:
    """Runs the events of the function called `name`; `limit` bounds an object, in bytes."""

    def __init__(
        self, name: str, settings: Settings, invoke: Callable[[Request], Response], *, limit: int
    ) -> None:
        storage = S3Storage(s3_client())
        once: Once = EveryTime()
        if settings.table is not None:
            function = f"{name}@{settings.stage}"
            once = OnceInTable(dynamodb_client(), settings.table, function=function)
        triggers = settings.triggers
        self._report = LogReport(name, settings.stage)
        worker = Worker(invoke, once, self._report)
        self._uploads = Uploads(triggers.uploads, storage, worker, self._report, limit=limit)
        self._messages = Messages(triggers.queues, self._uploads, worker, self._report)
        self._ticks = Ticks(triggers.ticks, worker)

    def handle(self, kind: Kind, event: Mapping[str, Any], context: LambdaContext) -> Any:
        """Run `event`, and return what its source wants to be told. Raises what is to be tried again."""
        self._report.begin(context)
        try:
            match kind:
                case "sqs":
                    return self._messages.deliver(event, context)
                case "schedule":
                    self._ticks.deliver(event, context)
                case _:
                    self._uploads.deliver(objects_of(event), context)
        finally:
            self._report.end()
        return None
