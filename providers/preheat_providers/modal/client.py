"""The one connection to Modal. Only this module imports the client's own protocol; it does so when asked.

Modal's client has no public way to list apps, read a deployment's history, go back to one or read logs
that all versions in `SUPPORTED` share: those go as the very requests that its command line sends. The
messages of the protocol have kept their fields, and a suite runs against the oldest and newest client.
"""

import warnings
from collections.abc import Callable, Iterator
from functools import cached_property
from importlib import metadata
from typing import TYPE_CHECKING, Any

from packaging.specifiers import SpecifierSet

from preheat.errors import MissingExtra, ProviderError
from preheat_providers.modal.errors import translated

if TYPE_CHECKING:
    import modal

SUPPORTED = ">=1.5,<1.7"


class Client:
    """One account, as the shell's token names it. `version` says which client is installed."""

    def __init__(self, *, version: Callable[[], str] = lambda: metadata.version("modal")) -> None:
        self._version = version

    @cached_property
    def modal(self) -> "modal.Client":
        """The client's own object, for what its public functions do. Raises ProviderError."""
        require_supported(self._version)
        from modal import Client as Own
        from modal.config import config

        with translated("the sign-in fails"):
            token, secret = config.get("token_id"), config.get("token_secret")
            # Not `from_env` where it can be: that is one for the whole process, whatever it is told later.
            return Own.from_credentials(token, secret) if token and secret else Own.from_env()

    def ask(self, rpc: str, *, what: str, **fields: Any) -> Any:
        """Send the request of `rpc` with `fields` and return the answer. Raises ProviderError."""
        self.modal  # noqa: B018 - signs in, before the protocol is imported to make a message
        return self.send(rpc, _message(rpc, fields), what=what)

    def send(self, rpc: str, message: Any, *, what: str) -> Any:
        """Send `message` and return the answer. Raises ProviderError."""
        stub = self._stub
        with translated(what):
            return _blocking(_unary)(stub, rpc, message)

    def stream(self, rpc: str, *, what: str, **fields: Any) -> Iterator[Any]:
        """Send the request of `rpc` and yield what comes. Raises ProviderError."""
        stub = self._stub
        with translated(what):
            yield from _blocking(_streamed)(stub, rpc, _message(rpc, fields))

    def knows(self, rpc: str) -> bool:
        """Say whether the installed client has that request at all."""
        return hasattr(self._stub, rpc)

    @property
    def environment(self) -> str:
        """The environment of the shell or of the profile; empty for the workspace's own."""
        self.modal  # noqa: B018 - signs in first: the error of a missing client or token says more
        from modal.config import config

        return config.get("environment") or ""

    @cached_property
    def _stub(self) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says that this interface may change: see above
            return self.modal.stub


def require_supported(version: Callable[[], str]) -> None:
    """Raise unless the client is installed, in a version that this provider knows."""
    try:
        found = version()
    except metadata.PackageNotFoundError as error:
        raise MissingExtra(
            "Deploying to Modal needs its client, which is not installed.",
            hint="pip install 'preheat[modal]'",
        ) from error
    if found not in SpecifierSet(SUPPORTED, prereleases=True):
        raise ProviderError(
            f"The installed client of Modal is {found}, and this version of preheat works with {SUPPORTED}.",
            hint=f"pip install 'modal{SUPPORTED}'",
        )


async def _unary(stub: Any, rpc: str, message: Any) -> Any:
    return await getattr(stub, rpc)(message)


async def _streamed(stub: Any, rpc: str, message: Any) -> Any:
    async for each in getattr(stub, rpc).unary_stream(message):
        yield each


def _message(rpc: str, fields: dict[str, Any]) -> Any:
    from modal_proto import api_pb2

    return getattr(api_pb2, f"{rpc}Request")(**fields)


def _blocking(function: Callable[..., Any]) -> Callable[..., Any]:
    from modal._utils.async_utils import synchronizer  # the loop that the connection belongs to

    blocking: Callable[..., Any] = synchronizer.create_blocking(function)
    return blocking
