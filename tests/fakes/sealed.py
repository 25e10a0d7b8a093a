"""A process that cannot write into some folders, not even as root: Linux namespaces, no daemon.

Imports nothing but the standard library, for `lambda_emulator`.
"""

import os
import shlex
from collections.abc import Iterable
from pathlib import Path


def sealed(read_only: Iterable[Path], own: Iterable[str] = ()) -> list[str]:
    """Return what to put before a command, to which and to whose children `read_only` cannot be written.

    Each folder of `own` is empty at first, in memory, and the command's alone. Nobody else sees any of these
    mounts, and the last process that does takes them with it, however it ends.
    """
    lines = [line for folder in read_only for line in _bound(shlex.quote(str(folder)))]
    lines += [f"mkdir -p {folder}; mount -t tmpfs tmpfs {folder}" for folder in map(shlex.quote, own)]
    # The folder that it stands in is entered anew, or it would be the one below the mount.
    script = "\n".join([*lines, 'exec env -C "$PWD" "$@"'])
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    return ["unshare", *user, "--mount", "/bin/sh", "-ec", script, "sealed"]


def _bound(folder: str) -> tuple[str, str]:
    return f"mount --bind {folder} {folder}", f"mount -o remount,bind,ro,nosuid,nodev {folder}"
