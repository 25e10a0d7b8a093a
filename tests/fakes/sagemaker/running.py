"""Instances as processes: the image is fetched from the account's registry, our layers lie in a folder.

What the base brings is this machine's, its Python above all. A process that ends is started again.
"""

import io
import os
import signal
import socket
import subprocess
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from tests.fakes.aws.registry_door import Door
from tests.fakes.patience import PATIENCE_S
from tests.fakes.sagemaker.exchange import until_well

from preheat.bundle.image.container import CODE, ROOT
from preheat.bundle.interpreter import base_interpreter

OURS = "preheat: "
"""How a layer of ours is called in the history of an image."""


@dataclass(frozen=True)
class Unpacked:
    """Our layers of an image below `root`, and how it is started: interpreter's flags, script, variables."""

    root: Path
    command: tuple[str, ...]
    env: Mapping[str, str]


def fetch(image: str, door: Door, into: Path) -> Unpacked:
    """Fetch `image` (`HOST/REPOSITORY@DIGEST`, whatever the host) from the registry behind `door`."""
    repository, _, digest = image.partition("/")[2].partition("@")
    with httpx.Client(
        base_url=f"http://{door.host}/v2/{repository}", auth=door.login, timeout=PATIENCE_S
    ) as client:

        def get(path: str) -> httpx.Response:
            return client.get(path).raise_for_status()

        manifest = get(f"/manifests/{digest}").json()
        config = get(f"/blobs/{manifest['config']['digest']}").json()
        root = into / digest.removeprefix("sha256:")
        if not root.exists():
            for layer in _ours(manifest, config):
                with tarfile.open(fileobj=io.BytesIO(get(f"/blobs/{layer}").content)) as archive:
                    members = [each for each in archive if each.name.startswith(f"{ROOT}/")]
                    archive.extractall(root, members, filter="tar")
    process = config["config"]
    command = [*process["Entrypoint"], *process.get("Cmd", ())]
    env = dict(each.split("=", 1) for each in process["Env"])
    return Unpacked(root, tuple(command[1:]), env)


def _ours(manifest: Any, config: Any) -> Iterator[str]:
    """Yield the digests of the layers that the base has not."""
    names = [each["created_by"] for each in config["history"] if not each.get("empty_layer")]
    for layer, name in zip(manifest["layers"], names, strict=True):
        if name.startswith(OURS):
            yield layer["digest"]


class Instance:
    """One instance that runs an image with `env`, which is the model's, until `close`."""

    def __init__(self, image: Unpacked, env: Mapping[str, str], log: Path) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._image = image
        self._env = {**image.env, **env, "HOME": str(log.parent), "TMPDIR": str(log.parent)}
        self._log = log
        self._told = 0
        self._stopping = False
        self._lock = threading.Lock()
        self._process = self._start()
        self._keeper = threading.Thread(target=self._keep)
        self._keeper.start()

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def until_well(self) -> bool:
        """Wait until its model is ready; return False where it has not come to that."""
        late = threading.Event()
        timer = threading.Timer(PATIENCE_S, late.set)
        timer.start()
        try:
            return until_well(self.address, late)
        finally:
            timer.cancel()

    def new_lines(self) -> list[str]:
        """Return the lines that it has written since this was asked last."""
        with self._log.open("rb") as file:
            file.seek(self._told)
            whole = file.read().rpartition(b"\n")
        self._told += len(whole[0]) + len(whole[1])
        return whole[0].decode().splitlines()

    def close(self) -> None:
        """End it."""
        with self._lock:
            self._stopping = True
            with suppress(ProcessLookupError):  # it may have ended by itself
                os.killpg(self._process.pid, signal.SIGKILL)
        self._keeper.join()
        self._listener.close()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [each.replace(f"/{CODE}", f"{self._image.root}/{CODE}") for each in self._image.command]
        with self._log.open("ab") as output:
            return subprocess.Popen(
                [base_interpreter(), *command, "serve", "--listener", str(self._listener.fileno())],
                env=self._env,
                cwd=self._log.parent,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[self._listener.fileno()],
                start_new_session=True,
            )

    def _keep(self) -> None:
        while True:
            self._process.wait()
            with self._lock:
                if self._stopping:
                    return
                self._process = self._start()
