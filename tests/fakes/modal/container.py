"""One container: the real `python -m modal._container_entrypoint` in a jail."""

import asyncio
import json
import os
import shutil
import signal
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from modal_proto import api_pb2
from tests.fakes.modal.client_mount import PREFIX, client_mount
from tests.fakes.modal.files import Files
from tests.fakes.modal.handles import layout
from tests.fakes.modal.identity import identity_token
from tests.fakes.modal.jail import Bind, Jail
from tests.fakes.modal.recipe import Tree
from tests.fakes.modal.state import Function, Input, State

Stage = Literal["starting", "hello", "checkpoint", "restored", "ready", "ended"]
OWN = "/__modal"
STALE = "a token that has expired"
"""What the variable has once the file was written anew: nobody who reads the variable is let in."""
SAYS_IT_BEGINS = "container: the entrypoint starts"


@dataclass
class Container:
    """What is known of a container; `times` has a monotonic time for each stage it has reached.

    "starting" is taken right before the entrypoint is executed, with the files already in place; "ready"
    is the first time that it asks for an input.
    """

    id: str
    function: Function
    definition: str
    folder: Path
    times: dict[Stage, float] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    failure: api_pb2.GenericResult | None = None
    """Why it could not start: what it said itself of a failure in its `enter` or its imports."""
    exit_code: int | None = None
    draining: bool = False
    cancelled: list[Input] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    started_at: float = field(default_factory=time.time)
    process: asyncio.subprocess.Process | None = None

    @property
    def tag(self) -> str:
        """The name of its function in the app."""
        return self.function.name

    def reached(self, stage: Stage) -> None:
        """Note the time of the first visit of `stage`."""
        self.times.setdefault(stage, time.monotonic())

    def kill(self) -> None:
        """End it and everything it started, at once."""
        if self.process is not None and self.process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def restore(self) -> None:
        """Let it go on after its checkpoint, as the machine does that starts from the snapshot."""
        part = self.folder / "own" / "restore-state.part"
        part.write_text(json.dumps({"task_id": self.id}))
        part.rename(part.with_name("restore-state.json"))
        self.reached("restored")


@dataclass(frozen=True)
class Runner:
    """Builds what a container sees from what was uploaded, and nothing else, and starts it."""

    state: State
    files: Files
    tree: Callable[[str], Tree]

    async def run(self, container: Container, url: str) -> None:
        """Start `container` and return when it has ended."""
        command = await asyncio.to_thread(self._prepare, container, url)
        container.process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        process = container.process
        assert process.stdout is not None
        assert process.stderr is not None
        await asyncio.gather(
            self._read(container, process.stdout, api_pb2.FILE_DESCRIPTOR_STDOUT),
            self._read(container, process.stderr, api_pb2.FILE_DESCRIPTOR_STDERR),
        )
        container.exit_code = await process.wait()
        container.reached("ended")

    def _prepare(self, container: Container, url: str) -> list[str]:
        definition = container.function.definitions[container.definition]
        tree = self.tree(definition.image_id)
        own = container.folder / "own"
        own.mkdir(parents=True)
        (container.folder / "place").mkdir()
        arguments = self._arguments(container, definition)
        (own / "arguments.bin").write_bytes(arguments.SerializeToString())
        app = container.function.app
        token = identity_token(app=app.name, function=container.function.name, environment=app.environment)
        (own / "identity-token").write_text(token)
        container.environment = self._environment(container, definition, tree, url)
        jail = Jail(
            container.folder / "place",
            layers=(self._mounted(definition, container.folder / "mounted"), tree.root),
            binds=(Bind(own, OWN), *self._client(definition), *self._volumes(definition)),
        )
        begin = f'echo "{SAYS_IT_BEGINS}"; exec python -m modal._container_entrypoint'
        return jail.command(["/bin/sh", "-c", begin], container.environment, tree.folder)

    def _arguments(self, container: Container, definition: api_pb2.Function) -> api_pb2.ContainerArguments:
        function = container.function
        defined = api_pb2.Function()
        defined.CopyFrom(definition)
        defined.is_checkpointing_function = definition.checkpointing_enabled
        return api_pb2.ContainerArguments(
            task_id=container.id,
            function_id=function.id,
            app_id=function.app.id,
            function_def=defined,
            environment_name=function.app.environment,
            app_layout=layout(self.state, function.app),
            serialized_params=function.parameters,
            checkpoint_id=f"ch-{container.id[3:]}" if definition.checkpointing_enabled else "",
        )

    def _environment(
        self, container: Container, definition: api_pb2.Function, tree: Tree, url: str
    ) -> dict[str, str]:
        env = {**tree.env, "PYTHONPATH": "/root:/pkg", "PYTHONUNBUFFERED": "1", "LANG": "C.UTF-8"}
        for identity in definition.secret_ids:
            env |= self.state.secrets[identity].values
        env |= {
            "MODAL_SERVER_URL": url,
            "MODAL_TASK_ID": container.id,
            "MODAL_IMAGE_ID": definition.image_id,
            "MODAL_ENVIRONMENT": container.function.app.environment,
            "MODAL_IS_REMOTE": "1",
            "MODAL_REGION": "us-east-1",
            "MODAL_CLOUD_PROVIDER": "CLOUD_PROVIDER_AWS",
            "MODAL_CONTAINER_ARGUMENTS_PATH": f"{OWN}/arguments.bin",
            "MODAL_IDENTITY_TOKEN": STALE,
            "MODAL_IDENTITY_TOKEN_FILE": f"{OWN}/identity-token",
        }
        if definition.checkpointing_enabled:
            env |= {"MODAL_ENABLE_SNAP_RESTORE": "1"}
        return env

    def _mounted(self, definition: api_pb2.Function, folder: Path) -> Path:
        for identity in definition.mount_ids:
            for file in self.state.mounts[identity].files:
                path = folder / file.filename.lstrip("/")
                path.parent.mkdir(parents=True, exist_ok=True)
                _lay(self.files.path(file.sha256_hex), path, file.mode or 0o644)
        (folder / "root").mkdir(parents=True, exist_ok=True)
        return folder

    def _client(self, definition: api_pb2.Function) -> tuple[Bind, ...]:
        names = [self.state.mounts[identity].name for identity in definition.mount_ids]
        (version,) = [name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX)]
        return client_mount(version).binds()

    def _volumes(self, definition: api_pb2.Function) -> list[Bind]:
        return [
            Bind(self.state.volumes[mount.volume_id].folder, mount.mount_path, mount.read_only)
            for mount in definition.volume_mounts
        ]

    async def _read(
        self,
        container: Container,
        stream: asyncio.StreamReader,
        descriptor: "api_pb2.FileDescriptor.ValueType",
    ) -> None:
        while line := await stream.readline():
            text = line.decode(errors="replace")
            if text.rstrip() == SAYS_IT_BEGINS:
                container.reached("starting")
                continue
            container.lines.append(text.rstrip("\n"))
            self.state.log(container.id, container.function, text, descriptor)


def _lay(content: Path, path: Path, mode: int) -> None:
    if stat.S_IMODE(content.stat().st_mode) == mode:
        path.hardlink_to(content)  # what a container writes goes elsewhere: see Jail
    else:
        shutil.copyfile(content, path)
        path.chmod(mode)
