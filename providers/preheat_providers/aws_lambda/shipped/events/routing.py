"""Wires what runs without a request: one object for each kind of event, over one client for each service.

What a kind needs is imported, and its clients are made, where a trigger brings events of that kind.
"""

from collections.abc import Callable, Mapping
from typing import Any

from preheat.interface.message import Request, Response
from preheat.runtime.objects.events import objects_of
from preheat.runtime.objects.storage import S3Storage
from preheat_providers.aws_lambda.shipped.context import LambdaContext
from preheat_providers.aws_lambda.shipped.events.client import dynamodb_client, s3_client
from preheat_providers.aws_lambda.shipped.events.once import EveryTime, Once, OnceInTable
from preheat_providers.aws_lambda.shipped.events.report import LogReport
from preheat_providers.aws_lambda.shipped.events.work import Worker
from preheat_providers.aws_lambda.shipped.settings import Settings, Triggers
from preheat_providers.aws_lambda.shipped.shapes import Kind, unannounced

Deliver = Callable[[Mapping[str, Any], LambdaContext], Any]


class Events:
    """Runs the events of the function called `name`; `limit` bounds an object, in bytes."""

    def __init__(
        self, name: str, settings: Settings, invoke: Callable[[Request], Response], *, limit: int
    ) -> None:
        once: Once = EveryTime()
        if settings.table is not None:
            function = f"{name}@{settings.stage}"
            once = OnceInTable(dynamodb_client(), settings.table, function=function)
        self._report = LogReport(name, settings.stage)
        self._deliver = _routes(settings.triggers, Worker(invoke, once, self._report), self._report, limit)

    def handle(self, kind: Kind, event: Mapping[str, Any], context: LambdaContext) -> Any:
        """Run `event`, and return what its source wants to be told. Raises what is to be tried again."""
        deliver = self._deliver.get(kind)
        if deliver is None:
            raise unannounced(kind)
        self._report.begin(context)
        try:
            return deliver(event, context)
        finally:
            self._report.end()


def import_for(triggers: Triggers) -> None:
    """Import what Events will for `triggers`, so that a snapshot has it."""
    if triggers.uploads:
        import preheat_providers.aws_lambda.shipped.events.uploads
    if triggers.uploads or triggers.queues:
        import preheat_providers.aws_lambda.shipped.events.messages
    if triggers.ticks:
        import preheat_providers.aws_lambda.shipped.events.ticks  # noqa: F401


def _routes(triggers: Triggers, worker: Worker, report: LogReport, limit: int) -> Mapping[Kind, Deliver]:
    routes: dict[Kind, Deliver] = {}
    uploads = None
    if triggers.uploads:
        from preheat_providers.aws_lambda.shipped.events.uploads import Uploads

        uploads = Uploads(triggers.uploads, S3Storage(s3_client()), worker, report, limit=limit)
        take = uploads.deliver
        routes["s3"] = routes["s3-eventbridge"] = lambda event, context: take(objects_of(event), context)
    if triggers.uploads or triggers.queues:
        from preheat_providers.aws_lambda.shipped.events.messages import Messages

        routes["sqs"] = Messages(triggers.queues, uploads, worker, report).deliver
    if triggers.ticks:
        from preheat_providers.aws_lambda.shipped.events.ticks import Ticks

        routes["schedule"] = Ticks(triggers.ticks, worker).deliver
    return routes
