"""Every error that Preheat raises on purpose.

    PreheatError                 message for the reader, hint with the line to paste, findings
    ├── ProjectError             preheat.toml or the project's files are wrong
    ├── HandlerError             the handler class is wrong, or its setup failed
    ├── BundleError              locking, fetching, weights, trimming or verifying failed
    │   └── TooLarge             the bundle exceeds a limit of the platform
    ├── TuningError              the weights cannot be tuned, or a trial of them failed
    ├── ProviderError            a platform refused, or cannot do what was asked
    │   ├── MissingExtra         the provider is installed, but not a package that it needs
    │   ├── NotDeployed          no such function there
    │   └── Conflict             another deploy or supervisor holds the lock
    └── RequestError             one request failed; carries its HTTP status
        ├── BadInput             400: what the caller sent does not fit the handler's input
        ├── Unauthorized         401
        ├── NotFound             404
        ├── MethodNotAllowed     405
        ├── BodyTooSlow          408: the body did not arrive in time
        ├── Conflicting          409: an idempotency key was used for another request
        ├── BodyTooLarge         413
        ├── UnsupportedMedia     415
        ├── Overloaded           429: the queue is full
        ├── HandlerFailed        500: predict raised, or returned what its annotation excludes
        ├── NotOffered           501: this deployment has no such function
        ├── WorkerDied           502: the process ended while it answered
        ├── Unavailable          503: nothing can answer now
        └── DeadlineExceeded     504

`hint` is for the command line and never travels over HTTP.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:  # pathlib costs 3 ms of a cold start, and nothing here calls it
    from pathlib import Path


class Located(Protocol):
    """One mistake and its place: `preheat.findings.Finding`, which this module may not import."""

    @property
    def message(self) -> str:
        """What is wrong, with which value."""
        ...

    @property
    def file(self) -> "Path | None":
        """Where it is."""
        ...

    @property
    def line(self) -> int | None:
        """The line of `file`, from 1."""
        ...

    @property
    def key(self) -> str | None:
        """The key of preheat.toml, dotted."""
        ...

    @property
    def fix(self) -> str | None:
        """What to paste or run."""
        ...


class PreheatError(Exception):
    """An error with a message for its reader and, where there is one, the fix to paste.

    `findings` lists the mistakes behind it, in the order of the file, where their places are known.
    """

    def __init__(self, message: str, *, hint: str | None = None, findings: Sequence[Located] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.findings = tuple(findings)


class ProjectError(PreheatError):
    """preheat.toml or the project's files are wrong."""


class HandlerError(PreheatError):
    """The handler class is wrong, cannot be imported, or failed in setup or restore."""


class BundleError(PreheatError):
    """Locking, fetching, weights, trimming or verifying failed."""


class TooLarge(BundleError):
    """The bundle exceeds a limit of the platform."""


class TuningError(PreheatError):
    """The weights are no model that can be tuned, or a trial of it failed."""


class ProviderError(PreheatError):
    """A platform refused, or cannot do what was asked."""


class MissingExtra(ProviderError):
    """The provider is installed, but not a package that it needs."""


class NotDeployed(ProviderError):
    """No function of that name and stage is deployed there."""


class Conflict(ProviderError):
    """Another deploy or supervisor holds the lock."""


class RequestError(PreheatError):
    """One request failed. `errors` points into the input: ((JSON pointer, what is wrong), ...).

    `request_id` is what the endpoint calls the request, where the client raised this.
    """

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal Server Error"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        errors: Sequence[tuple[str, str]] = (),
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.errors = tuple(errors)
        self.retry_after_s = retry_after_s
        self.request_id: str | None = None


class BadInput(RequestError):
    """What the caller sent does not fit. A handler may raise it too; its message then reaches the caller."""

    status, title = 400, "Bad Request"


class Unauthorized(RequestError):
    """The token is missing or wrong."""

    status, title = 401, "Unauthorized"


class NotFound(RequestError):
    """No such job, route or object."""

    status, title = 404, "Not Found"


class MethodNotAllowed(RequestError):
    """The route exists, but not for this method; `allow` lists those it has."""

    status, title = 405, "Method Not Allowed"

    def __init__(self, message: str, *, allow: Sequence[str]) -> None:
        super().__init__(message)
        self.allow = tuple(allow)


class BodyTooSlow(RequestError):
    """The body did not arrive in time."""

    status, title = 408, "Request Timeout"


class Conflicting(RequestError):
    """The idempotency key was used for another request."""

    status, title = 409, "Conflict"


class BodyTooLarge(RequestError):
    """The body, or what it would decode to, exceeds a limit."""

    status, title = 413, "Content Too Large"


class UnsupportedMedia(RequestError):
    """The handler's input cannot be read from this media type."""

    status, title = 415, "Unsupported Media Type"


class Overloaded(RequestError):
    """The queue is full."""

    status, title = 429, "Too Many Requests"


class HandlerFailed(RequestError):
    """predict raised, or returned what its annotation excludes; the details are in the logs only."""

    status, title = 500, "Internal Server Error"


class NotOffered(RequestError):
    """This deployment has no such function, such as jobs on a provider without them."""

    status, title = 501, "Not Implemented"


class WorkerDied(RequestError):
    """The process ended while it answered."""

    status, title = 502, "Bad Gateway"


class Unavailable(RequestError):
    """Nothing can answer now: draining, or no worker could start."""

    status, title = 503, "Service Unavailable"


class DeadlineExceeded(RequestError):
    """No answer within the request's time limit."""

    status, title = 504, "Gateway Timeout"
