"""A container in this process: a handler of the test's own, behind the hooks of the generated app."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from preheat.interface.manifest import Limits, Manifest
from preheat_providers.modal.shipped.running import Running
from preheat_providers.modal.shipped.settings import Settings

T = TypeVar("T")
Events = list[dict[str, Any]]


def write_bundle(folder: Path, module: str, reference: str, *, limits: Limits | None = None) -> Path:
    """Write a bundle whose code is `module`, as the file that `reference` names; return its folder."""
    code = folder / "code"
    code.mkdir(parents=True)
    (folder / "weights").mkdir()
    name = reference.partition(":")[0]
    (code / f"{name}.py").write_text(module)
    manifest = Manifest(name="demo", handler=reference, limits=limits or Limits())
    (code / "preheat-manifest.json").write_text(manifest.to_json())
    return folder


def settings_of(**changes: Any) -> Settings:
    """Return the settings of a small deployment, open to everybody."""
    small: dict[str, Any] = {
        "stage": "dev",
        "release": "7",
        "memory_mb": 512,
        "cpus": 1.0,
        "door": "open",
        "jobs": "jobs",
    }
    return Settings(**{**small, **changes})


class Left:
    """Stands for Modal, which is asked to end this container."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked = asyncio.Event()
        self._error = error

    async def __call__(self) -> None:
        self.asked.set()
        if self._error is not None:
            raise self._error


def running_of(
    bundle: Path,
    settings: Settings | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    leave: Callable[[], Any] | None = None,
) -> tuple[Running, Events]:
    """Return a container and what it tells."""
    told: Events = []

    async def stay() -> None:
        raise AssertionError("nobody should leave")

    running = Running(
        bundle, settings or settings_of(), environ=environ or {}, leave=leave or stay, log=told.append
    )
    return running, told


async def asked(
    application: Any, path: str, body: bytes = b"", *, headers: Mapping[str, str] | None = None
) -> Any:
    """Send a POST to an ASGI application and return its status and the JSON of its answer."""
    sent: list[dict[str, Any]] = []
    received = asyncio.Queue[dict[str, Any]]()
    received.put_nowait({"type": "http.request", "body": body, "more_body": False})
    raw = {"content-type": "application/json", **(headers or {})}
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in raw.items()],
    }

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await application(scope, received.get, send)
    text = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], json.loads(text)


def run(work: Awaitable[T]) -> T:
    """Return the result of `work`."""

    async def whole() -> T:
        return await work

    return asyncio.run(whole())
