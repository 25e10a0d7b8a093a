"""A handler class looked at once: the frozen contract that everything else reads."""

import importlib
import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from preheat.errors import HandlerError
from preheat.interface.batching import Batching
from preheat.interface.body import input_media, output_media
from preheat.interface.caching import Caching
from preheat.interface.check import examine
from preheat.interface.codec import Codec
from preheat.interface.handler import Handler

STREAM_MEDIA = ("application/x-ndjson", "text/event-stream")


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerContract:
    """What a handler takes and gives, and how its predict is called.

    `input` and `output` are those of one request, also where predict is batched, and of one item
    of a stream. `threads` is on how many threads a sync predict is called; `takes_call` says that it
    gets the Call beside its input. With `is_stream`, calling predict gives an iterator, an async one
    if `is_async`.
    """

    handler: type[Handler]
    reference: str
    title: str
    description: str
    input: Codec
    output: Codec
    batching: Batching | None
    caching: Caching | None
    threads: int
    takes_call: bool
    is_async: bool
    is_stream: bool

    def document(self) -> dict[str, Any]:
        """Return the contract as JSON values, for those who may not import the handler."""
        batching = self.batching
        return {
            "reference": self.reference,
            "title": self.title,
            "description": self.description,
            "input": self.input.schema,
            "output": self.output.schema,
            "batching": batching.document() if batching else None,
            "cache": self.caching.document() if self.caching else None,
            "threads": self.threads,
            "async": self.is_async,
            "stream": self.is_stream,
            "input_media": list(input_media(self.input)),
            "output_media": list(STREAM_MEDIA if self.is_stream else output_media(self.output)),
        }


def read_contract(handler: type[Handler], reference: str) -> HandlerContract:
    """Look at a handler class. Raises HandlerError, listing every mistake with the line to paste."""
    predict, mistakes = examine(handler)
    if mistakes or predict is None:
        count = "a mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        lines = [f"{f'line {each.line}: ' if each.line else ''}{each.message}" for each in mistakes]
        fixes = [each.fix for each in mistakes if each.fix]
        raise HandlerError(f"Handler {reference!r} has {count}.\n" + "\n".join(lines), hint="\n".join(fixes))
    return HandlerContract(
        handler=handler,
        reference=reference,
        title=handler.__name__,
        description=inspect.cleandoc(handler.__doc__ or ""),
        input=predict.input,
        output=predict.output,
        batching=predict.batching,
        caching=predict.caching,
        threads=predict.threads,
        takes_call=predict.takes_call,
        is_async=predict.is_async,
        is_stream=predict.is_stream,
    )


def import_handler(reference: str) -> type[Handler]:
    """Import `module:Class` from the module path. Raises HandlerError."""
    module_name, colon, class_name = reference.partition(":")
    if not colon or not all(
        part.isidentifier() for part in (*module_name.split("."), *class_name.split("."))
    ):
        raise HandlerError(
            f"{reference!r} names no handler.", hint='handler = "handler:Model"  # module:Class'
        )
    module = _import(module_name, reference)
    found: Any = module
    for part in class_name.split("."):
        found = getattr(found, part, None)
    if found is None:
        raise HandlerError(
            f"{module_name} has no class {class_name!r}.", hint=_suggestion(module, class_name)
        )
    if not (isinstance(found, type) and issubclass(found, Handler)):
        raise HandlerError(
            f"{reference!r} does not derive from preheat.Handler.",
            hint=f"class {class_name}(preheat.Handler):",
        )
    return found


def _import(name: str, reference: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as exc:
        if exc.name is not None and (name == exc.name or name.startswith(f"{exc.name}.")):
            raise HandlerError(
                f"There is no module {exc.name!r}, which the handler {reference!r} names.",
                hint=f"Write {exc.name.replace('.', '/')}.py beside preheat.toml, or correct handler in it.",
            ) from exc
        raise HandlerError(
            f"Importing {name!r} failed{_where(exc)}: there is no module {exc.name!r}.",
            hint=f'requirements = ["{(exc.name or "").partition(".")[0]}"]  # in preheat.toml',
        ) from exc
    except SyntaxError as exc:
        place = f"{Path(exc.filename or name).name}, line {exc.lineno}"
        raise HandlerError(f"Importing {name!r} failed in {place}: {exc.msg}.") from exc
    except (Exception, SystemExit) as exc:
        raise HandlerError(f"Importing {name!r} failed{_where(exc)}: {type(exc).__name__}: {exc}") from exc


def _where(exc: BaseException) -> str:
    import traceback  # with difflib below 5 ms of a cold start, which only mistakes pay

    own = str(Path(importlib.__file__).parent)
    frames = [
        frame
        for frame in traceback.extract_tb(exc.__traceback__)
        if not frame.filename.startswith(("<frozen", own)) and frame.filename != __file__
    ]
    return f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""


def _suggestion(module: Any, wanted: str) -> str:
    from difflib import get_close_matches

    handlers = [
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Handler) and value.__module__ == module.__name__
    ]
    near = get_close_matches(wanted, handlers, n=1) or handlers
    if near:
        return f'handler = "{module.__name__}:{near[0]}"'
    return f"class {wanted}(preheat.Handler):"
