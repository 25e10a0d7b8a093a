import os
from dataclasses import dataclass
from typing import Any

import preheat

VERSION = "first"


@dataclass
class Query:
    value: Any
    count: int = 1


@dataclass
class Answer:
    value: Any
    count: int
    version: str
    greeting: str


class Model(preheat.Handler):
    """Sends its input back."""

    def predict(self, query: Query) -> Answer:
        return Answer(query.value, query.count, VERSION, os.environ["GREETING"])

    def examples(self) -> list[Query]:
        return [Query("hello")]
