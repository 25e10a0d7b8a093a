"""Which release served before another: there a rollback goes, and it stands beside a canary. Pure."""

from collections.abc import Iterable


def release_before(active: int, numbers: Iterable[int], *, served: int | None) -> int | None:
    """Return the earlier release that `served` until `active` did, else the newest that is earlier, or None.

    The number before may be a release that was rolled back itself. `numbers` are those that still are there.
    """
    earlier = [number for number in numbers if number < active]
    return served if served in earlier else max(earlier, default=None)
