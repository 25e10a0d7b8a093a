import asyncio
import base64
import hashlib
import hmac
import json
from dataclasses import replace
from pathlib import Path

from tests.fakes.queue import FUNCTION, Events, request
from tests.fakes.telemetry import TRACEPARENT

from preheat.interface.message import Request, Response
from preheat_providers.local.jobs import Courier, JobStore, Retry
from preheat_providers.local.jobs.addresses import Refused
from preheat_providers.local.jobs.courier import ATTEMPTS, shown_secret
from preheat_providers.local.jobs.post import Post

URL = "https://hooks.example/path"


class Outbox:
    """Remembers what was posted and answers each with the next status; None raises."""

    def __init__(self, *statuses: int | Exception) -> None:
        self.left = list(statuses)
        self.posts: list[Post] = []

    def __call__(self, post: Post) -> int:
        self.posts.append(post)
        answer = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def finished(store: JobStore, asked: Request | None = None) -> str:
    job, _ = await store.submit(FUNCTION, asked or request(), expires=9e9, webhook=URL)
    (claim,) = await store.claim(FUNCTION, ("job",), 1)
    await store.finish(claim, "succeeded", Response(body=b'{"n": 1.10}'))
    return job.id


def deliver(
    path: Path, outbox: Outbox, *, until: int, asked: Request | None = None
) -> tuple[str, bytes, list[dict[str, object]]]:
    """Finish a job and wait for `until` tries; return the job's id, the function's secret and the log."""

    async def main() -> tuple[str, bytes, list[dict[str, object]]]:
        store, events = JobStore(path / "jobs.db"), Events()
        courier = Courier(store, log=events, post=outbox, retry=Retry(base_s=0.001, cap_s=0.002))
        job_id = await finished(store, asked)
        await courier.start()
        tries = await events.until("webhook", until)
        await courier.stop()
        secret = await store.webhook_secret(FUNCTION)
        store.close()
        return job_id, secret, tries

    return asyncio.run(main())


def test_the_document_is_signed_so_that_its_receiver_can_check_it(tmp_path: Path) -> None:
    outbox = Outbox(204)
    job_id, secret, _ = deliver(tmp_path, outbox, until=1)
    (post,) = outbox.posts
    signed = f"{post.headers['webhook-id']}.{post.headers['webhook-timestamp']}.".encode() + post.body
    key = base64.b64decode(shown_secret(secret).removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert post.headers["webhook-signature"] == f"v1,{expected}"
    assert post.headers["webhook-id"] == job_id
    assert json.loads(post.body)["status"] == "succeeded"
    assert b'"result": {"n": 1.10}' in post.body
    assert (post.url, post.private) == (URL, False)


def test_a_webhook_belongs_to_the_trace_of_its_job(tmp_path: Path) -> None:
    outbox = Outbox(204)
    trace = {"traceparent": TRACEPARENT, "tracestate": "vendor=1"}
    asked = replace(request(), headers={**trace, "x-preheat-tenant": "blue"})
    deliver(tmp_path, outbox, until=1, asked=asked)
    headers = outbox.posts[0].headers
    assert trace.items() <= headers.items()
    assert "x-preheat-tenant" not in headers


def test_a_webhook_is_tried_until_it_answers(tmp_path: Path) -> None:
    outbox = Outbox(500, ConnectionRefusedError(), 302, 200)
    _, _, tries = deliver(tmp_path, outbox, until=4)
    assert [each["again"] for each in tries] == [True, True, True, False]
    assert len({post.headers["webhook-id"] for post in outbox.posts}) == 1


def test_a_webhook_that_never_answers_is_given_up(tmp_path: Path) -> None:
    _, _, tries = deliver(tmp_path, Outbox(503), until=ATTEMPTS)
    assert [each["again"] for each in tries] == [True] * (ATTEMPTS - 1) + [False]


def test_a_refused_address_and_a_gone_receiver_are_final(tmp_path: Path) -> None:
    _, _, tries = deliver(tmp_path, Outbox(Refused("it is at 10.0.0.1")), until=1)
    assert (tries[0]["again"], tries[0]["result"]) == (False, "refused: it is at 10.0.0.1")
    (tmp_path / "2").mkdir()
    _, _, tries = deliver(tmp_path / "2", Outbox(410), until=1)
    assert tries[0]["again"] is False


def test_a_delivered_webhook_is_not_sent_by_the_next_process(tmp_path: Path) -> None:
    deliver(tmp_path, Outbox(200), until=1)
    outbox = Outbox(200)
    second, _, _ = deliver(tmp_path, outbox, until=1)
    assert [post.headers["webhook-id"] for post in outbox.posts] == [second]
