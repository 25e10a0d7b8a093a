"""Releases of an app: Modal's versions under our numbers. Going back is Modal's own rollback."""

from preheat.errors import ProviderError
from preheat.provider.going_back import release_before
from preheat.provider.protocol import Release
from preheat_providers.modal.operating.apps import roll_back
from preheat_providers.modal.place import Live, Place
from preheat_providers.modal.release import Record, number_of, read_record
from preheat_providers.modal.uploads.stack import KIND as STACK


def release_list(live: Live) -> tuple[Release, ...]:
    """Return the releases, newest first; versions that Modal made of a rollback are none."""
    found = []
    for version in live.app.versions:
        number = number_of(version.tag)
        if version.again or number is None:
            continue
        _, digest = live.paths.get(version.tag, ("", ""))
        note = "" if digest else "its record is gone: deploy it again to go back to it"
        found.append(
            Release(
                number=number,
                digest=digest,
                created=version.created,
                active=version.tag == live.app.tag,
                note=note,
            )
        )
    return tuple(sorted(found, key=lambda release: -release.number))


def go_back(place: Place, release: int | None) -> Live:
    """Make `release`, by default the one that ran before, run again.

    Raises ProviderError, also where AWS tells the release that runs of uploads and would not reach this one.
    """
    live = place.require()
    number = _chosen(place, live, release)
    version = live.app.version_of(number)
    assert version is not None
    if live.app.tag_of(version) != live.app.tag:
        path, _ = live.paths[live.app.tag_of(version)]
        if _told_by(read_record(live.data.read(path))) != _told_by(live.record):
            raise ProviderError(
                f"Release {number} of {place.name} is not told of uploads as release {live.number} is, which "
                "runs: Modal's rollback leaves the stack of AWS as it is, and uploads would be lost.",
                hint=f"preheat deploy --provider modal --stage {place.stage}  # with its project",
            )
        roll_back(place.client, live.app, version)
    return place.require()


def _told_by(record: Record | None) -> tuple[object, ...]:
    """Return the stack that tells a release of uploads, what is in it, and the hash of its key."""
    if record is None or record.stack is None:
        return ()
    stacks = (each for each in record.resources if each.kind == STACK)
    return (record.stack, record.uploads_sha256, *stacks)


def _chosen(place: Place, live: Live, release: int | None) -> int:
    releases = {each.number: each for each in release_list(live)}
    hint = f"preheat releases {place.name} --provider modal --stage {place.stage}"
    if release is None:
        release = release_before(live.number, releases, served=live.app.number_before)
        if release is None:
            message = f"{place.name} has no release before {live.number}, which is the active one."
            raise ProviderError(message, hint=hint)
    if release not in releases:
        known = ", ".join(map(str, releases))
        raise ProviderError(f"{place.name} has no release {release}. There are {known}.", hint=hint)
    if not releases[release].digest:
        # Its weights went with its record.
        raise ProviderError(f"Release {release} of {place.name} was pruned, and cannot run again.", hint=hint)
    return release
