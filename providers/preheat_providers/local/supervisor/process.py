"""Worker processes: their command, configuration and environment; starting one.

Touches: starts processes, makes and removes their scratch folders. No secret is on a command line.
"""

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from preheat.interface.threads import library_environment
from preheat_providers.local.supervisor.paths import private_folder
from preheat_providers.local.supervisor.spec import Spec

ENTRY = Path("preheat_providers") / "local" / "entry.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How to start workers of one release. `secrets` are values; the sockets lie in a private folder."""

    spec: Spec
    release: int
    secrets: Mapping[str, str]
    control: Path
    sockets: Path
    tmp: Path

    def socket(self, worker_id: str) -> Path:
        """Return the socket on which the worker will answer."""
        return self.sockets / f"{worker_id}.sock"

    def scratch(self, worker_id: str) -> Path:
        """Return the worker's scratch folder."""
        return self.tmp / worker_id

    def command(self) -> list[str]:
        """Return the command line: isolated from the environment, site-packages and the user's own files."""
        spec = self.spec
        return [str(spec.python), "-I", "-S", "-B", "-X", "utf8", str(spec.code / ENTRY)]

    def config(self, worker_id: str, *, zygote: bool) -> dict[str, Any]:
        """Return what the worker reads from its standard input."""
        spec = self.spec
        return {
            "id": worker_id,
            "code": str(spec.code),
            "dependencies": str(spec.dependencies),
            "weights": str(spec.weights),
            "control": str(self.control),
            "socket": str(self.socket(worker_id)),
            "name": spec.name,
            "stage": spec.stage,
            "provider": "local",
            "release": str(self.release),
            "memory_mb": spec.resources.memory_mb,
            "tmp_mb": spec.resources.tmp_mb,
            "cpus": spec.resources.cpu,
            "concurrency": spec.scaling.concurrency,
            "tmp": str(self.scratch(worker_id)),
            "zygote": zygote,
        }

    def environment(self, worker_id: str) -> dict[str, str]:
        """Return the worker's whole environment; what the project sets wins over what we set."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": os.environ.get("HOME", "/"),
            "LANG": "C.UTF-8",
            "TMPDIR": str(self.scratch(worker_id)),
            **library_environment(max(1, int(self.spec.resources.cpu))),
            **self.spec.env,
            **self.secrets,
        }

    async def start(self, worker_id: str, *, zygote: bool, output: int) -> asyncio.subprocess.Process:
        """Start a process that leads a session and prints to `output`, and hand it its configuration.

        `output` is a file's descriptor. Raises OSError when the process cannot be started.
        """
        private_folder(self.scratch(worker_id))
        process = await asyncio.create_subprocess_exec(
            *self.command(),
            stdin=asyncio.subprocess.PIPE,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            env=self.environment(worker_id),
            cwd=self.scratch(worker_id),
            start_new_session=True,
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(self.config(worker_id, zygote=zygote)).encode())
        process.stdin.close()
        return process
