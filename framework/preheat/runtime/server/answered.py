"""What a handler answered to its own examples when it warmed up, for /schema: so nothing has to run twice."""

import json
from typing import Any

from preheat.interface.body import encode_body
from preheat.interface.message import JSON_TYPE
from preheat.runtime.loader import Model


class Answered:
    """The answers so far, as JSON values; one of a stream is the list of its items."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def hear(self, model: Model, answer: Any) -> None:
        """Take the next answer. Raises what encoding raises, as a request for it would."""
        items = answer if model.contract.is_stream else [answer]
        bodies = [encode_body(model.contract.output, item, JSON_TYPE)[1] for item in items]
        values = [json.loads(body) for body in bodies]
        self.values.append(values if model.contract.is_stream else values[0])
