"""What a handler's exception becomes: an answer without internals, and a log event with all of them."""

from pathlib import Path
from traceback import FrameSummary, StackSummary, TracebackException

from preheat.errors import HandlerFailed, RequestError
from preheat.runtime.log import Log

_OURS = str(Path(__file__).parents[1])


def user_traceback(exc: BaseException) -> str:
    """Return the traceback of `exc` and its causes as text, without frames of Preheat and of importing."""
    report = TracebackException.from_exception(exc, compact=True)
    pending: list[TracebackException | None] = [report]
    while pending:
        link = pending.pop()
        if link is not None:
            link.stack = _without_ours(link.stack)
            pending += [link.__cause__, link.__context__]
    return "".join(report.format())


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


def _without_ours(stack: StackSummary) -> StackSummary:
    kept = [frame for frame in stack if not _is_ours(frame)]
    return StackSummary.from_list(kept) if kept else stack


def _is_ours(frame: FrameSummary) -> bool:
    return frame.filename.startswith((_OURS, "<frozen importlib")) or "/importlib/" in frame.filename
