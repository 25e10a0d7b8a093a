"""`preheat.Call`: what predict may ask to know of a request beside its input, and mistakes in asking."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The request that an input came with. `id` is the one that its answer and its log lines carry.

    `headers` are those that docs/http.md lists as forwarded, by lower-case name.
    """

    id: str
    headers: Mapping[str, str] = field(default_factory=lambda: _NOTHING)


WARM_UP = Call(id="warm-up")
"""What comes with an example that only warms the model up."""


def is_call(annotation: object) -> bool:
    """Whether a parameter of predict with this annotation asks for the Call, or for those of a batch."""
    return annotation is Call or annotation == list[Call]


def call_mistakes(annotation: object, *, is_batched: bool, is_cached: bool) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with asking for `annotation`, each with the line to paste."""
    if is_batched and annotation is Call:
        yield (
            "A batched predict takes the calls of its inputs, as many and in the same order; "
            "this one takes a single Call.",
            "def predict(self, inputs: list[Query], calls: list[preheat.Call]) -> list[Answer]:",
        )
    if not is_batched and annotation is not Call:
        yield (
            "predict takes a list of Call, and its input is that of one request.",
            "def predict(self, query: Query, call: preheat.Call) -> Answer:",
        )
    if is_cached:
        yield (
            "A cached predict cannot take the Call: requests with the same body share one answer, "
            "whatever their ids and headers.",
            "Remove @preheat.cached, or the parameter.",
        )
