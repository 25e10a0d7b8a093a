"""What Modal refuses, in our words: one table from its client's exceptions to ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from preheat.errors import Conflict, ProviderError

TOKEN = "modal token new  # or: export MODAL_TOKEN_ID=ak-... MODAL_TOKEN_SECRET=as-..."  # noqa: S105 - a hint
CONNECTION = "See whether https://status.modal.com says why, and try again."
ENVIRONMENT = 'modal environment list  # and then: environment = "..." in [provider.modal]'
ROOM = "See https://modal.com/settings for the limits of your plan, and remove what nobody needs."


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one kind of exception means, to follow a sentence, and what to do then."""

    text: str
    hint: str | None = None
    conflict: bool = False


MEANINGS = {
    "AuthError": Meaning("Modal does not accept the token, or there is none", TOKEN),
    "PermissionDeniedError": Meaning(
        "the token may not do that, or the workspace's plan does not have it", TOKEN
    ),
    "ResourceExhaustedError": Meaning("a quota of the workspace is used up", ROOM),
    "VersionError": Meaning("Modal no longer takes this client", "pip install --upgrade 'modal>=1.5,<1.7'"),
    "ConnectionError": Meaning("Modal cannot be reached", CONNECTION),
    "ServiceError": Meaning("Modal cannot be reached", CONNECTION),
    "InternalError": Meaning("Modal failed", CONNECTION),
    "ConflictError": Meaning("somebody else changed it at the same time", "Deploy again.", conflict=True),
    "ClientClosed": Meaning("the connection was closed"),
    "TimeoutError": Meaning("Modal did not answer in time", CONNECTION),
    "Error": Meaning("Modal refused"),
}
"""By the name of the nearest class in modal.exception: this needs no import, and no newer client."""


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise what Modal's client raises as ProviderError; `what` says what could not be done.

    `what` starts in lower case and ends without a full stop.
    """
    from modal.exception import Error

    try:
        yield
    except Error as error:
        raise refusal(what, kinds_of(type(error)), str(error)) from error


def kinds_of(raised: type[BaseException]) -> tuple[str, ...]:
    """Return the names of an exception's classes, the nearest first."""
    return tuple(each.__name__ for each in raised.__mro__ if issubclass(each, Exception))


def refusal(what: str, kinds: tuple[str, ...], said: str) -> ProviderError:
    """Return the error for an exception of these classes, which says `said`."""
    text = " ".join(said.split())
    if "NotFoundError" in kinds and text.lower().startswith("environment"):
        meaning = Meaning("there is no such environment", ENVIRONMENT)
    else:
        meaning = next(MEANINGS[kind] for kind in (*kinds, "Error") if kind in MEANINGS)
    message = f"On Modal, {what}: {meaning.text}{f' ({text})' if text else ''}."
    return (Conflict if meaning.conflict else ProviderError)(message, hint=meaning.hint)
