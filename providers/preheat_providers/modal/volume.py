"""An app's Volume: the weights of its releases by their content, and their records. Asks Modal, sends files.

What is there is found by a list: a folder of weights is named by the digest over its contents, and Modal
takes a block only if it has the SHA-256 that it was announced with. A file appears whole or not at all,
and files are committed in small groups, so that an upload that was cut goes on where it was.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from preheat.errors import ProviderError
from preheat.progress import Report, Step, quiet
from preheat_providers.modal.client import Client
from preheat_providers.modal.errors import translated
from preheat_providers.modal.sending import STAGE, Progress, send_within

if TYPE_CHECKING:
    import modal

VERSION = 2
"""Such a Volume takes any number of files, in blocks: https://modal.com/docs/guide/volumes, 2026-11-21."""
GROUP_BYTES = 256 << 20
GROUP_FILES = 500
STALL_S = 300.0
"""On a line of 1 Mbit/s, what the client reads ahead for its 128 connections takes almost as long."""


class Data:
    """The Volume called `name`. An upload of which nothing moves for `stall_s` is given up."""

    def __init__(self, client: Client, name: str, environment: str, *, stall_s: float = STALL_S) -> None:
        self._client = client
        self.name = name
        self._environment = environment
        self._stall_s = stall_s

    @cached_property
    def _volume(self) -> "modal.Volume":
        from modal import Volume

        named = Volume.from_name(self.name, environment_name=self._environment or None)
        return named.hydrate(self._client.modal)

    def make(self) -> None:
        """Make the Volume unless it is there."""
        own = self._client.modal
        from modal import Volume

        with translated(f"the Volume {self.name} cannot be made"):
            Volume.from_name(
                self.name,
                environment_name=self._environment or None,
                create_if_missing=True,
                version=VERSION,
            ).hydrate(own)

    def files(self, folder: str) -> Mapping[str, int]:
        """Return the size of every file below `folder` by its path in the Volume; nothing without them."""
        self._client.modal  # noqa: B018 - signs in, and says what is missing for that
        from modal.exception import NotFoundError

        with translated(f"the Volume {self.name} cannot be listed"):
            try:
                found = self._volume.listdir(folder, recursive=True)
            except NotFoundError:
                return {}
        return {each.path: each.size for each in found if each.type.name == "FILE"}

    def read(self, path: str) -> str:
        """Return the text of a file. Raises ProviderError."""
        with self._asking(f"{path} of the Volume {self.name} cannot be read"):
            return b"".join(self._volume.read_file(path)).decode()

    def write(self, path: str, text: str) -> None:
        """Write a file, over one that is there."""
        content = text.encode()
        what = f"{path} cannot be written to the Volume {self.name}"
        self._put({path: BytesIO(content)}, len(content), Progress(quiet, len(content)), what)

    def remove(self, path: str) -> None:
        """Remove a file, or a folder with all that is in it; nothing happens without it."""
        from modal.exception import NotFoundError

        with self._asking(f"{path} of the Volume {self.name} cannot be removed"):
            try:
                self._volume.remove_file(path, recursive=True)
            except NotFoundError:
                return

    def send(self, source: Path, folder: str, report: Report) -> int:
        """Put the files of `source` that `folder` lacks there; return their bytes. Raises ProviderError."""
        wanted = {path: path.stat().st_size for path in sorted(source.rglob("*")) if path.is_file()}
        targets = {path: f"{folder}/{path.relative_to(source).as_posix()}" for path in wanted}
        there = self.files(folder)
        missing = [path for path in wanted if there.get(targets[path]) != wanted[path]]
        total = sum(wanted[path] for path in missing)
        if not missing:
            return 0
        report(Step(STAGE, f"{len(missing)} files of weights to the Volume {self.name}"))
        progress, what = Progress(report, total), f"weights cannot be sent to the Volume {self.name}"
        for group in _groups(missing, wanted):
            size = sum(wanted[path] for path in group)
            self._put({targets[path]: path for path in group}, size, progress, what)
        self._verify(folder, {targets[path]: size for path, size in wanted.items()})
        return total

    def _put(self, files: Mapping[str, Path | BytesIO], size: int, progress: Progress, what: str) -> None:
        """Put files of `size` bytes where they belong, all or none. Raises ProviderError."""
        with self._asking(what):
            from modal.volume import AbstractVolumeUploadContextManager as Upload

            version = self._volume._get_metadata().version  # type: ignore[union-attr]
            # What `modal volume put` does: the public `batch_upload` says nothing of its progress.
            upload: Any = Upload.resolve(
                version, self._volume.object_id, self._client.modal, progress_cb=progress, force=True
            )
            for path, content in files.items():
                upload.put_file(content, f"/{path}")
            progress.begin(size)
            send_within(self._stall_s, upload, progress)
            progress.committed()

    def _verify(self, folder: str, wanted: Mapping[str, int]) -> None:
        there = self.files(folder)
        wrong = sorted(path for path, size in wanted.items() if there.get(path) != size)
        if wrong:
            raise ProviderError(
                f"{wrong[0]} is not in the Volume {self.name} as it was sent: {there.get(wrong[0])} bytes "
                f"of {wanted[wrong[0]]}.",
                hint="Deploy again.",
            )

    @contextmanager
    def _asking(self, what: str) -> Iterator[None]:
        self._client.modal  # noqa: B018 - signs in: the error of a missing client or token says more
        from aiohttp import ClientError

        with translated(what):
            try:
                yield
            except (ClientError, TimeoutError) as error:
                reason = str(error) or type(error).__name__
                raise ProviderError(
                    f"On Modal, {what}: {reason}.", hint="Deploy again: it goes on from there."
                ) from error


def _groups(paths: Sequence[Path], sizes: Mapping[Path, int]) -> Iterator[Sequence[Path]]:
    """Yield the files a group at a time: what is in one is committed together."""
    group: list[Path] = []
    room = GROUP_BYTES
    for path in paths:
        if group and (sizes[path] > room or len(group) == GROUP_FILES):
            yield group
            group, room = [], GROUP_BYTES
        group.append(path)
        room -= sizes[path]
    if group:
        yield group
