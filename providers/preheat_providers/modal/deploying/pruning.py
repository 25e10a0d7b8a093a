"""What nobody needs any more of an app's Volume and Secrets: which records, is pure; the rest removes it."""

from collections.abc import Iterable

from preheat.errors import ProviderError
from preheat.progress import Notice, Report
from preheat_providers.modal.names import own_secret
from preheat_providers.modal.observing import secrets_mark_of
from preheat_providers.modal.place import Live, Place
from preheat_providers.modal.release import FOLDER, digest_of, number_of, read_record
from preheat_providers.modal.secrets import drop_secret, made_secrets

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


def prune(place: Place, live: Live, report: Report) -> None:
    """Remove old records, and weights and Secrets that no other record needs.

    What would not go is said: the app runs.
    """
    deployed = frozenset(version.tag for version in live.app.versions)
    gone = superfluous(live.paths, deployed=deployed, running=live.app.tag)
    if not gone:
        return
    try:
        for tag in gone:
            path, _ = live.paths[tag]
            live.data.remove(path)
        _remove_unneeded(place)
    except ProviderError as error:
        report(Notice("apply", f"Something old stays: {error.message}", hint=error.hint))


def _number(tag: str) -> int:
    return number_of(tag) or 0


def _remove_unneeded(place: Place) -> None:
    # Before the records, which deploys write before their Secrets: one that is under way keeps its own.
    secrets = {*made_secrets(place.client, place.app, place.environment)}
    files = place.data.files("/")
    records = [read_record(place.data.read(path)) for path in files if digest_of(path)]
    folders = {path.partition("/")[0] for path in files}
    for folder in folders - {FOLDER} - {record.weights for record in records}:
        place.data.remove(folder)
    needed = {own_secret(place.app, secrets_mark_of(record.resources)) for record in records}
    earlier = own_secret(place.app)  # of a preheat that made one for all releases: it goes with the app
    for secret in secrets - needed - {earlier}:
        drop_secret(place.client, secret, place.environment)
