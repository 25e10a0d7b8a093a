"""The HTTP side of uploads: blobs, the content of mounts, and the blocks of volumes."""

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path

from aiohttp import web
from tests.fakes.modal.state import State

BLOCK = 8 << 20
"""The bytes in a block of a volume: https://modal.com/docs/guide/volumes (in the client: BLOCK_SIZE)."""

IDLE_S = 2.0
"""How long an upload may pause, as with any server: after a lost connection the client's HTTP
library sends the rest of a block with the headers of a whole one, and would wait forever (aiohttp 3.14)."""


class Files:
    """Content on disk by its SHA-256, and blobs by their id; `routes` serves it."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._folder = state.folder / "content"
        self._blobs = state.folder / "blobs"
        self._folder.mkdir()
        self._blobs.mkdir()
        self.base_url = ""
        self.released = asyncio.Event()
        self.held = 0
        """Uploads of blocks that hang."""
        self.received = 0
        """Blocks that were uploaded and stored."""

    def has(self, digest: str) -> bool:
        """Say whether that content is here."""
        return (self._folder / digest).exists()

    def path(self, digest: str) -> Path:
        """Return the file of that content."""
        return self._folder / digest

    def put(self, digest: str, data: bytes | bytearray) -> None:
        """Store content."""
        (self._folder / digest).write_bytes(data)

    def blob(self, blob: str) -> bytes:
        """Return an uploaded blob."""
        return (self._blobs / blob).read_bytes()

    def blob_url(self, blob: str) -> str:
        """Return where a blob is put and fetched."""
        return f"{self.base_url}/blob/{blob}"

    def block_url(self, digest: str) -> str:
        """Return where the block with that digest is put."""
        return f"{self.base_url}/block/{digest}"

    def part_url(self, volume: str, path: str, number: int) -> str:
        """Return where a block of a file in a volume is fetched."""
        return f"{self.base_url}/part/{volume}/{number}/{path}"

    def routes(self) -> list[web.RouteDef]:
        """Return what to serve."""
        return [
            web.put("/blob/{blob}", self._put_blob),
            web.get("/blob/{blob}", self._get_blob),
            web.put("/block/{digest}", self._put_block),
            web.get("/part/{volume}/{number}/{path:.+}", self._get_part),
        ]

    async def _put_blob(self, request: web.Request) -> web.Response:
        data = await request.read()
        (self._blobs / request.match_info["blob"]).write_bytes(data)
        etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
        return web.Response(headers={"ETag": f'"{etag}"'})

    async def _get_blob(self, request: web.Request) -> web.Response:
        return web.Response(body=self.blob(request.match_info["blob"]))

    async def _put_block(self, request: web.Request) -> web.Response:
        faults = self._state.faults
        if faults.uploads_to_drop:
            faults.uploads_to_drop -= 1
            await request.content.readany()
            return _drop(request)
        is_held = faults.uploads_let_through == 0
        if faults.uploads_let_through:
            faults.uploads_let_through -= 1
        data = bytearray()
        try:
            while not request.content.at_eof():
                async with asyncio.timeout(IDLE_S):
                    data += await request.content.readany()
        except TimeoutError:
            return _drop(request)
        if is_held:  # with all of it read: without TLS a client waits at its end for what it has not sent
            self.held += 1
            self._state.bell.ring()
            await self.released.wait()
        digest = request.match_info["digest"]
        if hashlib.sha256(data).hexdigest() != digest:
            return web.Response(status=400, text="The block is not what its digest says")
        self.put(digest, data)
        self.received += 1
        self._state.bell.ring()
        return web.Response(text=f"stored {digest}")

    async def _get_part(self, request: web.Request) -> web.Response:
        matched = request.match_info
        path = self._state.volumes[matched["volume"]].folder / matched["path"]
        read: Callable[[], bytes] = lambda: _block(path, int(matched["number"]))  # noqa: E731 - for a thread
        return web.Response(body=await asyncio.to_thread(read))


def _drop(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _block(path: Path, number: int) -> bytes:
    with path.open("rb") as file:
        file.seek(number * BLOCK)
        return file.read(BLOCK)
