"""What a few bytes of a picture ask of its decoder beyond width times height. Read, never decoded."""

import re
import struct

MAX_SCANS = 100
"""How often a JPEG may go over its pixels, which costs a few bytes each: libtiff's and GDAL's default."""

MAX_SEGMENTS = 1000
"""How many parts a JPEG may have: Pillow copies all its Exif so far for each further part of it."""

MAX_PIECES = 100_000
"""How many strips or tiles a TIFF may list: Pillow makes an object of each before it looks at the size."""

_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # neither a stuffed byte nor a restart (T.81 B.1.1)
_BARE_BELOW, _START, _END, _SCAN = 0xC0, 0xD8, 0xD9, 0xDA

_SHORT, _LONG = 3, 4
_WIDTH, _LENGTH, _SAMPLES, _ROWS, _TILE_WIDTH, _TILE_LENGTH = 256, 257, 277, 278, 322, 323
_NUMBERS = (_WIDTH, _LENGTH, _SAMPLES, _ROWS, _TILE_WIDTH, _TILE_LENGTH)
_BITS, _STRIPS, _TILES = 258, 273, 324
_SIZING = frozenset((*_NUMBERS, _BITS, _STRIPS, _TILES))


class Bomb(ValueError):
    """Decoding the bytes would take far more work or memory than their header says."""


def check_jpeg(data: bytes) -> None:
    """Raise Bomb for a JPEG of too many scans or parts (ITU-T T.81 annex B)."""
    at, scans, segments = 2, 0, 0
    while (marker := _MARKER.search(data, at)) is not None:
        kind, start = data[marker.end() - 1], marker.end()
        if kind == _END and scans:
            return
        segments += 1
        scans += kind == _SCAN
        if scans > MAX_SCANS:
            raise Bomb(f"has more than {MAX_SCANS} scans")
        if segments > MAX_SEGMENTS:
            raise Bomb(f"has more than {MAX_SEGMENTS} segments")
        bare = kind < _BARE_BELOW or kind in (_START, _END)
        at = start if bare else start + int.from_bytes(data[start : start + 2], "big")


def largest_tile(data: bytes) -> tuple[int, int]:
    """Return width and length of the tiles of the first picture in a TIFF; 0 x 0 where it has strips.

    libtiff makes room for a whole tile, however small the picture is. A strip ends with the picture.
    Raises Bomb for what Pillow and libtiff could read in two ways, and struct.error if cut off.
    """
    order = "<" if data.startswith(b"II") else ">"
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    (entries,) = struct.unpack_from(f"{order}H", data, at)
    found: dict[int, int] = {}
    for tag, kind, count, value in struct.iter_unpack(f"{order}HHI4s", _cut(data, at + 2, 12 * entries)):
        if tag not in _SIZING:
            continue
        # Of two entries for one tag Pillow takes the last and libtiff the first.
        if tag in found:
            raise Bomb(f"has the tag {tag} twice")
        found[tag] = 0
        if tag in _NUMBERS:
            if kind not in (_SHORT, _LONG) or count != 1:
                raise Bomb(f"has no number as its tag {tag}")
            found[tag] = struct.unpack_from(f"{order}{'H' if kind == _SHORT else 'I'}", value)[0]
        elif tag != _BITS and count > MAX_PIECES:
            raise Bomb(f"has more than {MAX_PIECES} strips or tiles")
    if (_TILE_WIDTH in found) != (_TILE_LENGTH in found):
        raise Bomb("gives one side of its tiles alone")  # libtiff takes RowsPerStrip for the length
    return found.get(_TILE_WIDTH, 0), found.get(_TILE_LENGTH, 0)


def _cut(data: bytes, start: int, size: int) -> bytes:
    """Return `size` bytes from `start`. Raises struct.error where they are not all there."""
    return bytes(struct.unpack_from(f"{size}s", data, start)[0])
