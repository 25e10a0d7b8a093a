"""What `python -X importtime` writes, as a list of modules. Pure.

A module's line comes after those of the modules that it imported, which are indented by two spaces more:
https://docs.python.org/3/using/cmdline.html#cmdoption-X, read 2026-11-21. The handler's module itself has
none, as it is imported by name; so the probe says in between when a phase of the handler begins and ends.
"""

import re
from collections.abc import Iterable

from preheat.coldstart.model import Import

FLAGS = ("-X", "importtime")
LEAST_MS = 1.0

_LINE = re.compile(r"import time:\s+(?P<own>\d+) \|\s+(?P<all>\d+) \|(?P<indent> +)(?P<name>\S+)\s*$")
_PHASE = re.compile(r"preheat-phase: \S+ (?P<what>begins|ends)$")


def read_imports(log: str, handler: str, *, least_ms: float = LEAST_MS) -> tuple[Import, ...]:
    """Return the modules of `log` that took `least_ms` or more, in the order in which their imports ended.

    What nobody else asks for while a phase of the handler runs, its module `handler` asks for. Two
    threads that import at once mix their lines: then who took less time did not ask.
    """
    found: list[Import] = []
    asking: list[Import] = []
    of_handler = False
    for line in reversed(log.splitlines()):  # so that who asks comes before what is asked for
        if phase := _PHASE.search(line):
            of_handler = phase["what"] == "ends"
        if not (match := _LINE.search(line)):
            continue
        del asking[(len(match["indent"]) - 1) // 2 :]
        name, ms = match["name"], int(match["all"]) / 1000
        asked_by = handler if of_handler and not name.startswith("preheat.") else None
        if asking and asking[-1].ms >= ms:
            asked_by = asking[-1].name
        asking.append(Import(name=name, ms=ms, self_ms=int(match["own"]) / 1000, asked_by=asked_by))
        found.append(asking[-1])
    return tuple(each for each in reversed(found) if each.ms >= least_ms)


def by_user(imports: Iterable[Import], own: frozenset[str]) -> tuple[Import, ...]:
    """Return what the user's code imports itself; `own` has the names at the top of it."""

    def is_own(name: str | None) -> bool:
        return name is not None and name.partition(".")[0] in own

    return tuple(each for each in imports if is_own(each.asked_by) and not is_own(each.name))
