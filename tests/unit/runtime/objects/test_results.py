import json

import pytest

from preheat.runtime.objects.events import ObjectRecord
from preheat.runtime.objects.results import content_type, request_headers, result_body, result_key

RECORD = ObjectRecord(
    bucket="uploads", key="a b/\u00fc.png", size=3, etag="e1", version_id=None, sequencer="0A", time=0.0
)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("a.png", "image/png"),
        ("a/B.JPG", "image/jpeg"),
        ("a.json", "application/json"),
        ("a.webp", "image/webp"),
        ("a.npy", "application/x-npy"),
        ("a.txt", "text/plain"),
        ("a.json.gz", "application/octet-stream"),
        ("README", "application/octet-stream"),
        ("a.unheard-of", "application/octet-stream"),
    ],
)
def test_the_type_comes_from_the_name(key: str, expected: str) -> None:
    assert content_type(key) == expected


@pytest.mark.parametrize(
    ("media_type", "expected"),
    [
        ("application/json", "out/a.png.json"),
        ("application/geo+json; charset=utf-8", "out/a.png.json"),
        ("image/png", "out/a.png.png"),
        ("text/plain; charset=utf-8", "out/a.png.txt"),
        ("application/x-ndjson", "out/a.png.jsonl"),
        ("text/event-stream", "out/a.png.txt"),
        ("application/x-unheard-of", "out/a.png.bin"),
    ],
)
def test_a_result_keeps_the_key_and_adds_the_answers_extension(media_type: str, expected: str) -> None:
    assert result_key("out/", "a.png", media_type) == expected


def test_a_json_answer_goes_into_a_document_as_it_is() -> None:
    body = result_body(RECORD, "application/json", b'{"n": 1.0e3}')
    assert body.endswith(b'"result": {"n": 1.0e3}}\n')
    assert json.loads(body)["object"] == {"bucket": "uploads", "key": "a b/\u00fc.png", "etag": "e1"}


def test_any_other_answer_is_written_as_it_is() -> None:
    assert result_body(RECORD, "image/png", b"\x89PNG") == b"\x89PNG"


def test_the_handler_learns_which_object_it_has() -> None:
    headers = request_headers(RECORD)
    assert headers["x-preheat-bucket"] == "uploads"
    assert headers["x-preheat-key"] == "a+b/%C3%BC.png"
    assert headers["x-preheat-event-id"] == RECORD.event_id
