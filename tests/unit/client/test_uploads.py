import asyncio
import tracemalloc
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.fakes.remote import Remote, ok

from preheat.client.uploads import CHUNK_BYTES, FormPart, OnDisk, Upload, content_boundary, form_upload
from preheat.errors import BadInput

BIG = 24 * 1024 * 1024


@pytest.fixture
def big(tmp_path: Path) -> Path:
    path = tmp_path / "big.bin"
    with path.open("wb") as file:
        file.truncate(BIG)
    return path


class Drain(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Takes a body chunk by chunk and keeps none of it."""

    def __init__(self, remote: Remote) -> None:
        self.remote = remote
        self.received = 0
        self.announced: list[str | None] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            assert isinstance(request.stream, httpx.SyncByteStream)
            self.announced.append(request.headers.get("content-length"))
            self.received += sum(map(len, request.stream))
            request = httpx.Request("POST", request.url)
        return self.remote(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            assert isinstance(request.stream, httpx.AsyncByteStream)
            self.announced.append(request.headers.get("content-length"))
            async for chunk in request.stream:
                self.received += len(chunk)
            request = httpx.Request("POST", request.url)
        return self.remote(request)


@pytest.mark.parametrize("media", [["*/*"], ["*/*", "multipart/form-data"]])
def test_a_large_file_is_streamed_from_disk_by_both_faces(big: Path, media: list[str]) -> None:
    remote = Remote(ok(1), ok(2), input_media=media)
    drain = Drain(remote)
    client, async_client = remote.client_over(drain), remote.async_client_over(drain)
    tracemalloc.start()
    try:
        assert [client.predict(big), asyncio.run(async_client.predict(big))] == [1, 2]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert drain.received >= 2 * BIG
    assert [int(length or 0) for length in drain.announced] == [drain.received // 2] * 2
    assert peak < 8 * CHUNK_BYTES


def test_a_file_is_read_again_for_a_retry(big: Path) -> None:
    remote = Remote(httpx.Response(503), ok(1), input_media=["*/*"])
    drain = Drain(remote)
    assert remote.client_over(drain).predict(big) == 1
    assert drain.received == 2 * BIG


@pytest.mark.parametrize("content", [b"12345678", b"123", b""])
def test_a_file_that_changes_once_its_length_was_announced_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    upload = Upload((OnDisk.at(path),))
    path.write_bytes(content)
    with pytest.raises(BadInput, match="changed while it was sent"):
        list(upload.chunks())

    async def read() -> list[bytes]:
        return [chunk async for chunk in upload.chunks_async()]

    with pytest.raises(BadInput, match="changed while it was sent"):
        asyncio.run(read())


def test_a_form_is_as_long_as_it_says() -> None:
    parts = [FormPart("a", b"1", "text/plain"), FormPart("b", b"", "image/png", 'x"\r\n.png')]
    body = form_upload(parts, "b")
    joined = b"".join(body.chunks())
    assert len(joined) == body.length
    assert b'filename="x%22%0D%0A.png"' in joined


def test_what_a_part_holds_and_how_it_is_named_changes_the_boundary() -> None:
    parts: list[tuple[Any, ...]] = [
        ("a", b"1", "text/plain"),
        ("a", b"2", "text/plain"),
        ("b", b"1", "text/plain"),
        ("a", b"1", "text/html"),
        ("a", b"1", "text/plain", "n"),
    ]
    assert len({content_boundary([FormPart(*part)]) for part in parts}) == len(parts)
