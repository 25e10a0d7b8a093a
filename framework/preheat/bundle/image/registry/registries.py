"""The registries of one command: a connection to each, closed together."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from preheat.bundle.image.reference import Reference
from preheat.bundle.image.registry.authority import Authority
from preheat.bundle.image.registry.credentials import Logins
from preheat.bundle.image.registry.repository import Repository
from preheat.bundle.image.registry.transport import Transport


class Registries:
    """Gives repositories; `logins` says who we are. A context manager that closes the connections.

    Without `sleep`, a wait for a registry that is busy ends with `stop`.
    """

    def __init__(self, logins: Logins, *, sleep: Callable[[float], object] | None = None) -> None:
        self._logins = logins
        self._sleep = sleep
        self._stopped = threading.Event()
        self._known: dict[str, tuple[Transport, Authority]] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for transport, _ in self._known.values():
            transport.close()

    def stop(self) -> None:
        """End what other threads ask or send, at its next piece; it raises Stopped there, now and later."""
        self._stopped.set()

    def to_read(self, reference: Reference) -> Repository:
        """Return the repository of `reference` with the right to read it."""
        return self._repository(reference, (f"repository:{reference.repository}:pull",))

    def to_write(self, reference: Reference, *, mount_from: str | None = None) -> Repository:
        """Return it with the right to write, and to mount blobs of the repository `mount_from`."""
        scopes = [f"repository:{reference.repository}:pull,push"]
        if mount_from is not None and mount_from != reference.repository:
            scopes.append(f"repository:{mount_from}:pull")
        return self._repository(reference, tuple(scopes))

    def _repository(self, reference: Reference, scopes: tuple[str, ...]) -> Repository:
        with self._lock:
            if reference.registry not in self._known:
                transport = Transport(reference, sleep=self._sleep, stopped=self._stopped)
                self._known[reference.registry] = transport, Authority(transport, self._logins)
            transport, authority = self._known[reference.registry]
        return Repository(transport, authority, reference.repository, scopes)
