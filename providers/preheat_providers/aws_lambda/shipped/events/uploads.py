"""Objects that were uploaded: read, run through the model, and answered by another object."""

from collections.abc import Iterable

from preheat.interface.message import Request, Response
from preheat.runtime.objects.events import ObjectRecord
from preheat.runtime.objects.results import content_type, request_headers, result_body, result_key
from preheat.runtime.objects.storage import Storage, Superseded
from preheat_providers.aws_lambda.shipped.context import LambdaContext
from preheat_providers.aws_lambda.shipped.events.once import Outcome
from preheat_providers.aws_lambda.shipped.events.report import Report
from preheat_providers.aws_lambda.shipped.events.work import Piece, Worker
from preheat_providers.aws_lambda.shipped.settings import Upload


class Uploads:
    """The uploads of one function. `limit` bounds an object, in bytes."""

    def __init__(
        self, triggers: Iterable[Upload], storage: Storage, worker: Worker, report: Report, *, limit: int
    ) -> None:
        self._triggers = tuple(triggers)
        self._storage = storage
        self._worker = worker
        self._report = report
        self._limit = limit

    def deliver(self, records: Iterable[ObjectRecord], context: LambdaContext) -> None:
        """Run each of `records`, also after one has failed; raises what the first failure raised."""
        failure: Exception | None = None
        for record in records:
            try:
                self._deliver(record, context)
            except Exception as error:  # noqa: BLE001 - one object: its failure may not keep the next from running
                failure = failure or error
        if failure is not None:
            raise failure

    def _deliver(self, record: ObjectRecord, context: LambdaContext) -> None:
        what = f"s3://{record.bucket}/{record.key}"
        trigger = next((each for each in self._triggers if each.wants(record.bucket, record.key)), None)
        if trigger is None:
            self._report.skipped(what, "no trigger of this function takes it")
            return
        piece = Piece(
            what=what,
            identity={
                "trigger": trigger.name,
                "bucket": record.bucket,
                "key": record.key,
                "version": record.version,
                # It tells a duplicate of an event from the same bytes put again after others.
                "sequencer": record.sequencer,
            },
            make=lambda: self._request(record),
            keep=lambda response: self._keep(trigger, record, response),
        )
        self._worker.do(piece, context)

    def _request(self, record: ObjectRecord) -> Request:
        return Request(
            id=record.event_id,
            body=self._storage.read(record, self._limit),
            content_type=content_type(record.key),
            headers=request_headers(record),
        )

    def _keep(self, trigger: Upload, record: ObjectRecord, response: Response) -> Outcome:
        if not self._storage.current(record):
            raise Superseded(record)
        bucket, prefix = trigger.sink
        key = result_key(prefix, record.key, response.content_type)
        body = result_body(record, response.content_type, response.body)
        self._storage.write(bucket, key, body, response.content_type)
        return {"result": f"s3://{bucket}/{key}"}
