"""What Modal refuses, in our words: one table from its client's exceptions to ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from preheat.errors import Conflict, ProviderError

TOKEN = "modal token new  # or: export MODAL_TOKEN_ID=ak-... MODAL_TOKEN_SECRET=as-..."  # noqa: S105 - a hint
NO_TOKEN = "Token missing"  # noqa: S105 - words
"""How the client begins to say so; modal/client.py of modal 1.6.4."""
PERMISSION = "modal token new  # with rights for that; what a plan has: https://modal.com/settings/plans"
CONNECTION = "See whether https://status.modal.com says why, and try again."
ENVIRONMENT = (
    "modal environment create NAME  # or in [provider.modal] the name of one of: modal environment list"
)
ROOM = "See https://modal.com/settings/plans for the limits of your plan, and remove what nobody needs."


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one kind of exception means, to follow a sentence, and what to do then."""

    text: str
    hint: str | None = None
    conflict: bool = False


MEANINGS = {
    "AuthError": Meaning("Modal does not accept the token", TOKEN),
    "PermissionDeniedError": Meaning(
        "the token may not do that, or the workspace's plan does not have it", PERMISSION
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
    elif "AuthError" in kinds and text.startswith(NO_TOKEN):
        meaning, text = Meaning("no token was found, in the shell or in ~/.modal.toml", TOKEN), ""
    else:
        meaning = next(MEANINGS[kind] for kind in (*kinds, "Error") if kind in MEANINGS)
    message = f"On Modal, {what}: {meaning.text}{f' ({text})' if text else ''}."
    return (Conflict if meaning.conflict else ProviderError)(message, hint=meaning.hint)
