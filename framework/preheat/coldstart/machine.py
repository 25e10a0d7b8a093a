"""The machine that measures, as figures are worth nothing without it. Reads /proc and nothing else."""

import os
import platform
from pathlib import Path
from typing import Any

from preheat.bundle.interpreter import Interpreter
from preheat.runtime.cpus import cpu_share


def machine(interpreter: Interpreter, proc: Path = Path("/proc")) -> dict[str, Any]:
    """Return what the figures depend on, as JSON values."""
    return {
        "cpu": _field(proc / "cpuinfo", "model name") or platform.processor() or platform.machine(),
        "architecture": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "cpu_share": cpu_share(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": platform.platform(),
        "python": interpreter.version,
    }


def _field(file: Path, name: str) -> str | None:
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return None
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), None)
