"""Messages of SQS: inputs of the handler, or news of uploads. What fails comes again, the rest does not."""

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from preheat.interface.message import JSON_TYPE, Request
from preheat.runtime.objects.events import BadEvent, objects_of
from preheat_providers.aws_lambda.shipped.context import LambdaContext
from preheat_providers.aws_lambda.shipped.events.report import Report
from preheat_providers.aws_lambda.shipped.events.work import Piece, Worker
from preheat_providers.aws_lambda.shipped.settings import Queue

if TYPE_CHECKING:
    from preheat_providers.aws_lambda.shipped.events.uploads import Uploads

TYPE_ATTRIBUTE = "content-type"
"""The attribute of a message that says what its body is; JSON without."""


class Messages:
    """The messages of one function. Without `uploads`, news of uploads are no message for it."""

    def __init__(
        self, triggers: Iterable[Queue], uploads: "Uploads | None", worker: Worker, report: Report
    ) -> None:
        self._queues = frozenset(trigger.queue for trigger in triggers)
        self._uploads = uploads
        self._worker = worker
        self._report = report
        self._processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)

    def deliver(self, event: Mapping[str, Any], context: LambdaContext) -> Any:
        """Run every message of `event`, and return those that failed as SQS wants to be told."""
        return process_partial_response(
            event=dict(event),
            record_handler=lambda record: self._message(record, context),
            processor=self._processor,
            context=context,  # type: ignore[arg-type]
        )

    def _message(self, record: SQSRecord, context: LambdaContext) -> None:
        queue = record.event_source_arn.rpartition(":")[2]
        if queue in self._queues:
            self._worker.do(_piece(queue, record), context)
        elif self._uploads is not None:
            self._uploads.deliver(self._records(queue, record), context)
        else:
            raise self._refused(record, f"no trigger takes inputs from {queue!r}, and none takes uploads")

    def _records(self, queue: str, record: SQSRecord) -> Any:
        try:
            return objects_of(json.loads(record.body))
        except (BadEvent, ValueError) as error:
            why = f"it names no upload, and no trigger takes inputs from {queue!r}: {error}"
            raise self._refused(record, why) from error

    def _refused(self, record: SQSRecord, why: str) -> BadEvent:
        """Tell of a message that is not for this function, and return what to raise."""
        wrong = BadEvent(why)
        self._report.failed(f"message {record.message_id}", wrong)
        return wrong


def _piece(queue: str, record: SQSRecord) -> Piece:
    kind = record.message_attributes[TYPE_ATTRIBUTE]
    body = record.body.encode()
    return Piece(
        what=f"message {record.message_id}",
        identity={"queue": queue, "message": record.message_id},
        make=lambda: Request(
            id=record.message_id, body=body, content_type=(kind and kind.string_value) or JSON_TYPE
        ),
        keep=lambda _: {"queue": queue},
    )
