"""Pictures that are small as bytes and by their header, and large for who decodes them."""

import struct
from io import BytesIO

import PIL.Image
import pytest

from preheat.errors import BadInput, BodyTooLarge
from preheat.interface.body import decode_body
from preheat.interface.bombs import MAX_PIECES, MAX_SCANS, MAX_SEGMENTS
from preheat.interface.codec import codec_for
from preheat.interface.manifest import Limits
from preheat.interface.media import Image
from preheat.interface.pictures import NotAPicture, read_picture

IMAGE = codec_for(Image)
SHORT, LONG, DOUBLE, LONG8 = 3, 4, 12, 16
Entry = tuple[int, int, int, int]
"""Tag, type, count and value of a field; the value stands in the directory itself."""

LZW = b"\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01"
PLAIN: list[Entry] = [
    (256, LONG, 1, 8),
    (257, LONG, 1, 8),
    (258, SHORT, 1, 8),
    (259, SHORT, 1, 5),
    (262, SHORT, 1, 1),
    (277, SHORT, 1, 1),
    (324, LONG, 1, 8),
    (325, LONG, 1, len(LZW)),
]
"""Eight by eight grey pixels; its one tile is at byte 8, ahead of the directory."""


def tiff(*more: Entry, order: str = "<", without: int = 0) -> bytes:
    entries = sorted([entry for entry in PLAIN if entry[0] != without] + list(more))
    fields = b"".join(
        struct.pack(f"{order}HHI", *entry[:3])
        + (
            struct.pack(f"{order}HH", entry[3], 0)
            if entry[1] == SHORT
            else struct.pack(f"{order}I", entry[3])
        )
        for entry in entries
    )
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8 + len(LZW))
    return start + LZW + struct.pack(f"{order}H", len(entries)) + fields + struct.pack(f"{order}I", 0)


def tiles(width: int, length: int, kind: int = LONG) -> tuple[Entry, Entry]:
    return (322, kind, 1, width), (323, kind, 1, length)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("width", "length"), [(40_000, 40_000), (8, 2**31), (2**32 - 1, 16)])
def test_a_tile_is_held_against_the_limit_though_the_picture_is_small(
    width: int, length: int, order: str
) -> None:
    body = tiff(*tiles(width, length), order=order)
    assert len(body) < 150
    with pytest.raises(BodyTooLarge, match=f"The image has tiles of {width} x {length} pixels; the limit is"):
        decode_body(IMAGE, body, "image/tiff", Limits())


@pytest.mark.parametrize("entry", [(322, LONG, 1, 40_000), (323, LONG, 1, 40_000)])
def test_a_tile_of_which_one_side_is_given_is_refused(entry: Entry) -> None:
    with pytest.raises(NotAPicture, match="one side of its tiles alone"):
        read_picture(tiff(entry, (278, LONG, 1, 40_000)), pixels=50_000_000)


@pytest.mark.parametrize(
    "entries",
    [
        (*tiles(40_000, 40_000), *tiles(16, 16)),
        (*tiles(16, 16), (277, SHORT, 1, 60_000)),
        (*tiles(16, 16), (258, SHORT, 1, 64)),
        (*tiles(16, 16), (256, LONG, 1, 40_000)),
    ],
)
def test_a_size_that_two_readers_would_read_in_two_ways_is_refused(entries: tuple[Entry, ...]) -> None:
    with pytest.raises(NotAPicture, match="twice"):
        read_picture(tiff(*entries), pixels=50_000_000)


@pytest.mark.parametrize("kind", [1, DOUBLE, LONG8, 17])
def test_a_tile_whose_size_is_of_another_type_is_refused(kind: int) -> None:
    with pytest.raises(NotAPicture, match="no number as its tag 322"):
        read_picture(tiff(*tiles(40_000, 40_000, kind)), pixels=50_000_000)


def test_a_list_of_tiles_or_strips_is_bounded() -> None:
    for tag in (273, 324):
        body = tiff((tag, 1, MAX_PIECES + 1, 8), without=324) + b"\x08" * MAX_PIECES
        with pytest.raises(NotAPicture, match=f"more than {MAX_PIECES} strips or tiles"):
            read_picture(body, pixels=50_000_000)


