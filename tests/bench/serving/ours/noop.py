"""Handlers that do next to nothing, so that what is measured is the serving; and one that takes 5 ms."""

import time
from dataclasses import dataclass

from work import no_op

import preheat

SLOW_S = 0.005


@dataclass
class Query:
    text: str


@dataclass
class Answer:
    embedding: list[float]


class Plain(preheat.Handler):
    def predict(self, query: Query) -> Answer:
        return Answer(no_op([query.text])[0])


class Batched(preheat.Handler):
    @preheat.batched(max_size=32, max_wait_ms=5)
    def predict(self, queries: list[Query]) -> list[Answer]:
        return [Answer(row) for row in no_op([query.text for query in queries])]


class Slow(preheat.Handler):
    def predict(self, query: Query) -> Answer:
        time.sleep(SLOW_S)
        return Answer(no_op([query.text])[0])
