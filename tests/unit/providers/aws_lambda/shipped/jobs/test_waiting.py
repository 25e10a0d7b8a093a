import asyncio

import pytest

from preheat.errors import NotOffered
from preheat.interface.message import Request
from preheat_providers.aws_lambda.shipped.jobs.queue import JobQueue
from preheat_providers.aws_lambda.shipped.jobs.waiting import FunctionJobs


def no_queue() -> JobQueue:
    raise AssertionError("the AWS SDK was imported for nothing")


def test_a_webhook_is_refused_before_anything_is_recorded() -> None:
    submitted = FunctionJobs(no_queue).submit(
        Request(id="1", body=b""), idempotency_key=None, webhook="https://example.org", ttl_s=None
    )
    with pytest.raises(NotOffered, match="calls no webhooks"):
        asyncio.run(submitted)
