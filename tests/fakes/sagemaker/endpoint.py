"""An asynchronous endpoint: a queue before containers that really run. Ours, and not AWS's.

It does what the documentation says of one: S3 in, POST /invocations with the documented headers, S3 out or
a failure object, a notification; requests that waited or took too long; so many at once for each instance.
AWS documents no repetition of a request that failed, and this makes none. What is not documented, such as
what a failure object of an expired request holds, is a guess, and nothing may rest on it.
"""

import queue
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.fakes.sagemaker.exchange import Answered, Failed, ask, read_input, well
from tests.fakes.sagemaker.invocation import AsyncConfig, Invocation, bucket_and_key
from tests.fakes.sagemaker.notification import failed, succeeded

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Publish = Callable[[str, str], object]
"""Sends a message to a topic, by its ARN."""

BETWEEN_PINGS_S = 0.02


class AsyncEndpoint:
    """The endpoint called `name`. `clock` gives seconds of the epoch; `close` ends what it started."""

    def __init__(
        self,
        name: str,
        config: AsyncConfig,
        s3: "S3Client",
        publish: Publish,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.config = config
        self._s3 = s3
        self._publish = publish
        self._clock = clock
        self._waiting: queue.Queue[Invocation | None] = queue.Queue()
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()
        self._ended = threading.Condition()
        self._at_once = 0
        self.most_at_once = 0
        self.ended: dict[str, str] = {}

    @property
    def backlog(self) -> int:
        """How many requests wait, or are being processed."""
        return self._waiting.qsize() + self._at_once

    def waiting(self) -> list[Invocation]:
        """Return the requests that no instance has taken yet, oldest first."""
        return [asked for asked in list(self._waiting.queue) if asked is not None]

    def submit(self, asked: Invocation) -> tuple[str, str | None]:
        """Queue a request; return where its answer will lie, or its failure."""
        self._waiting.put(asked)
        return self.config.output_of(asked), self.config.failure_of(asked)

    def add_instance(self, container: str) -> None:
        """Let the container at this address take requests, once it is well."""
        for _ in range(self.config.concurrent):
            thread = threading.Thread(target=self._serve, args=(container,))
            thread.start()
            self._threads.append(thread)

    def until_ended(self, *ids: str, within_s: float = 30.0) -> list[str]:
        """Wait until these requests have ended; return how: `Completed`, or why not."""
        with self._ended:
            done = self._ended.wait_for(lambda: all(each in self.ended for each in ids), within_s)
            assert done, f"{ids} did not end: {self.ended}"
            return [self.ended[each] for each in ids]

    def close(self) -> None:
        """End it; requests that wait are lost."""
        self._stopping.set()
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def _serve(self, container: str) -> None:
        while not well(container):
            if self._stopping.wait(BETWEEN_PINGS_S):
                return
        while not self._stopping.is_set() and (asked := self._waiting.get()) is not None:
            with self._ended:
                self._at_once += 1
                self.most_at_once = max(self.most_at_once, self._at_once)
            outcome = self._process(container, asked)
            with self._ended:
                self._at_once -= 1
                self.ended[asked.id] = outcome
                self._ended.notify_all()

    def _process(self, container: str, asked: Invocation) -> str:
        try:
            if self._clock() - asked.created > asked.ttl_s:
                raise Failed(f"ClientError: The request expired after {asked.ttl_s:g} s in the queue.")
            answer = ask(container, asked, read_input(self._s3, asked))
        except Failed as error:
            self._fail(asked, error)
            return error.reason
        self._succeed(asked, answer)
        return "Completed"

    def _succeed(self, asked: Invocation, answer: Answered) -> None:
        self._write(self.config.output_of(asked), answer.content_type, answer.body)
        if (topic := self.config.success_topic) is not None:
            message = succeeded(
                asked, self.config, answer.content_type, answer.body, endpoint=self.name, now=self._clock()
            )
            self._publish(topic, message)

    def _fail(self, asked: Invocation, error: Failed) -> None:
        if (location := self.config.failure_of(asked)) is not None:
            self._write(location, "", error.body)
        if (topic := self.config.error_topic) is not None:
            message = failed(
                asked, self.config, error.reason, error.body, endpoint=self.name, now=self._clock()
            )
            self._publish(topic, message)

    def _write(self, location: str, content_type: str, body: bytes) -> None:
        bucket, key = bucket_and_key(location)
        kind = {"ContentType": content_type} if content_type else {}
        self._s3.put_object(Bucket=bucket, Key=key, Body=body, **kind)  # type: ignore[arg-type]
