"""What one function tells of its requests: where its access log lies, and whether it makes traces."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from preheat.runtime.access import AccessLog
from preheat.runtime.tracing import open_tracing
from preheat_providers.local.supervisor.logs import FunctionLog
from preheat_providers.local.supervisor.rotation import RotatedFile

if TYPE_CHECKING:
    from preheat.runtime.spans import Tracing

ROTATE_BYTES = 64 * 1024 * 1024
FLUSH_S = 3.0
"""How long the last lines and spans may take when the function stops."""


class FunctionTelemetry:
    """The access log and the traces of one function, over all its releases.

    The access log has a file of its own: in the function's log it would soon push everything else out.
    """

    def __init__(self, name: str, stage: str, path: Path, log: FunctionLog) -> None:
        self._name = name
        self._stage = stage
        self._log = log
        self._file = RotatedFile(path, ROTATE_BYTES)
        self._access: AccessLog | None = None
        self._tracing: Tracing | None = None
        self._asked = False

    @property
    def path(self) -> Path:
        """The access log."""
        return self._file.path

    async def tracing(self) -> "Tracing | None":
        """Return what makes traces, if the supervisor's environment asks for them."""
        if not self._asked:
            self._asked = True
            said: list[dict[str, Any]] = []
            # Importing the SDK takes a third of a second, which no request should wait for.
            self._tracing = await asyncio.to_thread(open_tracing, self._name, self._stage, log=said.append)
            for event in said:
                self._log.write(**event)
        return self._tracing

    def access(self) -> AccessLog:
        """Return the access log, open."""
        if self._access is None:
            self._access = AccessLog(self._file.append)
        return self._access

    async def close(self) -> None:
        """Write what is queued, for `FLUSH_S` at most."""
        access, self._access = self._access, None
        tracing, self._tracing, self._asked = self._tracing, None, False
        if access is not None and await asyncio.to_thread(access.close, FLUSH_S):
            self._file.close()
        if tracing is not None:
            await asyncio.to_thread(tracing.close, FLUSH_S)

    def remove(self) -> tuple[Path, ...]:
        """Delete the access log; return the files that there were."""
        return self._file.remove()
