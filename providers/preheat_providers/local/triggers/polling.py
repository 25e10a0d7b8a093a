"""Notices objects of an S3 bucket: by listing it, or by the queue that the bucket sends its events to."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from preheat.runtime.objects.events import BadEvent, read_event
from preheat_providers.local.triggers.aws import calling
from preheat_providers.local.triggers.buckets import Bucket
from preheat_providers.local.triggers.dead_letters import DeadLetters
from preheat_providers.local.triggers.intake import Intake

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

POLL_S = 10.0
LONG_POLL_S = 5
"""How long the server holds a request for messages; a stop may have to wait for it."""


class S3Poll:
    """Lists the bucket every `poll_s`: the one source here that has no event to wait for."""

    def __init__(
        self, bucket: Bucket, intake: Intake, *, poll_s: float, sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._bucket = bucket
        self._intake = intake
        self._poll_s = poll_s
        self._sleep = sleep

    async def run(self, ready: Callable[[], None]) -> None:
        """Poll until cancelled. Raises RequestError when the endpoint does not answer."""
        while True:
            found = await self._bucket.list(self._intake.trigger.prefix)
            wanted = tuple(each for each in found if self._intake.wants(each.key))
            for each in await self._intake.missed(self._bucket.place, wanted):
                record = await self._bucket.identify(each)
                if record is not None:
                    await self._intake.take(self._bucket.place, record, mtime_ns=each.mtime_ns)
            ready()
            await self._sleep(self._poll_s)


class S3Queue:
    """Receives the bucket's events from an SQS queue; a message is deleted once its delivery is on disk."""

    def __init__(
        self,
        bucket: Bucket,
        intake: Intake,
        *,
        url: str,
        client: "SQSClient",
        letters: DeadLetters,
        long_poll_s: int,
    ) -> None:
        self._bucket = bucket
        self._intake = intake
        self._url = url
        self._client = client
        self._letters = letters
        self._long_poll_s = long_poll_s

    async def run(self, ready: Callable[[], None]) -> None:
        """Receive until cancelled. Raises RequestError when the endpoint does not answer."""
        ready()
        while True:
            for message in await asyncio.to_thread(self._receive):
                await self._handle(message)

    def _receive(self) -> "list[MessageTypeDef]":
        with calling("received from", self._url):
            answer = self._client.receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=self._long_poll_s
            )
        return answer.get("Messages", [])

    async def _handle(self, message: "MessageTypeDef") -> None:
        body = message.get("Body", "")
        try:
            records = read_event(json.loads(body))
        except (BadEvent, ValueError) as error:
            self._intake.log(
                "event-refused",
                function=self._intake.function,
                trigger=self._intake.trigger.name,
                reason=str(error),
            )
            await asyncio.to_thread(
                self._letters.keep_message,
                self._intake.trigger.name,
                message.get("MessageId", ""),
                body,
                str(error),
            )
            records = ()
        for record in records:
            if record.bucket == self._bucket.place.name and self._intake.wants(record.key):
                await self._intake.take(self._bucket.place, record, remember=False)
        await asyncio.to_thread(self._delete, message.get("ReceiptHandle", ""))

    def _delete(self, receipt: str) -> None:
        with calling("deleted from", self._url):
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=receipt)