def test_a_directory_that_is_cut_off_is_bad_input() -> None:
    body = tiff(*tiles(16, 16))
    for size in range(8, len(body) - 4):
        with pytest.raises(BadInput, match="truncated or damaged TIFF"):
            decode_body(IMAGE, body[:size], "image/tiff", Limits())


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"])
@pytest.mark.parametrize("options", [{}, {"strip_size": 4096}, {"tiffinfo": {322: 64, 323: 32}}])
def test_an_ordinary_tiff_is_read(compression: str, options: dict[str, object]) -> None:
    written = BytesIO()
    PIL.Image.linear_gradient("L").convert("RGB").save(written, "TIFF", compression=compression, **options)
    image = decode_body(IMAGE, written.getvalue(), "image/tiff", Limits(pixels=256 * 256))
    assert image.pillow().size == (256, 256)


def jpeg(scans: int, *, ahead: bytes = b"") -> bytes:
    """Eight by eight grey pixels in so many progressive scans, all but the first empty."""

    def segment(marker: int, content: bytes) -> bytes:
        return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content

    one_code = bytes([1] + [0] * 15)
    return (
        b"\xff\xd8"
        + ahead
        + segment(0xDB, bytes([0] + [1] * 64))
        + segment(0xC2, struct.pack(">BHHB", 8, 8, 8, 1) + b"\x01\x11\x00")
        + segment(0xC4, b"\x00" + one_code + b"\x00")
        + segment(0xC4, b"\x10" + one_code + b"\x00")
        + segment(0xDA, b"\x01\x01\x00\x00\x00\x00")
        + b"\x7f"
        + (segment(0xDA, b"\x01\x01\x00\x01\x3f\x00") + b"\x7f") * (scans - 1)
        + b"\xff\xd9"
    )


def test_a_jpeg_of_too_many_scans_is_bad_input() -> None:
    assert decode_body(IMAGE, jpeg(MAX_SCANS), "image/jpeg", Limits()).pillow().size == (8, 8)
    with pytest.raises(BadInput, match=f"the image has more than {MAX_SCANS} scans"):
        decode_body(IMAGE, jpeg(MAX_SCANS + 1), "image/jpeg", Limits())


@pytest.mark.parametrize("filling", [b"\xff", b"\xff" * 3])
def test_a_scan_counts_also_behind_bytes_that_fill(filling: bytes) -> None:
    body = jpeg(MAX_SCANS + 1).replace(b"\xff\xda", filling + b"\xda")
    with pytest.raises(NotAPicture, match="scans"):
        read_picture(body, pixels=None)


@pytest.mark.parametrize("marker", [0x01, 0x02, 0xBF, 0xD8, 0xD9])
def test_a_marker_without_a_length_hides_no_scan(marker: int) -> None:
    hiding = bytes([0xFF, marker, 0xFF, 0xFF])
    with pytest.raises(NotAPicture, match="scans"):
        read_picture(jpeg(MAX_SCANS + 1, ahead=hiding), pixels=None)


def test_scans_that_only_look_so_do_not_count() -> None:
    thumbnail = b"\xff\xe1" + struct.pack(">H", 2 + 2 * 1000) + b"\xff\xda" * 1000
    for body in (jpeg(2, ahead=thumbnail), jpeg(2) + b"\xff\xda" * 1000):
        assert read_picture(body, pixels=None).picture.size == (8, 8)


def test_the_segments_of_a_jpeg_are_bounded() -> None:
    exif = b"\xff\xe1\x00\x09Exif\0\0A"
    assert read_picture(jpeg(1, ahead=exif * (MAX_SEGMENTS - 10)), pixels=None)
    for ahead in (exif * MAX_SEGMENTS, b"\xff\xd9" + exif * MAX_SEGMENTS):
        with pytest.raises(NotAPicture, match=f"more than {MAX_SEGMENTS} segments"):
            read_picture(jpeg(1, ahead=ahead), pixels=None)


@pytest.mark.parametrize("progressive", [False, True])
def test_an_ordinary_jpeg_is_read(progressive: bool) -> None:
    written = BytesIO()
    PIL.Image.effect_noise((300, 200), 80).convert("CMYK").save(
        written, "JPEG", progressive=progressive, restart_marker_rows=1, exif=b"Exif\0\0" + b"\xff" * 9000
    )
    assert decode_body(IMAGE, written.getvalue(), "image/jpeg", Limits()).pillow().size == (300, 200)
