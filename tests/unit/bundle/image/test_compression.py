import gzip
import hashlib
import io
import random
import zlib
from collections.abc import Iterator

import pytest

from preheat.bundle.image.compression import AHEAD, BLOCK, Compressed, compress

TEXT = b"the same line again and again\n" * 200_000
NOISE = random.Random(1).randbytes(BLOCK + 7)


def packed(data: bytes, *, threads: int = 2, piece: int = 100_000) -> tuple[bytes, Compressed]:
    into = io.BytesIO()
    pieces = (data[start : start + piece] for start in range(0, len(data), piece))
    made = compress(pieces, into, threads=threads)
    return into.getvalue(), made


@pytest.mark.parametrize("data", [b"x", TEXT, NOISE, TEXT + NOISE], ids=["short", "text", "noise", "both"])
def test_it_is_gzip_and_knows_its_digests(data: bytes) -> None:
    packed_data, made = packed(data)
    assert gzip.decompress(packed_data) == data
    assert made.digest == f"sha256:{hashlib.sha256(packed_data).hexdigest()}"
    assert made.diff_id == f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert (made.size, made.unpacked) == (len(packed_data), len(data))


def test_the_bytes_depend_on_neither_threads_nor_pieces() -> None:
    data = TEXT + NOISE
    assert packed(data, threads=1, piece=7_777)[0] == packed(data, threads=4, piece=1 << 20)[0]


def test_each_block_is_a_member_that_holds_no_time() -> None:
    data, _ = packed(TEXT + TEXT)
    members = 0
    while data:
        assert data[4:8] == bytes(4)
        stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
        stream.decompress(data)
        data = stream.unused_data
        members += 1
    assert members == -(-2 * len(TEXT) // BLOCK)


def test_what_does_not_shrink_is_stored() -> None:
    assert packed(TEXT)[1].size < len(TEXT) // 20
    assert len(NOISE) < packed(NOISE)[1].size < len(NOISE) * 1.001


def test_what_shrinks_by_less_than_a_tenth_is_stored_too() -> None:
    """Such as float32 weights: unpacking them would cost more than it saves."""
    data = NOISE[:190_000] + bytes(10_000)
    assert packed(data)[1].size > len(data)


def test_a_large_stream_is_never_held_as_a_whole() -> None:
    """The stream is read only so far ahead of what was written as there are blocks under way."""
    threads, blocks, taken, written = 2, 40, 0, 0

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(blocks):
            assert taken - written <= AHEAD * threads + 2
            taken += 1
            yield bytes(BLOCK)

    class Counting:
        def write(self, data: bytes | bytearray) -> None:
            nonlocal written
            written += 1

    compress(pieces(), Counting(), threads=threads)
    assert written == blocks
