"""Ready-made handlers taken through the steps of a start, and asked as a caller asks."""

from pathlib import Path
from types import MappingProxyType
from typing import Any

from preheat import Context, Handler
from preheat.interface.contract import HandlerContract, read_contract
from preheat.interface.jsontext import read_json, write_json


def context(tmp_path: Path, **weights: Path) -> Context:
    """Return a Context with these weights, one processor, and nothing deployed."""
    known = MappingProxyType(weights)
    return Context(name="m", stage="dev", provider="test", release="1", tmp=tmp_path, weights=known)


class Started:
    """A handler that has run setup."""

    def __init__(self, handler: type[Handler], ctx: Context) -> None:
        served = handler.typed(ctx)
        self.contract: HandlerContract = read_contract(served, "module:Handler")
        self.handler = self.contract.handler()
        self.handler.setup(ctx)

    def ask(self, *inputs: Any) -> Any:
        """Return the answers to JSON values as JSON values: one after another, or as one batch."""
        read = [self.contract.input.decode(read_json(write_json(each), depth=64)) for each in inputs]
        predict: Any = self.handler.predict  # type: ignore[attr-defined]
        found = predict(read) if self.contract.batching else [predict(each) for each in read]
        answers = [each if isinstance(each, Exception) else self._written(each) for each in found]
        return answers[0] if len(inputs) == 1 else answers

    def _written(self, answer: Any) -> Any:
        if self.contract.is_stream:
            return [read_json(write_json(self.contract.output.encode(item)), depth=64) for item in answer]
        return read_json(write_json(self.contract.output.encode(answer)), depth=64)
