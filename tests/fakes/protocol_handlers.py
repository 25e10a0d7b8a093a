"""Handlers as sources, for every way in which the Open Inference Protocol maps one."""

import textwrap
from typing import Any

from preheat.interface.contract import read_contract

TENSORS = """
    from typing import Annotated, Any, TypedDict

    import numpy
    import preheat

    Floats = Annotated[numpy.ndarray[Any, Any], preheat.Tensor("float32", (None, 3))]
    Ints = Annotated[numpy.ndarray[Any, Any], preheat.Tensor("int64", (None,))]
    Mask = Annotated[numpy.ndarray[Any, Any], preheat.Tensor("bool", (None,))]

    class Given(TypedDict):
        floats: Floats
        ints: Ints
        mask: Mask
        scale: float

    class Answer(TypedDict):
        scaled: Floats
        sums: Ints
        inverse: Mask
        label: str

    class Model(preheat.Handler):
        def predict(self, given: Given) -> Answer:
            return {
                "scaled": given["floats"] * numpy.float32(given["scale"]),
                "sums": numpy.cumsum(given["ints"], dtype="int64"),
                "inverse": ~given["mask"],
                "label": f"{len(given['ints'])} numbers",
            }
"""

BATCHED = """
    from typing import Annotated, Any

    import numpy
    import preheat

    Row = Annotated[numpy.ndarray[Any, Any], preheat.Tensor("float32", (2,))]

    class Model(preheat.Handler):
        @preheat.batched(max_size=8, max_wait_ms=20)
        def predict(self, rows: list[Row]) -> list[Row]:
            return list(numpy.stack(rows) * 10)
"""

TYPED = """
    from dataclasses import dataclass
    import preheat

    @dataclass
    class Text:
        text: str
        tags: list[str]

    class Model(preheat.Handler):
        def predict(self, given: Text) -> dict[str, int]:
            if given.text == "fail":
                raise RuntimeError("the secret")
            return {tag: given.text.count(tag) for tag in given.tags}
"""


def contract(source: str) -> dict[str, Any]:
    """Return the contract document of the class Model in `source`, as the build finds it."""
    names: dict[str, Any] = {"__name__": "app"}
    exec(compile(textwrap.dedent(source), "app.py", "exec"), names)
    return dict(read_contract(names["Model"], "app:Model").document())
