"""The same as a handler."""

from typing import Any

import preheat


class Model(preheat.Handler):
    def examples(self) -> list[dict[str, Any]]:
        return [{"text": "hello", "times": 2}]

    def predict(self, query: dict[str, Any]) -> dict[str, Any]:
        return query
