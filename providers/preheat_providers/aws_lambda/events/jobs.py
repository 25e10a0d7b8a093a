"""Jobs: asynchronous calls whose answer, or refusal, becomes an object."""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from preheat.interface.message import JSON_TYPE, Request, Response
from preheat.runtime.objects.results import result_key
from preheat_providers.aws_lambda.context import LambdaContext
from preheat_providers.aws_lambda.events.once import Outcome
from preheat_providers.aws_lambda.events.storage import Storage
from preheat_providers.aws_lambda.events.work import Piece, Worker
from preheat_providers.aws_lambda.shapes import JOB, UnknownEvent

SHAPE = (
    '{"id": ..., "body_base64": ..., "output": "BUCKET/PREFIX/"}, with "content_type" and "accept" if wanted'
)


class JobCalls:
    """The jobs of one function."""

    def __init__(self, storage: Storage, worker: Worker) -> None:
        self._storage = storage
        self._worker = worker

    def deliver(self, event: Mapping[str, Any], context: LambdaContext) -> None:
        """Run the job; its answer is written to `output` + id + extension, as it is.

        Raises UnknownEvent for what is no job, and on an answer of 5xx, so that Lambda runs it again.
        """
        job = event[JOB]
        try:
            request = Request(
                id=str(job["id"]),
                body=b64decode(job["body_base64"], validate=True),
                content_type=str(job.get("content_type", JSON_TYPE)),
                accept=str(job.get("accept", "*/*")),
            )
            bucket, _, prefix = str(job["output"]).partition("/")
        except (KeyError, TypeError, AttributeError, binascii.Error) as error:
            raise UnknownEvent(f"This is no job: {error!r}. The value of {JOB!r} is {SHAPE}.") from error
        piece = Piece(
            what=f"job {request.id}",
            identity={"job": request.id},
            make=lambda: request,
            keep=lambda response: self._keep(request.id, bucket, prefix, response),
            refusals=True,
        )
        self._worker.do(piece, context)

    def _keep(self, job_id: str, bucket: str, prefix: str, response: Response) -> Outcome:
        key = result_key(prefix, job_id, response.content_type)
        self._storage.write(bucket, key, response.body, response.content_type)
        return {"result": f"s3://{bucket}/{key}"}
