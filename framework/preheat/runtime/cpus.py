"""How many processors this process really has: its affinity, and the quotas of the cgroups around it.

`os.cpu_count()` counts the machine's. A container with a quota of one processor that starts a thread
for each of the machine's 64 is stopped by the kernel for most of every period.
"""

import os
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from preheat.interface.threads import library_environment


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted cgroup hierarchy: `root` is the cgroup that appears as the folder `folder`."""

    version: int
    root: str
    folder: Path


def cpu_share(root: Path = Path("/")) -> float:
    """Return the processors that this process may use, such as 0.5 or 8.0. `root` holds proc and sys."""
    return min(len(os.sched_getaffinity(0)), cgroup_quota(root))


def cgroup_quota(root: Path = Path("/")) -> float:
    """Return the tightest processor quota of the cgroups that this process is in, or infinity."""
    paths = _own_cgroups(root / "proc" / "self" / "cgroup")
    quotas = [
        _quota(mount.version, folder)
        for mount in _mounts(root)
        if mount.version in paths
        for folder in _upwards(mount, paths[mount.version])
    ]
    return min(quotas, default=float("inf"))


def threads_of(share: float, workers: int) -> int:
    """Return how many threads each of `workers` processes should run on `share` processors together."""
    return max(1, int(share / workers))


def set_threads(environ: MutableMapping[str, str], threads: int) -> None:
    """Tell the native libraries that load from now on. What `environ` has already stays as it is."""
    for name, value in library_environment(threads).items():
        environ.setdefault(name, value)


def _own_cgroups(file: Path) -> dict[int, str]:
    """Return this process's path in the unified hierarchy, and in that of the v1 controller `cpu`."""
    found = {}
    for line in _lines(file):
        number, controllers, path = line.split(":", 2)
        if number == "0" and not controllers:
            found[2] = path
        elif "cpu" in controllers.split(","):
            found[1] = path
    return found


def _mounts(root: Path) -> Iterator[Mount]:
    """Yield the hierarchies that can hold quotas, as proc_pid_mountinfo(5) lists them."""
    for line in _lines(root / "proc" / "self" / "mountinfo"):
        mounted, _, source = line.partition(" - ")
        shown, folder = mounted.split(" ")[3:5]
        kind, _, options = source.split(" ", 2)
        if kind == "cgroup2":
            yield Mount(2, shown, root / folder.lstrip("/"))
        elif kind == "cgroup" and "cpu" in options.split(","):
            yield Mount(1, shown, root / folder.lstrip("/"))


def _upwards(mount: Mount, path: str) -> Iterator[Path]:
    """Yield the folders of the cgroup `path` and of those around it, as far as the mount shows them."""
    whole = PurePosixPath(path)
    # A container without a cgroup namespace may be told a path of the host that its mount does not show.
    shown = whole.relative_to(mount.root) if whole.is_relative_to(mount.root) else PurePosixPath()
    for part in (shown, *shown.parents):
        yield mount.folder / part


def _quota(version: int, folder: Path) -> float:
    """Return the quota of one cgroup in processors: cgroup-v2.rst `cpu.max`, sched-bwc.rst for v1."""
    if version == 2:
        quota, period = (_words(folder / "cpu.max") or ["max", "1"])[:2]
    else:
        quota = (_words(folder / "cpu.cfs_quota_us") or ["-1"])[0]
        period = (_words(folder / "cpu.cfs_period_us") or ["1"])[0]
    return float("inf") if quota in ("max", "-1") else int(quota) / int(period)


def _words(file: Path) -> list[str]:
    return [word for line in _lines(file) for word in line.split()]


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:
        return []  # no such controller, hierarchy or system: no quota of that kind
