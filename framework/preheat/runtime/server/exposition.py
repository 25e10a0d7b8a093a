"""/metrics of several workers: whichever is asked answers for all, each series with a label `worker`.

Numbers are not added up: a worker that was replaced counts from 0 again, which Prometheus understands
of a series of its own and would take for nonsense in a sum. `sum by (route) (...)` adds them up.
"""

import asyncio
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

Render = Callable[[], tuple[str, bytes]]
"""Returns the media type and the Prometheus text of one process."""

ANSWER_S = 5.0
"""How long another worker may take: its loop waits when C code holds the interpreter, and its first
answer for an import. Prometheus gives a scrape 10 s."""
LONGEST_ANSWER = 4 * 1024 * 1024
LABEL = "worker"

_SAMPLE = re.compile(rb"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (.*)", re.DOTALL)


class SharedExposition:
    """The numbers of all `workers` of one host, through sockets in its private `folder`."""

    def __init__(self, render: Render, *, slot: int, workers: int, folder: Path) -> None:
        self._render = render
        self._slot = slot
        self._workers = workers
        # A socket's path has 108 bytes, and the folder's may be longer: a descriptor shortens it.
        self._folder = os.open(folder, os.O_PATH | os.O_DIRECTORY)
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Answer the other workers from now on."""
        path = self._socket(self._slot)
        path.unlink(missing_ok=True)  # of this one's predecessor
        self._server = await asyncio.start_unix_server(self._answer, path)

    def close(self) -> None:
        """Answer nobody any more."""
        if self._server is not None:
            self._server.close()
        os.close(self._folder)

    async def render(self) -> tuple[str, bytes]:
        """Return the numbers of every worker that answers in time, and of each whether it did."""
        media_type, own = self._render()
        others = [slot for slot in range(self._workers) if slot != self._slot]
        answers = await asyncio.gather(*(self._ask(slot) for slot in others))
        found = {self._slot: own} | dict(zip(others, answers, strict=True))
        return media_type, merged(found)

    def _socket(self, slot: int) -> Path:
        return Path(f"/proc/self/fd/{self._folder}/metrics-{slot}.sock")

    async def _answer(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self._render()[1])
        writer.close()

    async def _ask(self, slot: int) -> bytes | None:
        try:
            async with asyncio.timeout(ANSWER_S):
                reader, writer = await asyncio.open_unix_connection(self._socket(slot), limit=LONGEST_ANSWER)
                try:
                    return await reader.read()
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return None


def merged(found: Mapping[int, bytes | None]) -> bytes:
    """Return one text of those of all workers by number; None stands for one that did not answer."""
    families: dict[bytes, list[bytes]] = {}
    for worker, text in sorted(found.items()):
        family: list[bytes] = []
        for line in (text or b"").splitlines(keepends=True):
            if line.startswith(b"# HELP "):
                family = families.setdefault(line.split(b" ", 3)[2], [])
            if line.startswith(b"#"):
                if line not in family:
                    family.append(line)
            elif (sample := _SAMPLE.fullmatch(line)) is not None:
                family.append(_labelled(worker, *sample.groups()))
    up = [b"# HELP preheat_worker_up Whether the worker answered this scrape.\n"]
    up.append(b"# TYPE preheat_worker_up gauge\n")
    up += [
        _labelled(worker, b"preheat_worker_up", None, b"1.0\n" if text else b"0.0\n")
        for worker, text in sorted(found.items())
    ]
    return b"".join([*(line for family in families.values() for line in family), *up])


def _labelled(worker: int, name: bytes, labels: bytes | None, value: bytes) -> bytes:
    own = f'{LABEL}="{worker}"'.encode()
    return name + b"{" + (own + b"," + labels if labels else own) + b"} " + value
