"""One type between JSON and Python: `decode` and `encode` are exact inverses, `schema` is what they take."""

from dataclasses import dataclass
from typing import Any

from preheat.errors import BadInput, HandlerError, HandlerFailed
from preheat.interface.manifest import Limits
from preheat.interface.nodes.node import MAX_MISTAKES, Misfit, Node, Reading, TooManyMistakes
from preheat.interface.place import pointer
from preheat.interface.schema import Compiler

DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True, eq=False)
class Codec:
    """A compiled type. `schema` is JSON Schema 2020-12 and complete in itself.

    `pictures`: it may hold images, which take long to decode and are large once they are.
    """

    schema: dict[str, Any]
    node: Node
    pictures: bool = False

    def decode(self, value: Any, limits: Limits = DEFAULT_LIMITS) -> Any:
        """Return the Python value of a JSON value. Raises BadInput with up to 20 mistakes and pointers."""
        reading = Reading(limits)
        try:
            decoded = self.node.read(value, None, reading)
        except TooManyMistakes:
            raise BadInput(_summary(reading.mistakes), errors=reading.mistakes) from None
        except RecursionError as exc:
            raise BadInput("The input is nested too deeply.") from exc
        if reading.mistakes:
            raise BadInput(_summary(reading.mistakes), errors=reading.mistakes)
        return decoded

    def encode(self, value: Any) -> Any:
        """Return the JSON value of a Python value, as `write_json` takes it: arrays stand for lists.

        Raises HandlerFailed, naming the place that is wrong.
        """
        try:
            return self.node.write(value, None)
        except Misfit as misfit:
            at = pointer(misfit.place)
            raise HandlerFailed(
                f"The result does not fit {self.node.name}{f' at {at}' if at else ''}: {misfit.detail}.",
                errors=[(at, misfit.detail)],
            ) from misfit
        except RecursionError as exc:
            raise HandlerFailed("The result is nested too deeply, or contains itself.") from exc


def codec_for(annotation: Any) -> Codec:
    """Compile `annotation`. Raises HandlerError, listing every part of it that has no JSON form."""
    compiler = Compiler()
    node = compiler.compile(annotation, "the type")
    if compiler.mistakes:
        lines = [f"{mistake.place}: {mistake.message}" for mistake in compiler.mistakes]
        raise HandlerError("\n".join(lines), hint="\n".join(mistake.fix for mistake in compiler.mistakes))
    return Codec(compiler.document(node), node, compiler.pictures)


def _summary(mistakes: list[tuple[str, str]]) -> str:
    at, detail = mistakes[0]
    more = len(mistakes) - 1
    rest = "" if not more else f" (and {'at least ' if len(mistakes) >= MAX_MISTAKES else ''}{more} more)"
    return f"The input does not fit{f' at {at}' if at else ''}: {detail}{rest}."
