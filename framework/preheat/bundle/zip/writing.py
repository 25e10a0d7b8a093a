"""Members to a zip file: packed by several threads, written in order of their paths. Memory stays bounded."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import Protocol

import deflate

from preheat.bundle.zip.packing import LARGEST, Member, Packed, check_size, pack
from preheat.bundle.zip.records import central_record, end_records, local_header
from preheat.errors import BundleError

AHEAD = 2 * LARGEST
"""How many bytes of members may be packed before the first of them is written."""


class Sink(Protocol):
    """Takes the archive's bytes in order."""

    def write(self, data: bytes | bytearray, /) -> object:
        """Take the next bytes."""
        ...


def write_zip(
    members: Sequence[Member],
    sink: Sink,
    *,
    threads: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Write `members` to `sink` and return how many bytes that made; `progress` gets each member's size.

    Raises BundleError for two members of one path, and for a file that changes meanwhile.
    """
    ordered = sorted(members, key=lambda member: member.path)
    _check_paths(ordered)
    offset = 0
    directory = bytearray()
    for packed in _packed(ordered, threads or os.cpu_count() or 1):
        header = local_header(packed.entry)
        sink.write(header)
        _write_data(packed, sink)
        directory += central_record(packed.entry, offset)
        offset += len(header) + packed.entry.packed_bytes
        progress(packed.member.size)
    sink.write(directory)
    end = end_records(len(ordered), start=offset, size=len(directory))
    sink.write(end)
    return offset + len(directory) + len(end)


def _packed(members: Sequence[Member], threads: int) -> Iterator[Packed]:
    """Yield `members` packed, in order, with at most `AHEAD` bytes of them under way."""
    waiting: deque[Future[Packed]] = deque()
    sizes: deque[int] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="zip") as pool:
        try:
            for member in members:
                while waiting and sum(sizes) + member.size > AHEAD:
                    sizes.popleft()
                    yield waiting.popleft().result()
                waiting.append(pool.submit(pack, member))
                sizes.append(member.size)
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _write_data(packed: Packed, sink: Sink) -> None:
    if packed.data is not None:
        sink.write(packed.data)
        return
    crc = size = 0
    for chunk in packed.member.chunks():
        crc = deflate.crc32(chunk, crc)
        size += len(chunk)
        sink.write(chunk)
    check_size(packed.member, size if crc == packed.entry.crc else -1)


def _check_paths(members: Sequence[Member]) -> None:
    paths = {member.path for member in members}
    if len(paths) < len(members):
        twice = next(a.path for a, b in pairwise(members) if a.path == b.path)
        raise BundleError(f"Two files of the bundle would be {twice} in the archive.")
    for path in paths:
        folders = path.split("/")[:-1]
        for depth in range(len(folders)):
            if (folder := "/".join(folders[: depth + 1])) in paths:
                raise BundleError(f"{folder} would be both a file and a folder in the archive.")
