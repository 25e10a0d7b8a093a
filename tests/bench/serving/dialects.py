"""How each contender wants a text and where its answer holds the vector. Pure."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class WrongAnswer(Exception):
    """An answer that is not what the reference says."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One shape of request and answer.

    `vector` finds the vector in the decoded JSON. `leading` is a Lua pattern that captures the
    vector's first number, by which the load generator checks answers without decoding them.
    """

    path: str
    question: Callable[[str], object]
    vector: Callable[[Any], Any]
    leading: str

    def body(self, text: str) -> bytes:
        """Return the request's body for `text`."""
        return json.dumps(self.question(text), separators=(",", ":")).encode()

    def read(self, answer: bytes) -> list[float]:
        """Return the vector in `answer`. Raises WrongAnswer."""
        try:
            return [float(number) for number in self.vector(json.loads(answer))]
        except (ValueError, LookupError, TypeError) as exc:
            raise WrongAnswer(f"no vector in {answer[:200]!r}") from exc


def _tensor(shape: list[int]) -> Callable[[str], object]:
    def question(text: str) -> object:
        return {"inputs": [{"name": "text", "shape": shape, "datatype": "BYTES", "data": [text]}]}

    return question


_NUMBER = "([-+.%deE]+)"

PLAIN = Dialect(
    path="/invocations",
    question=lambda text: {"text": text},
    vector=lambda answer: answer["embedding"],
    leading='"embedding"%s*:%s*%[%s*' + _NUMBER,
)
BATCHED_BENTO = Dialect(
    path="/invocations",
    question=lambda text: {"texts": [text]},
    vector=lambda answer: answer[0],
    leading="^%s*%[%s*%[%s*" + _NUMBER,
)


def inference_protocol(*shape: int) -> Dialect:
    """Return the dialect of the Open Inference Protocol, with a text as a tensor of `shape`."""
    return Dialect(
        path="/v2/models/embedder/infer",
        question=_tensor(list(shape)),
        vector=lambda answer: answer["outputs"][0]["data"],
        leading='"data"%s*:%s*%[+%s*' + _NUMBER,
    )
