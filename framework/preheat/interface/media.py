"""Bytes that mean something: files, pictures and tensors, as handlers annotate and receive them."""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image as Picture

OCTETS = "application/octet-stream"
NPY = "application/x-npy"

_NAME = r"[!#$&^_.+\-0-9A-Za-z]{1,127}"
_MEDIA_TYPE = re.compile(rf"{_NAME}/{_NAME}(?: *;[ -~]*)?")


@dataclass(frozen=True, slots=True)
class File:
    """Bytes with their media type and, where the sender gave one, a name.

    In JSON it is `{"data": BASE64, "media_type": ..., "name": ...}`; on its own it travels raw.
    """

    data: bytes = field(repr=False)
    media_type: str = OCTETS
    name: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.data, bytes):
            raise TypeError(f"{type(self).__name__} takes bytes, not {type(self.data).__name__}")
        if not _MEDIA_TYPE.fullmatch(self.media_type):
            raise ValueError(f"{self.media_type!r} is no media type; one looks like image/png")

    @classmethod
    def from_path(cls, path: "str | Path") -> Self:
        """Read the file at `path`; its suffix gives the media type."""
        import mimetypes  # it reads the system's tables from disk, and only this needs them
        from pathlib import Path

        path = Path(path)
        return cls(path.read_bytes(), mimetypes.guess_type(path.name)[0] or OCTETS, path.name)


@dataclass(frozen=True, slots=True)
class Image(File):
    """A picture: PNG, JPEG, GIF, WebP, BMP or TIFF. Needs Pillow among the project's requirements.

    One that comes with a request has been decoded, and so is complete and within `limits.pixels`;
    its `media_type` is what its bytes are, whatever the sender called them.
    """

    media_type: str = "image/png"
    _picture: "Picture | None" = field(default=None, repr=False, compare=False)

    def pillow(self) -> "Picture":
        """Return the picture (its first frame), decoded once. Raises ValueError for bytes that are none."""
        if self._picture is None:
            from preheat.interface.pictures import read_picture  # Pillow is the project's, not ours

            object.__setattr__(self, "_picture", read_picture(self.data, pixels=None).picture)
        assert self._picture is not None
        return self._picture

    @classmethod
    def from_pillow(
        cls, picture: "Picture", media_type: str = "image/png", name: str | None = None
    ) -> "Image":
        """Encode `picture` as `media_type`."""
        from preheat.interface.pictures import write_picture

        return cls(write_picture(picture, media_type), media_type, name)


@dataclass(frozen=True, slots=True)
class Tensor:
    """What an array must be: `Annotated[numpy.ndarray, preheat.Tensor("float32", (None, 384))]`.

    `dtype` is bool, int8 to int64, uint8 to uint64, or float16 to float64; None in `shape` fits any size.
    In JSON a tensor is nested lists; as application/x-npy it travels raw.
    """

    dtype: str
    shape: tuple[int | None, ...]
