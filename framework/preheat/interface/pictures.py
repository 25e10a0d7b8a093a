"""Pictures to and from bytes, through Pillow. Imported only where a handler uses `preheat.Image`."""

import struct
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO

import PIL.Image

from preheat.interface.bombs import Bomb, check_jpeg, largest_tile


class NotAPicture(ValueError):
    """The bytes are no complete picture of a format that we read."""


class TooManyPixels(ValueError):
    """The header announces more pixels than the limit, in the picture or in one of its tiles."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format of pictures: Pillow's name for it and its plugin, which is imported on first use."""

    name: str
    media_type: str
    plugin: str
    starts: tuple[bytes, ...]


# A closed list: Pillow's others include EPS, which starts an interpreter, and many that nobody fuzzes.
FORMATS = (
    Format("PNG", "image/png", "PIL.PngImagePlugin", (b"\x89PNG\r\n\x1a\n",)),
    Format("JPEG", "image/jpeg", "PIL.JpegImagePlugin", (b"\xff\xd8\xff",)),
    Format("WEBP", "image/webp", "PIL.WebPImagePlugin", (b"RIFF",)),
    Format("GIF", "image/gif", "PIL.GifImagePlugin", (b"GIF87a", b"GIF89a")),
    Format("TIFF", "image/tiff", "PIL.TiffImagePlugin", (b"II*\0", b"MM\0*")),
    Format("BMP", "image/bmp", "PIL.BmpImagePlugin", (b"BM",)),
)

# What Pillow's plugins were seen to raise on mutated files; it documents only OSError.
_BROKEN = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class Read:
    """A decoded picture and the media type that its bytes have."""

    picture: PIL.Image.Image
    media_type: str


def read_picture(data: bytes, *, pixels: int | None) -> Read:
    """Decode the first frame of `data` after its header was held against `pixels`.

    `pixels` bounds what a tile of a TIFF holds too. Raises NotAPicture and TooManyPixels.
    """
    form = next((form for form in FORMATS if data.startswith(form.starts)), None)
    if form is None:
        raise NotAPicture(f"is no picture; expected {', '.join(form.name for form in FORMATS)}")
    import_module(form.plugin)
    try:
        if form.name == "JPEG":
            check_jpeg(data)
        elif form.name == "TIFF":
            _hold(largest_tile(data), "tiles of ", pixels)
        picture = PIL.Image.open(BytesIO(data), formats=(form.name,))
        _hold(picture.size, "", pixels)
        picture.load()
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning) as exc:
        raise TooManyPixels("has more pixels than Pillow decodes") from exc
    except TooManyPixels:
        raise
    except Bomb as exc:
        raise NotAPicture(f"{exc}, which no decoder should be asked to read") from exc
    except _BROKEN as exc:
        raise NotAPicture(f"is a truncated or damaged {form.name} file") from exc
    return Read(picture, form.media_type)


def _hold(size: tuple[int, int], what: str, pixels: int | None) -> None:
    width, height = size
    if pixels is not None and width * height > pixels:
        raise TooManyPixels(f"has {what}{width} x {height} pixels; the limit is {pixels}")


def write_picture(picture: PIL.Image.Image, media_type: str) -> bytes:
    """Encode `picture`. Raises ValueError for a media type that is none of ours."""
    form = next((form for form in FORMATS if form.media_type == media_type), None)
    if form is None:
        known = ", ".join(form.media_type for form in FORMATS)
        raise ValueError(f"cannot write a picture as {media_type!r}; choose one of {known}")
    import_module(form.plugin)
    out = BytesIO()
    picture.save(out, form.name)
    return out.getvalue()
