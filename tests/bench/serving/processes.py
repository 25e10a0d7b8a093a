"""What processes use, read from /proc: memory, processor time, open files; each with all descendants."""

import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one process and its descendants: PSS (shared pages counted once), RSS, CPU seconds, open files."""

    pss_mb: float
    rss_mb: float
    cpu_s: float
    files: int
    processes: int


def parent_and_ticks(stat: str) -> tuple[int, int]:
    """Return the parent's id and the user and system ticks in the text of /proc/PID/stat."""
    # The name, in parentheses, may hold spaces and parentheses itself.
    fields = stat.rpartition(")")[2].split()
    return int(fields[1]), int(fields[11]) + int(fields[12])


def kilobytes(rollup: str, name: str) -> int:
    """Return the line `name` of /proc/PID/smaps_rollup, 0 without it."""
    for line in rollup.splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0


def family(pid: int) -> list[int]:
    """Return `pid` and all its living descendants."""
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                parent, _ = parent_and_ticks((entry / "stat").read_text())
            except (FileNotFoundError, ProcessLookupError):
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for member in found:
        found += children.get(member, [])
    return found


def usage(pid: int) -> Usage:
    """Return what `pid` and its descendants use now."""
    pss = rss = ticks = files = processes = 0
    for member in family(pid):
        folder = PROC / str(member)
        try:
            rollup = (folder / "smaps_rollup").read_text()
            _, own_ticks = parent_and_ticks((folder / "stat").read_text())
            own_files = len(list((folder / "fd").iterdir()))
        except (FileNotFoundError, ProcessLookupError):
            continue
        pss += kilobytes(rollup, "Pss")
        rss += kilobytes(rollup, "Rss")
        ticks += own_ticks
        files += own_files
        processes += 1
    return Usage(pss * 1024 / MB, rss * 1024 / MB, ticks / TICKS_PER_S, files, processes)
