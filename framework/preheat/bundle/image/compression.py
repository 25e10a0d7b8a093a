"""A stream to gzip on every core, with bounded memory and the same bytes on every machine.

The stream is cut into blocks, and each becomes a member of its own: RFC 1952 (2.2) says that a file is a
series of members, and podman, Docker, containerd and skopeo read it so. The compressor is libdeflate, for the
reasons of `preheat.bundle.zip`: docs/benchmarks.md. Blocks that would hardly shrink are stored.
"""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import deflate

from preheat.bundle.zip.packing import LEVEL, WORTH

BLOCK = 4 << 20
AHEAD = 3
"""Blocks under way for each thread, so that none waits for the disk."""

_SAMPLE = 64 << 10


class Sink(Protocol):
    """Takes the compressed bytes in order."""

    def write(self, data: bytes | bytearray, /) -> object:
        """Take the next bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Compressed:
    """`digest` is of the compressed bytes, `diff_id` of what was compressed; both `sha256:HEX`."""

    digest: str
    size: int
    diff_id: str
    unpacked: int


def compress(
    stream: Iterable[bytes],
    sink: Sink,
    *,
    threads: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Compressed:
    """Write `stream` to `sink` as gzip; `progress` gets the size of each block as it is done."""
    packed, plain = hashlib.sha256(), hashlib.sha256()
    size = unpacked = 0
    for taken, data in _packed(_hashed(_blocks(stream), plain), threads or os.cpu_count() or 1):
        sink.write(data)
        packed.update(data)
        size += len(data)
        unpacked += taken
        progress(taken)
    return Compressed(f"sha256:{packed.hexdigest()}", size, f"sha256:{plain.hexdigest()}", unpacked)


def _blocks(stream: Iterable[bytes]) -> Iterator[bytes]:
    waiting = bytearray()
    for piece in stream:
        waiting += piece
        while len(waiting) >= BLOCK:
            yield bytes(waiting[:BLOCK])
            del waiting[:BLOCK]
    if waiting:
        yield bytes(waiting)


def _hashed(blocks: Iterable[bytes], plain: "hashlib._Hash") -> Iterator[bytes]:
    for block in blocks:
        plain.update(block)
        yield block


def _packed(blocks: Iterable[bytes], threads: int) -> Iterator[tuple[int, bytes | bytearray]]:
    waiting: deque[Future[tuple[int, bytes | bytearray]]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="gzip") as pool:
        try:
            for block in blocks:
                if len(waiting) == AHEAD * threads:
                    yield waiting.popleft().result()
                waiting.append(pool.submit(_pack, block))
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _pack(block: bytes) -> tuple[int, bytes | bytearray]:
    data = deflate.gzip_compress(block, LEVEL) if _may_shrink(block) else None
    if data is None or len(data) > WORTH * len(block):
        data = deflate.gzip_compress(block, 0)
    return len(block), data


def _may_shrink(block: bytes) -> bool:
    """Say whether compressing `block` is worth a try, from a sample of each quarter."""
    quarter = len(block) // 4
    if quarter < _SAMPLE:
        return True
    sample = b"".join(block[number * quarter :][:_SAMPLE] for number in range(4))
    return len(deflate.deflate_compress(sample, 1)) <= WORTH * len(sample)
