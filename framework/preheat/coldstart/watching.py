"""One process from its start to its end: what it writes, whether it still runs, and how long it may."""

import json
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from preheat.errors import HandlerError
from preheat.runtime.supervision import describe_exit

TAIL_CHARACTERS = 2000
FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Used:
    """What a process has used: time of processors in ms, its largest resident set, bytes from storage."""

    cpu_ms: float
    rss_bytes: int
    read_bytes: int | None


class WatchedProcess:
    """Implements preheat.provider.rehearsal.Watch; a context that ends the process and all it started."""

    def __init__(self, process: "subprocess.Popen[bytes]", *, began_ns: int, limit_s: float) -> None:
        self.began_ns = began_ns
        self._process = process
        self._limit_s = limit_s
        self._deadline = time.monotonic() + limit_s
        self._handle = os.pidfd_open(process.pid)
        self._changed = threading.Condition()
        self._lines: list[tuple[int, str]] = []
        self._reading = True
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> "WatchedProcess":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._kill()
            self._process.wait()
        self._reader.join()
        os.close(self._handle)

    @property
    def log(self) -> str:
        """What it has written to standard error so far."""
        with self._changed:
            return "".join(line for _, line in self._lines)

    def give(self, data: bytes) -> None:
        """Write `data` to its standard input, and end that."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError), self._process.stdin as stdin:  # who waits for it learns how it ended
            stdin.write(data)

    def left_s(self) -> float:
        """Return how long it may still take."""
        return max(0.0, self._deadline - time.monotonic())

    def readable(self, descriptor: int) -> None:
        """Wait until something can be read there. Raises HandlerError once it has ended or is late."""
        ready, _, _ = select.select([descriptor, self._handle], [], [], self.left_s())
        if not ready:
            raise self._late()
        if descriptor not in ready:
            raise self._ended()

    def logged(self, event: str) -> Mapping[str, Any]:
        """Wait until it has logged `event`. Raises HandlerError once it has ended or is late."""
        with self._changed:
            while (found := self._find(event)) is None and self._reading:
                if not self._changed.wait(self.left_s()):
                    raise self._late()
        if found is None:
            raise self._ended()
        return found[1]

    def logged_ns(self, event: str) -> int | None:
        """Return when `event` came, on the monotonic clock; None if it did not."""
        with self._changed:
            found = self._find(event)
        return None if found is None else found[0]

    def ended(self) -> Used:
        """End it, and return what it has used."""
        pid = self._process.pid
        rss_bytes, read_bytes = _peak_bytes(pid), _read_bytes(pid)
        self._kill()
        _, status, usage = os.wait4(pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        return Used((usage.ru_utime + usage.ru_stime) * 1000, rss_bytes, read_bytes)

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _find(self, event: str) -> tuple[int, dict[str, Any]] | None:
        for at_ns, line in self._lines:
            if line.startswith("{") and f'"{event}"' in line:
                with suppress(ValueError):
                    document = json.loads(line)
                    if document.get("event") == event:
                        return at_ns, document
        return None

    def _late(self) -> HandlerError:
        return HandlerError(
            f"The start was not through after {self._limit_s:g} s.{self._told()}",
            hint="Make setup faster, or raise setup_s under [limits] or timeout_s under [resources].",
        )

    def _ended(self) -> HandlerError:
        self._process.wait()
        self._reader.join()
        with self._changed:
            found = self._find(FAILED)
        if found is not None:
            document = found[1]
            return HandlerError(f"{document['message']}\n{document.get('traceback', '')}".rstrip())
        how = describe_exit(self._process.returncode)
        return HandlerError(f"The process ended before it had answered: {how}.{self._told()}")

    def _told(self) -> str:
        tail = self.log[-TAIL_CHARACTERS:].strip()
        return f" It wrote:\n{tail}" if tail else " It wrote nothing to standard error."

    def _read(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as output:
            for line in output:
                at_ns = time.monotonic_ns()
                with self._changed:
                    self._lines.append((at_ns, line.decode(errors="replace")))
                    self._changed.notify_all()
        with self._changed:
            self._reading = False
            self._changed.notify_all()


def _peak_bytes(pid: int) -> int:
    """Return the largest resident set that the process had: wait4 would count ours, before its exec."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def _read_bytes(pid: int) -> int | None:
    """Return what the kernel read from storage for it; None where it does not say."""
    try:
        lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) for line in lines if line.startswith("read_bytes:"))
