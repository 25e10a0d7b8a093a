"""A process that sees only the files it is given, as Modal's containers do: Linux namespaces, no daemon.

What a process sees at / is a stack of folders (written to in memory only, or in place for a build), the
system and the Python of this machine, read-only, and what is bound on top. It has process numbers of its
own: when its first process ends, or whoever started it, everything in it is killed. It shares the network.
"""

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SYSTEM = ("bin", "lib", "lib32", "lib64", "libx32", "sbin")
"""Folders of / that are links into /usr on a Debian of today."""
ENDED = "KILL"


@dataclass(frozen=True)
class Bind:
    """A folder of this machine, at `target` inside."""

    source: Path
    target: str
    read_only: bool = False


@dataclass(frozen=True)
class Jail:
    """What a process will see.

    `layers` are read-only, the first one on top; `place` is an empty folder to mount them at. Without
    layers, `place` itself is what the process sees, and what it writes stays.
    """

    place: Path
    layers: tuple[Path, ...] = ()
    binds: tuple[Bind, ...] = ()

    def command(self, arguments: Sequence[str], env: Mapping[str, str], folder: str) -> list[str]:
        """Return the command that runs `arguments` inside, in `folder` there, with `env` alone."""
        assigned = [f"{name}={value}" for name, value in env.items()]
        # The shell stays: the first process of a namespace is deaf to signals that would kill it.
        inside = ["/bin/sh", "-c", f'cd {shlex.quote(folder)} && "$@"; exit $?', "sh", *arguments]
        script = f'{self._script()}\nexec chroot "$root" env --ignore-environment "$@"'
        user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
        return [
            *("setpriv", "--pdeathsig", ENDED),
            *("unshare", *user, "--mount", "--pid", "--fork", f"--kill-child={ENDED}"),
            *("/bin/sh", "-ec", script, "jail", *assigned, *inside),
        ]

    def _script(self) -> str:
        place = shlex.quote(str(self.place))
        lines = []
        if self.layers:
            lower = ":".join(map(str, self.layers))
            options = shlex.quote(f"lowerdir={lower},upperdir={self.place}/up,workdir={self.place}/work")
            lines += [
                f"mount -t tmpfs tmpfs {place}",
                f"mkdir {place}/up {place}/work {place}/root",
                f"mount -t overlay -o {options} overlay {place}/root",
                f"root={place}/root",
            ]
        else:
            lines += [f"root={place}"]
        lines += [
            'mkdir -p "$root/proc" "$root/tmp" "$root/root"',
            'chmod 1777 "$root/tmp"',
            'mount -t proc proc "$root/proc"',
        ]
        lines += [line for bind in (*_system(), *self.binds) for line in _bind(bind)]
        lines += [f'ln -sfn usr/{name} "$root/{name}"' for name in SYSTEM if (Path("/") / name).is_symlink()]
        return "\n".join(lines)


def _system() -> list[Bind]:
    binds = [Bind(Path("/") / name, f"/{name}", read_only=name in ("usr", "etc")) for name in _roots()]
    if not sys.base_prefix.startswith("/usr"):  # at its own place, or it would load another libpython
        binds.append(Bind(Path(sys.base_prefix), sys.base_prefix, read_only=True))
    return binds


def _roots() -> list[str]:
    real = [name for name in SYSTEM if (Path("/") / name).is_dir() and not (Path("/") / name).is_symlink()]
    return ["usr", "etc", "dev", "sys", *real]


def _bind(bind: Bind) -> list[str]:
    source, target = shlex.quote(str(bind.source)), f'"$root"{shlex.quote(bind.target)}'
    parent = f'"$root"{shlex.quote(str(Path(bind.target).parent))}'
    file = bind.source.is_file()
    make = f"mkdir -p {parent}; touch {target}" if file else f"[ -d {target} ] || mkdir -p {target}"
    lines = [make, f"mount --rbind {source} {target}"]
    if bind.read_only:
        lines.append(f"mount -o remount,bind,ro,nosuid,nodev {target}")
    return lines
