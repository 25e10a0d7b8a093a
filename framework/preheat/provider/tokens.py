"""The bearer token of a function between its making and its showing, so that a killed deploy loses none.

A file of this machine that only its user reads, gone once the token was shown. The platform has the SHA-256
alone.
"""

import hashlib
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

TOKEN_BYTES = 32


def sha256_of(token: str) -> str:
    """Return what the function knows of its token, in hex."""
    return hashlib.sha256(token.encode()).hexdigest()


class PendingToken:
    """The token of one function, called `key`, that nobody has seen yet."""

    def __init__(
        self,
        folder: Path,
        key: str,
        *,
        make: Callable[[], str] = lambda: secrets.token_urlsafe(TOKEN_BYTES),
    ) -> None:
        self._path = folder / key
        self._make = make

    @property
    def waits(self) -> bool:
        """Whether there is one."""
        return self._path.exists()

    def prepare(self) -> str:
        """Return the token, made unless there is one."""
        with suppress(FileNotFoundError):
            return self._path.read_text()
        token = self._make()
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        staged = self._path.with_suffix(".new")
        staged.touch(mode=0o600)
        staged.write_text(token)
        staged.replace(self._path)
        return token

    def show(self, known_sha256: str | None) -> str | None:
        """Return the token, this once, if it is the one of which the function knows the SHA-256."""
        try:
            token = self._path.read_text()
        except FileNotFoundError:
            return None
        self._path.unlink()
        return token if known_sha256 == sha256_of(token) else None

    def forget(self) -> None:
        """Remove it: the function is gone."""
        self._path.unlink(missing_ok=True)
