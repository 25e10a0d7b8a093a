"""What a handler's exception becomes: an answer without internals, and a log event with all of them."""

from pathlib import Path
from traceback import StackSummary, TracebackException, walk_tb

from preheat.errors import HandlerFailed, PreheatError, RequestError
from preheat.runtime.log import Log

_OURS = str(Path(__file__).parents[1])
_MACHINERY = ("/importlib/", "/concurrent/futures/")
"""Parts of the standard library through which we reach the user's code."""


def user_traceback(exc: BaseException) -> str:
    """Return the traceback of `exc` and its causes as text, without frames of Preheat and its machinery.

    What Preheat raised itself says all in its message: only its cause is left, and nothing where no code of
    the user's was under way. Another error that has only our frames stays whole: it is a mistake of ours.
    """
    on_purpose = isinstance(exc, PreheatError)
    while isinstance(exc, PreheatError) and exc.__cause__ is not None and not _passed_users_code(exc):
        exc = exc.__cause__
    report = TracebackException.from_exception(exc, compact=True)
    users_code = False
    pending: list[TracebackException | None] = [report]
    while pending:
        link = pending.pop()
        if link is not None:
            kept = [frame for frame in link.stack if not _is_ours(frame.filename)]
            if kept:
                link.stack = StackSummary.from_list(kept)
                users_code = True
            pending += [link.__cause__, link.__context__]
    return "" if on_purpose and not users_code else "".join(report.format())


def describe(exc: BaseException) -> str:
    """Return `exc` in one line: its type and message."""
    return f"{type(exc).__name__}: {exc}" if str(exc) else type(exc).__name__


def request_error(exc: BaseException, *, request_id: str, memory_mb: int | None, log: Log) -> RequestError:
    """Return what the caller is told of `exc`, which predict raised; log what only the operator may know.

    A RequestError that the handler raised itself is the answer. Everything else is a 500.
    """
    if isinstance(exc, RequestError) and not isinstance(exc, HandlerFailed):
        return exc
    match exc:
        case HandlerFailed():
            text = "The handler returned what its annotation excludes."
        case MemoryError():
            limit = f" (limit {memory_mb} MB)" if memory_mb else ""
            text = f"The handler ran out of memory{limit}."
        case SystemExit():
            text = "The handler tried to end its process."
        case _:
            text = "The handler raised an exception."
    log(
        {
            "level": "error",
            "event": "handler-failed",
            "message": f"{text} {describe(exc)}",
            "request_id": request_id,
            "traceback": user_traceback(exc),
        }
    )
    return HandlerFailed(f"{text} The logs tell more under this request's id.")


def failed_inside() -> RequestError:
    """Return what a caller is told of a failure that only the log may describe."""
    return RequestError("The request failed inside the server, whose log has the details under its id.")


def _passed_users_code(exc: BaseException) -> bool:
    return any(not _is_ours(frame.f_code.co_filename) for frame, _ in walk_tb(exc.__traceback__))


def _is_ours(file: str) -> bool:
    return file.startswith((_OURS, "<frozen importlib")) or any(part in file for part in _MACHINERY)
