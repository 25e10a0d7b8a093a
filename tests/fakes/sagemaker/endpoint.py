"""An asynchronous endpoint: a queue before containers that really run. Ours, and not AWS's.

It does what the documentation says of one: S3 in, POST /invocations with the documented headers, S3 out or
a failure object, a notification; requests that waited or took too long; so many at once for each instance.
AWS documents no repetition of a request that failed, and this makes none. What is not documented, such as
what a failure object of an expired request holds, is a guess, and nothing may rest on it.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.fakes.patience import PATIENCE_S
from tests.fakes.sagemaker.exchange import Answered, Failed, ask, read_input, until_well
from tests.fakes.sagemaker.invocation import AsyncConfig, Invocation, bucket_and_key
from tests.fakes.sagemaker.notification import failed, succeeded

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Publish = Callable[[str, str], object]
"""Sends a message to a topic, by its ARN."""
Told = Callable[["AsyncEndpoint", str, float], object]
"""Is told of a request that has ended, before its answer lies in S3: how, and after how many seconds."""

COMPLETED = "Completed"


class AsyncEndpoint:
    """The endpoint called `name`. `clock` gives seconds of the epoch; `close` ends what it started.

    A container of `add_instance` takes requests until `remove_instance`, and answers what it has in hand.
    """

    def __init__(
        self,
        name: str,
        config: AsyncConfig,
        s3: "S3Client",
        publish: Publish,
        *,
        clock: Callable[[], float] = time.time,
        told: Told = lambda endpoint, how, seconds: None,
    ) -> None:
        self.name = name
        self.config = config
        self._s3 = s3
        self._publish = publish
        self._clock = clock
        self._told = told
        self._waiting: deque[Invocation] = deque()
        self._threads: list[threading.Thread] = []
        self._changed = threading.Condition()
        self._leaving: dict[str, threading.Event] = {}
        self._at_once = 0
        self.most_at_once = 0
        self.ended: dict[str, str] = {}

    @property
    def backlog(self) -> int:
        """How many requests wait, or are being processed."""
        return len(self._waiting) + self._at_once

    def waiting(self) -> list[Invocation]:
        """Return the requests that no instance has taken yet, oldest first."""
        return list(self._waiting)

    def submit(self, asked: Invocation) -> tuple[str, str | None]:
        """Queue a request; return where its answer will lie, or its failure."""
        with self._changed:
            self._waiting.append(asked)
            self._changed.notify_all()
        return self.config.output_of(asked), self.config.failure_of(asked)

    def add_instance(self, container: str) -> None:
        """Let the container at this address take requests, once it is well."""
        leaving = self._leaving[container] = threading.Event()
        for _ in range(self.config.concurrent):
            thread = threading.Thread(target=self._serve, args=(container, leaving))
            thread.start()
            self._threads.append(thread)

    def remove_instance(self, container: str) -> None:
        """Let the container at this address take no more requests."""
        with self._changed:
            self._leaving.pop(container).set()
            self._changed.notify_all()

    def until_ended(self, *ids: str) -> list[str]:
        """Wait until these requests have ended; return how: `Completed`, or why not."""
        with self._changed:
            done = self._changed.wait_for(lambda: all(each in self.ended for each in ids), PATIENCE_S)
            assert done, f"{ids} did not end: {self.ended}"
            return [self.ended[each] for each in ids]

    def close(self) -> None:
        """End it; requests that wait are lost."""
        with self._changed:
            for leaving in self._leaving.values():
                leaving.set()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _serve(self, container: str, leaving: threading.Event) -> None:
        # Before each: one that broke off starts again, and gets none meanwhile.
        while until_well(container, leaving) and (asked := self._taken(leaving)) is not None:
            outcome = self._process(container, asked)
            with self._changed:
                self._at_once -= 1
                self.ended[asked.id] = outcome
                self._changed.notify_all()

    def _taken(self, leaving: threading.Event) -> Invocation | None:
        """Return the next request once there is one; None once the container takes no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or leaving.is_set())
            if leaving.is_set():
                return None
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            return self._waiting.popleft()

    def _process(self, container: str, asked: Invocation) -> str:
        began = self._clock()
        try:
            if self._clock() - asked.created > asked.ttl_s:
                raise Failed(f"ClientError: The request expired after {asked.ttl_s:g} s in the queue.")
            answer = ask(container, asked, read_input(self._s3, asked))
        except Failed as error:
            self._told(self, error.reason, self._clock() - began)
            self._fail(asked, error)
            return error.reason
        self._told(self, COMPLETED, self._clock() - began)
        self._succeed(asked, answer)
        return COMPLETED

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
