"""What nobody needs any more of an app's Volume: which that is, is pure; the rest removes it."""

from collections.abc import Iterable, Mapping

from preheat.errors import ProviderError
from preheat.progress import Notice, Report
from preheat_providers.modal.place import Live
from preheat_providers.modal.release import FOLDER, number_of, read_record

KEPT = 10
"""How many releases keep their records and their weights, and can be gone back to."""


def superfluous(tags: Iterable[str], *, deployed: frozenset[str], running: str) -> frozenset[str]:
    """Return the tags whose records may go: all but the newest `KEPT` of those `deployed`.

    One that was never deployed goes too, unless its deploy may still be under way.
    """
    known = tuple(tags)
    live = sorted((tag for tag in known if tag in deployed), key=_number, reverse=True)
    begun = {tag for tag in known if tag not in deployed and _number(tag) >= _number(running)}
    return frozenset(known) - {*live[:KEPT], running} - begun


def prune(live: Live, report: Report) -> None:
    """Remove old records, and weights that no other record needs. What would not go is said: the app runs."""
    deployed = frozenset(version.tag for version in live.app.versions)
    gone = superfluous(live.paths, deployed=deployed, running=live.app.tag)
    if not gone:
        return
    try:
        _remove(live, {tag: path for tag, (path, _) in live.paths.items()}, gone)
    except ProviderError as error:
        report(Notice("apply", f"Something old stays: {error.message}", hint=error.hint))


def _number(tag: str) -> int:
    return number_of(tag) or 0


def _remove(live: Live, paths: Mapping[str, str], gone: frozenset[str]) -> None:
    for tag in gone:
        live.data.remove(paths[tag])
    kept = (read_record(live.data.read(path)) for tag, path in paths.items() if tag not in gone)
    needed = {record.weights for record in kept}
    folders = {path.partition("/")[0] for path in live.data.files("/")}
    for folder in folders - {FOLDER} - needed:
        live.data.remove(folder)
