"""preheat-image.lock: which digest each base's tag had when it was first built on.

It stands beside preheat.lock and is committed, so that builds on different days and machines are the same
image. Digests prove themselves, so the file needs no checksum and may be edited.
"""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

from preheat.bundle.cache import Cache
from preheat.bundle.image.reference import DIGEST
from preheat.errors import BundleError

LOCK = "preheat-image.lock"
HEADER = "# Written by `preheat image build`; commit it. `--upgrade` asks for each tag anew.\nversion = 1\n"


def read_pins(root: Path) -> dict[str, str]:
    """Return the digest of each base by its name. Raises BundleError for a file that cannot be used."""
    path = root / LOCK
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        if document.get("version") != 1:
            raise ValueError(f"its version is {document.get('version')!r}, and this preheat writes 1")
        pins = {str(each["image"]): str(each["digest"]) for each in document.get("base", [])}
        if wrong := [digest for digest in pins.values() if not DIGEST.fullmatch(digest)]:
            raise ValueError(f"{wrong[0]!r} is no digest")
    except FileNotFoundError:
        return {}
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
    ) as exc:  # TOML's and UTF-8's errors are ValueErrors
        raise BundleError(
            f"{path} cannot be used: {exc}.", hint=f"Restore it (git checkout {LOCK}), or delete it."
        ) from exc
    return pins


def write_pin(root: Path, image: str, digest: str, cache: Cache) -> None:
    """Record `digest` for `image`. Raises BundleError if the file cannot be written."""
    with cache.exclusive(str(root / LOCK)):
        pins = {**read_pins(root), image: digest}
        _write(root / LOCK, pins)


def _write(path: Path, pins: Mapping[str, str]) -> None:
    text = HEADER
    for image, digest in sorted(pins.items()):
        text += f"\n[[base]]\nimage = {json.dumps(image)}\ndigest = {json.dumps(digest)}\n"
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as exc:
        part.unlink(missing_ok=True)
        raise BundleError(
            f"{path} could not be written: {exc.strerror}.",
            hint="It belongs beside preheat.toml; allow that.",
        ) from exc
