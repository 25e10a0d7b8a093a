"""When a file that is being written counts as complete: its size and time have stood still. Pure."""

from collections.abc import Hashable
from pathlib import Path


class Settling:
    """Paths that changed lately. A stamp is what must stand still; times are those of a monotonic clock."""

    def __init__(self, settle_s: float) -> None:
        self._settle_s = settle_s
        self._held: dict[Path, tuple[Hashable, float]] = {}

    def seen(self, path: Path, stamp: Hashable, now: float) -> None:
        """Hold `path` from `now` on, unless it is held with this very stamp."""
        held = self._held.get(path)
        if held is None or held[0] != stamp:
            self._held[path] = (stamp, now)

    def gone(self, path: Path) -> None:
        """Forget `path`."""
        self._held.pop(path, None)

    def due(self) -> float | None:
        """Return when the next path will have stood still long enough."""
        return min((since + self._settle_s for _, since in self._held.values()), default=None)

    def ripe(self, now: float) -> tuple[tuple[Path, Hashable], ...]:
        """Let go of the paths that stood still; the caller looks whether the stamp is still theirs."""
        ripe = [path for path, (_, since) in self._held.items() if since + self._settle_s <= now]
        return tuple((path, self._held.pop(path)[0]) for path in ripe)
