"""Images: built once per content below .cache/, with the log of the build streamed to the client."""

import asyncio
import fcntl
import hashlib
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from modal_proto import api_pb2
from tests.fakes.modal import recipe
from tests.fakes.modal.files import Files
from tests.fakes.modal.recipe import PYTHON, BuildFailed, Recipe, Tree
from tests.fakes.modal.state import BUILDER, State, not_found

CACHE = Path(__file__).parents[3] / ".cache" / "modal"
SETTINGS = "settings.json"
FORMAT = 2
"""To be raised with a change of how images are built here: what was built before is not used."""


@dataclass
class Build:
    """An image that is being built, or was."""

    id: str
    log: list[str] = field(default_factory=list)
    tree: Tree | None = None
    failure: str = ""

    def __len__(self) -> int:
        """Count what there is to tell: the lines of the log, then that it has ended."""
        return len(self.log) + self.ended

    @property
    def ended(self) -> bool:
        """Say whether it has been built or has failed."""
        return self.tree is not None or bool(self.failure)


class Images:
    """The calls of images, and the trees of those that were built."""

    def __init__(self, state: State, files: Files, cache: Path = CACHE) -> None:
        self._state = state
        self._files = files
        self._folder = cache / "images"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._builds: dict[str, Build] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def tree(self, image_id: str) -> Tree:
        """Return the files of a built image."""
        build = self._builds.get(image_id)
        if build is None or build.tree is None:
            raise not_found(f"Image {image_id}")
        return build.tree

    def ImageGetOrCreate(self, request: api_pb2.ImageGetOrCreateRequest) -> api_pb2.ImageGetOrCreateResponse:
        image = request.image
        digest = self._digest(image)
        identity = f"im-{digest[:24]}"
        build = self._builds.get(identity)
        if build is None or build.failure or request.force_build:
            build = self._builds[identity] = Build(identity)
            if (self._folder / digest / SETTINGS).exists() and not request.force_build:
                self._load(build, self._folder / digest)
            else:
                task = asyncio.get_running_loop().create_task(self._build(build, image, digest))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        if build.ended:
            return api_pb2.ImageGetOrCreateResponse(
                image_id=identity, result=_result(build), metadata=_metadata()
            )
        return api_pb2.ImageGetOrCreateResponse(image_id=identity)

    async def ImageJoinStreaming(
        self, request: api_pb2.ImageJoinStreamingRequest
    ) -> AsyncIterator[api_pb2.ImageJoinStreamingResponse]:
        build = self._builds.get(request.image_id)
        if build is None:
            raise not_found(f"Image {request.image_id}")
        seen = int(request.last_entry_id or 0)
        while True:
            await self._state.bell.longer(build, seen, request.timeout)
            texts, ended = build.log[seen:], build.ended
            seen += len(texts)
            logs = [
                api_pb2.TaskLogs(data=text, file_descriptor=api_pb2.FILE_DESCRIPTOR_STDOUT) for text in texts
            ]
            if logs:
                yield api_pb2.ImageJoinStreamingResponse(task_logs=logs, entry_id=str(seen))
            if ended:
                yield api_pb2.ImageJoinStreamingResponse(
                    result=_result(build), metadata=_metadata(), eof=True
                )
            if ended or not logs:
                return

    def _digest(self, image: api_pb2.Image) -> str:
        content = api_pb2.Image()
        content.CopyFrom(image)
        content.secret_ids[:] = []  # numbers of this run; their values never make another image
        digest = hashlib.sha256(content.SerializeToString(deterministic=True))
        digest.update(f"{FORMAT} {BUILDER} {PYTHON}".encode())
        return digest.hexdigest()

    async def _build(self, build: Build, image: api_pb2.Image, digest: str) -> None:
        try:
            await self._make(build, image, digest)
            self._load(build, self._folder / digest)
        except Exception as exc:  # noqa: BLE001 - one image; whoever waits for it gets the reason
            build.failure = str(exc) if isinstance(exc, BuildFailed) else repr(exc)
            build.log.append(f"{build.failure}\n")
        self._state.bell.ring()

    async def _make(self, build: Build, image: api_pb2.Image, digest: str) -> None:
        loop = asyncio.get_running_loop()

        def say(text: str) -> None:
            def add() -> None:
                build.log.append(text)
                self._state.bell.ring()

            loop.call_soon_threadsafe(add)

        files: dict[str, Path | bytes] = {file.filename: file.data for file in image.context_files}
        if image.context_mount_id:
            mount = self._state.mounts[image.context_mount_id]
            files |= {file.filename: self._files.path(file.sha256_hex) for file in mount.files}
        secrets = [self._state.secrets[identity].values for identity in image.secret_ids]
        step = Recipe(image.dockerfile_commands, files, {k: v for some in secrets for k, v in some.items()})
        parents = [self.tree(base.image_id) for base in image.base_images]
        if image.HasField("build_function") or len(parents) > 1:
            raise BuildFailed("This control plane builds on one base, and runs no function")
        await asyncio.to_thread(self._execute, step, parents, digest, say)

    def _execute(self, step: Recipe, parents: list[Tree], digest: str, say: recipe.Say) -> None:
        folder = self._folder / digest
        with _locked(folder.with_suffix(".lock")):
            if (folder / SETTINGS).exists():
                return
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            tree = Tree(folder / "root")
            if parents:
                shutil.copytree(parents[0].root, tree.root, symlinks=True)
                tree = Tree(tree.root, parents[0].env, parents[0].folder)
            step.execute(tree, say).save(folder / SETTINGS)

    def _load(self, build: Build, folder: Path) -> None:
        build.tree = recipe.load(folder / SETTINGS, folder / "root")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another process of the same test run may want the same image
        yield


def _result(build: Build) -> api_pb2.GenericResult:
    failed = api_pb2.GenericResult.GENERIC_STATUS_FAILURE
    succeeded = api_pb2.GenericResult.GENERIC_STATUS_SUCCESS
    return api_pb2.GenericResult(status=failed if build.failure else succeeded)


def _metadata() -> api_pb2.ImageMetadata:
    return api_pb2.ImageMetadata(python_version_info=f"Python {PYTHON}", image_builder_version=BUILDER)
