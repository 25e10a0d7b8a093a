"""The key with which AWS tells an app of uploads: made once, known to the connection, its hash to the app."""

from dataclasses import dataclass

from preheat.progress import Report
from preheat.provider.tokens import PendingToken, sha256_of
from preheat_providers.modal.outfit import Outfit
from preheat_providers.modal.place import Place
from preheat_providers.modal.release import Record
from preheat_providers.modal.uploads.stack import UploadsStack

MARK_CHARACTERS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What is between AWS and one app. `key` is the one that the stack has not got yet."""

    stack: UploadsStack
    key: PendingToken

    def sha256(self, before: Record | None) -> str:
        """Return the hash of the key that the stack has, if the app knows it, or else of a new one."""
        known = before.uploads_sha256 if before is not None else None
        if known is not None and not self.key.waits and self.stack.key_mark() == mark_of(known):
            return known
        return sha256_of(self.key.prepare())

    def start(self, outfit: Outfit, place: Place, sha256: str, report: Report) -> None:
        """Bring the stack to what the app needs, which is deployed. Raises ProviderError."""
        key = self.key.prepare() if self.key.waits else None
        self.stack.deploy(
            outfit.told,
            place.receiver(),
            boundary=outfit.options.permissions_boundary,
            key=key,
            mark=mark_of(sha256),
            report=report,
        )
        self.key.forget()


def mark_of(sha256: str) -> str:
    """Return what tells one key from another, and says nothing of it."""
    return sha256[:MARK_CHARACTERS]
