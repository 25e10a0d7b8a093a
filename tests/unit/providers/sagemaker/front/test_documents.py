import json
from typing import Any

import pytest

from preheat_providers.sagemaker.front.documents import (
    INLINE_BYTES,
    Found,
    Record,
    job_document,
    media_type,
)

ID = "ab" * 16
RECORD = Record(id=ID, created=0.0, expires=60.0, request="r", output="s3://b/o", failure="s3://b/f")


def found(body: bytes | None, content_type: str = "", size: int | None = None) -> Found:
    return Found(
        body=body, bytes=len(body or b"") if size is None else size, content_type=content_type, modified=5
    )


def document(answer: Found) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(job_document(RECORD, "succeeded", at=5.0, answer=answer))
    return made


def test_a_record_is_read_as_it_was_written() -> None:
    assert Record.from_json(RECORD.to_json()) == RECORD


def test_a_job_that_waits_has_neither_end_nor_answer() -> None:
    assert json.loads(job_document(RECORD, "queued")) == {
        "id": ID,
        "status": "queued",
        "created": "1970-01-01T00:00:00.000Z",
        "started": None,
        "finished": None,
        "expires": "1970-01-01T00:01:00.000Z",
        "attempts": 0,
    }


def test_the_numbers_of_an_answer_stay_as_they_were_sent() -> None:
    body = b'{"x": 1.10, "y": 1e400, "z": 123456789012345678901234567890}'
    text = job_document(RECORD, "succeeded", at=5.0, answer=found(body, "application/json; charset=utf-8"))
    assert body in text


@pytest.mark.parametrize(
    "answer",
    [
        found(b"\x89PNG\r\n...", ""),
        found(b"[1, NaN]", "application/json"),
        found(b'"x"', "text/plain"),
        found(None, "application/json", INLINE_BYTES + 1),
        found(b'"%b"' % (b"x" * INLINE_BYTES), "application/json"),
    ],
)
def test_what_is_no_small_json_is_behind_the_url(answer: Found) -> None:
    made = document(answer)
    assert "result" not in made
    assert made["result_url"] == f"/jobs/{ID}/result"


def test_a_failed_job_has_its_problem_and_its_attempts() -> None:
    made = json.loads(job_document(RECORD, "failed", at=5.0, error={"status": 500}))
    assert (made["error"], made["attempts"], made["finished"]) == (
        {"status": 500},
        1,
        "1970-01-01T00:00:05.000Z",
    )


@pytest.mark.parametrize(
    ("body", "said", "kind"),
    [
        (b"{}", "text/csv", "text/csv"),
        (b"{}", "binary/octet-stream", "application/json"),
        (b"\x89PNG\r\n\x1a\n", "application/octet-stream", "image/png"),
        (b"\x93NUMPY\x01", "", "application/x-npy"),
        (b"words", "", "application/octet-stream"),
        (None, "", "application/octet-stream"),
    ],
)
def test_a_type_that_nobody_wrote_is_read_from_the_bytes(body: bytes | None, said: str, kind: str) -> None:
    assert media_type(found(body, said)) == kind
