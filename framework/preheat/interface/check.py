"""What `preheat check` says of a handler class: every mistake, each with the line to paste."""

from typing import TYPE_CHECKING

from preheat.errors import BadInput, HandlerFailed
from preheat.interface.codec import DEFAULT_LIMITS
from preheat.interface.handler import Handler
from preheat.interface.jsontext import read_json, write_json
from preheat.interface.lifecycle import lifecycle_mistakes
from preheat.interface.mistake import Mistake, line_of, line_of_class
from preheat.interface.predict import Predict, read_predict

if TYPE_CHECKING:
    from preheat.interface.contract import HandlerContract

__all__ = ["Mistake", "check_examples", "check_handler", "examine"]


def check_handler(handler: object) -> tuple[Mistake, ...]:
    """Return every mistake in a handler class; none of its code runs."""
    return examine(handler)[1]


def examine(handler: object) -> tuple[Predict | None, tuple[Mistake, ...]]:
    """Return what the class's predict is, and every mistake in the class."""
    if not (isinstance(handler, type) and issubclass(handler, Handler)):
        name = getattr(handler, "__qualname__", repr(handler))
        line = line_of_class(handler) if isinstance(handler, type) else None
        message = f"{name} does not derive from preheat.Handler."
        return None, (Mistake(message=message, fix=f"class {name}(preheat.Handler):", line=line),)
    predict, mistakes = read_predict(handler)
    others = tuple(lifecycle_mistakes(handler))
    return predict, tuple(sorted(mistakes + others, key=lambda mistake: mistake.line or 0))


def check_examples(contract: "HandlerContract", instance: Handler) -> tuple[Mistake, ...]:
    """Return which of the instance's examples do not fit its predict, once encoded and decoded again."""
    mistakes = []
    line = line_of(type(instance).examples)
    for index, example in enumerate(instance.examples()):
        try:
            text = write_json(contract.input.encode(example))
            contract.input.decode(read_json(text, depth=DEFAULT_LIMITS.depth))
        except (BadInput, HandlerFailed) as exc:
            at, detail = exc.errors[0] if exc.errors else ("", exc.message)
            name = contract.input.node.name
            mistakes.append(
                Mistake(
                    message=f"examples()[{index}] does not fit {name}{f' at {at}' if at else ''}: {detail}.",
                    fix=f"Return values of {name}, one for each request and not in batches.",
                    line=line,
                )
            )
    return tuple(mistakes)
