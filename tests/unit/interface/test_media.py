import contextlib
import random
import struct
import zlib
from base64 import b64encode
from io import BytesIO
from pathlib import Path

import PIL.Image
import pytest

from preheat.errors import BadInput, BodyTooLarge
from preheat.interface.body import decode_body
from preheat.interface.codec import codec_for
from preheat.interface.manifest import Limits
from preheat.interface.media import File, Image
from preheat.interface.pictures import FORMATS, NotAPicture, TooManyPixels, read_picture

IMAGE = codec_for(Image)


def picture(form: str = "PNG", size: tuple[int, int] = (40, 30)) -> bytes:
    noise = random.Random(7).randbytes(size[0] * size[1] * 3)
    out = BytesIO()
    PIL.Image.frombytes("RGB", size, noise).save(out, form)
    return out.getvalue()


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_every_format_is_read_as_what_it_is_whatever_it_is_called(form: object) -> None:
    name, media_type = form.name, form.media_type  # type: ignore[attr-defined]
    image = decode_body(IMAGE, picture(name), "image/x-unheard-of", Limits())
    assert image.media_type == media_type
    assert image.pillow().size == (40, 30)


def test_an_image_travels_in_json_and_back() -> None:
    image = Image(picture(), "image/png", "a.png")
    document = IMAGE.encode(image)
    assert document == {"data": b64encode(image.data).decode(), "media_type": "image/png", "name": "a.png"}
    assert IMAGE.decode(document) == image
    assert IMAGE.encode(IMAGE.decode(document)) == document


@pytest.mark.parametrize("size", [(8000, 7000), (60_000, 60_000), (11_000, 10_000)])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_an_image_bomb_is_refused_by_its_header(size: tuple[int, int]) -> None:
    with pytest.raises(BodyTooLarge) as caught:
        decode_body(IMAGE, png_that_claims(*size), "image/png", Limits())
    assert caught.value.errors[0][0] == ""


def test_a_bomb_is_refused_also_where_warnings_are_errors() -> None:
    with pytest.raises(TooManyPixels, match="more pixels than Pillow decodes"):
        read_picture(png_that_claims(11_000, 10_000), pixels=50_000_000)


def test_the_limit_of_pixels_is_that_of_the_project() -> None:
    body = picture(size=(40, 30))
    assert decode_body(IMAGE, body, "image/png", Limits(pixels=1200))
    with pytest.raises(BodyTooLarge, match="The image has 40 x 30 pixels; the limit is 1199"):
        decode_body(IMAGE, body, "image/png", Limits(pixels=1199))


def test_the_images_of_one_input_share_the_limit_of_pixels() -> None:
    pictures = [{"data": b64encode(picture(size=(40, 30))).decode()}] * 3
    album = codec_for(list[Image])
    assert len(album.decode(pictures, Limits(pixels=3600))) == 3
    with pytest.raises(BodyTooLarge) as caught:
        album.decode(pictures, Limits(pixels=3599))
    detail = "the image has 40 x 30 pixels; the limit is 1199, left of 3599 by those before it"
    assert caught.value.errors == (("/2", detail),)


@pytest.mark.parametrize("form", [form.name for form in FORMATS if form.name not in ("GIF", "BMP", "TIFF")])
def test_a_truncated_picture_is_bad_input(form: str) -> None:
    data = picture(form)
    with pytest.raises(BadInput, match=f"the image is a truncated or damaged {form} file"):
        decode_body(IMAGE, data[: len(data) // 2], "image/png", Limits())


def test_bytes_that_are_no_picture_are_bad_input_with_their_place() -> None:
    with pytest.raises(BadInput) as caught:
        codec_for(list[Image]).decode([{"data": b64encode(b"hello").decode()}, {"data": "?"}, {}])
    assert dict(caught.value.errors) == {
        "/0": "the image is no picture; expected PNG, JPEG, WEBP, GIF, TIFF, BMP",
        "/1/data": "expected bytes in base64 with padding and without line breaks",
        "/2": "'data' is missing",
    }


@pytest.mark.parametrize("form", [form.name for form in FORMATS])
@pytest.mark.filterwarnings("ignore")
def test_mutated_pictures_are_read_or_refused(form: str) -> None:
    rng = random.Random(form)
    good = picture(form, (16, 12))
    for _ in range(300):
        data = bytearray(good)
        for _ in range(rng.randint(1, 8)):
            data[rng.randrange(8, len(data))] = rng.randrange(256)
        cut = rng.choice([len(data), rng.randrange(8, len(data))])
        with contextlib.suppress(NotAPicture, TooManyPixels):
            read_picture(bytes(data[:cut]), pixels=100_000)


def test_a_picture_of_pillow_becomes_an_image() -> None:
    image = Image.from_pillow(PIL.Image.new("RGB", (3, 2), "red"), name="red.png")
    assert (image.media_type, image.name) == ("image/png", "red.png")
    assert image.pillow().getpixel((0, 0)) == (255, 0, 0)
    with pytest.raises(ValueError, match="cannot write a picture as 'image/x'"):
        Image.from_pillow(image.pillow(), "image/x")


def test_a_file_of_the_disk_has_the_type_of_its_suffix(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"{}")
    (tmp_path / "noidea").write_bytes(b"?")
    assert File.from_path(tmp_path / "a.json") == File(b"{}", "application/json", "a.json")
    assert File.from_path(str(tmp_path / "noidea")).media_type == "application/octet-stream"


@pytest.mark.parametrize(
    "media_type", ["", "image", "image/", "image/png\r\nx: 1", "image/png; a=ä", "a b/c"]
)
def test_what_is_no_media_type_makes_no_file(media_type: str) -> None:
    with pytest.raises(ValueError, match="no media type"):
        File(b"", media_type)


def test_a_media_type_that_is_none_is_bad_input() -> None:
    with pytest.raises(BadInput, match="no media type"):
        codec_for(File).decode({"data": "", "media_type": "a\nb"})


def test_a_file_takes_bytes_only() -> None:
    with pytest.raises(TypeError, match="File takes bytes, not str"):
        File("text")  # type: ignore[arg-type]
