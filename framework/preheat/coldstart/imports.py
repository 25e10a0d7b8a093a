"""The imports of a start, as the probe tells them. Pure.

Not by `python -X importtime`: its lines name no thread, and a server imports its own modules on one thread
while the handler's are imported on another.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from preheat.coldstart.model import Import, Sample

LEAST_MS = 1.0


def imports_of(sample: Sample, handler: str, *, least_ms: float = LEAST_MS) -> tuple[Import, ...]:
    """Return the modules that took `least_ms` or more, in the order in which their imports ended.

    What nobody else asks for while a phase of the handler runs, its module `handler` asks for. A module of
    the entry that loads the handler while it is imported itself, as Lambda's does, is left out.
    """
    marks = [mark for mark in sample.marks if mark["event"] == "import"]
    loading = set(_asking(handler, {mark["name"]: mark["by"] for mark in marks}))
    marks = [mark for mark in marks if mark["name"] not in loading]
    inner_ms: dict[str, float] = {}
    for mark in marks:
        if mark["by"] is not None:
            inner_ms[mark["by"]] = inner_ms.get(mark["by"], 0.0) + _ms(mark["from"], mark["to"])
    found = []
    for mark in marks:
        name, ms = mark["name"], _ms(mark["from"], mark["to"])
        asked_by = None if mark["by"] in loading else mark["by"]
        if asked_by is None and mark["of_handler"] and name != handler and not name.startswith("preheat."):
            asked_by = handler
        own_ms = max(0.0, ms - inner_ms.get(name, 0.0))
        found.append(Import(name=name, ms=ms, self_ms=own_ms, asked_by=asked_by))
    return tuple(each for each in found if each.ms >= least_ms)


def _asking(name: str, by: Mapping[str, str | None]) -> Iterator[str]:
    """Yield who asks for `name`, who asks for that, and so on."""
    while (asking := by.get(name)) is not None:
        yield asking
        name = asking


def by_user(imports: Iterable[Import], own: frozenset[str]) -> tuple[Import, ...]:
    """Return what the user's code imports itself; `own` has the names at the top of it."""
    return tuple(
        each for each in imports if _package(each.asked_by) in own and _package(each.name) not in own
    )


def of_packages(imports: Sequence[Import]) -> tuple[Import, ...]:
    """Return what one package asks of another: what it asks of itself nobody outside of it can change."""
    return tuple(each for each in imports if _package(each.name) != _package(each.asked_by))


def _package(name: str | None) -> str | None:
    return None if name is None else name.partition(".")[0]


def _ms(begun_ns: int, ended_ns: int) -> float:
    return (ended_ns - begun_ns) / 1e6
