"""`[weights]` to the tree of the weights layer. In: names, sources, sums. Out: `<name>/<file>`, verified."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from preheat.bundle.cache import Cache
from preheat.bundle.digest import File, safe_path
from preheat.bundle.model import Target
from preheat.bundle.uv import Uv
from preheat.bundle.weights.file import Seen, open_file
from preheat.bundle.weights.hf import open_hub
from preheat.bundle.weights.http import Http
from preheat.bundle.weights.https import open_https
from preheat.bundle.weights.pypi import open_wheel_member
from preheat.bundle.weights.s3 import open_s3
from preheat.bundle.weights.source import S3, Https, Hub, LocalFile, Source, Wheel, file_name, parse_source
from preheat.bundle.weights.transfer import Incoming, receive
from preheat.errors import BundleError
from preheat.progress import Report
from preheat.project.model import Weights


@dataclass(frozen=True, slots=True)
class Fetcher:
    """What fetching needs: the project's folder, the target, and where things are kept."""

    root: Path
    target: Target
    uv: Uv
    http: Http
    cache: Cache
    report: Report

    def fetch(self, weights: Sequence[Weights]) -> tuple[dict[str, File], dict[str, str]]:
        """Return the files of the weights layer, and for each name its path in it."""
        tree: dict[str, File] = {}
        paths = {}
        for entry in sorted(weights, key=lambda entry: entry.name):
            source = parse_source(entry)
            paths[entry.name] = f"{safe_path(entry.name)}/{file_name(source)}"
            for relative, digest in self._digests(entry, source).items():
                blob = self.cache.blob(digest)
                path = f"{paths[entry.name]}/{relative}".rstrip("/")
                tree[path] = File(blob, digest, blob.stat().st_size)
        return tree, paths

    def _digests(self, entry: Weights, source: Source) -> dict[str, str]:
        """Store the files of `entry` and return their SHA-256 by path; the path of a single file is empty."""
        match source:
            case LocalFile(path) if (self.root / path).is_dir():
                return self._folder(entry, self.root / path)
            case LocalFile(path):
                return {"": self._local(entry, self.root / path)}
            case _:
                return {"": self._remote(entry, source)}

    def _folder(self, entry: Weights, folder: Path) -> dict[str, str]:
        if entry.sha256 is not None:
            raise BundleError(
                f"weights.{entry.name} is the folder {folder.name}, and a folder has no sha256.",
                hint="Remove sha256 from that entry; every file is hashed into the bundle's digest anyway.",
            )
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): self._local(entry, path) for path in files}

    def _local(self, entry: Weights, path: Path) -> str:
        incoming = open_file(path)
        seen = Seen(path, self.cache)
        known = seen.recall()
        if known is not None and entry.sha256 in (None, known) and self.cache.blob(known).exists():
            incoming.chunks.close()
            return known
        digest = receive(incoming, label=path.name, sha256=entry.sha256, cache=self.cache, report=self.report)
        seen.remember(digest)
        return digest

    def _remote(self, entry: Weights, source: Https | S3 | Hub | Wheel) -> str:
        if entry.sha256 is None:
            raise BundleError(
                f"weights.{entry.name} comes from elsewhere and has no sha256.",
                hint=f'Add sha256 = "..." to [weights.{entry.name}]; `sha256sum FILE` prints it.',
            )
        wanted = entry.sha256.lower()
        with self.cache.exclusive(wanted):
            if not self.cache.blob(wanted).exists():
                with self.cache.staging() as staging:
                    incoming = self._open(source, staging)
                    receive(incoming, label=entry.source, sha256=wanted, cache=self.cache, report=self.report)
        return wanted

    def _open(self, source: Https | S3 | Hub | Wheel, staging: Path) -> Incoming:
        match source:
            case Https():
                return open_https(source, self.http)
            case S3():
                return open_s3(source)
            case Hub():
                return open_hub(source, self.http)
            case Wheel():
                return open_wheel_member(source, self.target, uv=self.uv, http=self.http, staging=staging)
        assert_never(source)
