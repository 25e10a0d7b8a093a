"""Bytes from anywhere to a blob in the cache: hashed while they come, complete or absent."""

import hashlib
import shutil
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass

from preheat.bundle.cache import Cache
from preheat.errors import BundleError
from preheat.progress import Amount, Report

CHUNK = 1 << 20
STAGE = "bundle"


@dataclass(frozen=True, slots=True)
class Incoming:
    """An open source. `total` is None where the source does not say; `chunks` may be read once."""

    total: int | None
    chunks: Generator[bytes, None, None]


def receive(incoming: Incoming, *, label: str, sha256: str | None, cache: Cache, report: Report) -> str:
    """Store `incoming` and return its SHA-256. Raises BundleError, keeping nothing, if it is not `sha256`."""
    with cache.staging() as staging, closing(incoming.chunks) as chunks:
        if incoming.total is not None and shutil.disk_usage(staging).free < incoming.total:
            raise BundleError(
                f"{label} is {incoming.total:,} bytes, and the disk of {cache.root} has less room than that.",
                hint="Free some space, or set PREHEAT_HOME to a folder on another disk.",
            )
        part = staging / "blob"
        digest = hashlib.sha256()
        done = 0
        with part.open("wb") as file:
            for chunk in chunks:
                file.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                if incoming.total is not None and done > incoming.total:
                    break
                report(Amount(STAGE, label, done, incoming.total, "bytes"))
        _check(label, done, incoming.total, digest.hexdigest(), sha256)
        part.chmod(0o644)
        cache.publish(part, cache.blob(digest.hexdigest()))
    return digest.hexdigest()


def _check(label: str, done: int, total: int | None, found: str, wanted: str | None) -> None:
    if total is not None and done != total:
        raise BundleError(
            f"{label} was to be {total:,} bytes and {'more' if done > total else done} came.",
            hint="Build again; if it happens again, the server is at fault.",
        )
    if wanted is not None and found != wanted.lower():
        raise BundleError(
            f"{label} has another content than preheat.toml says; nothing was kept.\n"
            f"  expected sha256 {wanted.lower()}\n  received sha256 {found}",
            hint=f'If the new content is the right one, set sha256 = "{found}".',
        )
