"""Handlers for every kind of input; each runs in a server of its own, as the class `Model` of `app`."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NotRequired, TypedDict, cast
from uuid import UUID

import annotated_types
import numpy
import pydantic

import preheat


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Figures:
    flag: bool
    count: Annotated[int, annotated_types.Ge(0), annotated_types.Le(1000)]
    ratio: Annotated[float, annotated_types.Gt(0)]
    name: Annotated[str, annotated_types.Len(1, 20)]
    colour: Colour
    mode: Literal["fast", 7, None]
    nothing: None = None


class Scalars(preheat.Handler):
    """Takes one field of each plain type."""

    def predict(self, figures: Figures) -> Figures:
        return figures

    def examples(self) -> list[Figures]:
        return [Figures(flag=True, count=3, ratio=0.5, name="a", colour=Colour.RED, mode=7)]


@dataclass
class Circle:
    kind: Literal["circle"]
    radius: float


@dataclass
class Square:
    kind: Literal["square"]
    side: float


class Place(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")

    city: str
    zip: str | None = None


class Order(TypedDict):
    shape: Circle | Square
    place: Place
    tags: NotRequired[list[str]]


@dataclass
class Nested:
    orders: list[Order]
    amounts: dict[str, int] = field(default_factory=dict)
    pair: tuple[int, str] | None = None
    either: int | str | list[bool] = 0


class Structures(preheat.Handler):
    """Takes a dataclass that holds typed dictionaries that hold a pydantic model."""

    def predict(self, nested: Nested) -> Nested:
        return nested


@dataclass
class Moment:
    at: datetime
    day: date
    key: UUID
    price: Decimal


class Strings(preheat.Handler):
    """Takes what JSON writes as strings."""

    def predict(self, moment: Moment) -> Moment:
        return Moment(moment.at.astimezone(UTC), moment.day, moment.key, moment.price)


class Lists(preheat.Handler):
    """Takes rows of numbers."""

    def predict(self, rows: list[list[float]]) -> list[float]:
        return [float(len(row)) for row in rows]


class Texts(preheat.Handler):
    """Takes a text, as JSON or as it is; async."""

    async def predict(self, text: str) -> str:
        return text.upper()


class Anything(preheat.Handler):
    """Takes any JSON."""

    def predict(self, value: Any) -> Any:
        return value


Rows = Annotated[numpy.ndarray[Any, Any], preheat.Tensor("float32", (None, 2))]


class Tensors(preheat.Handler):
    """Takes an array."""

    def predict(self, rows: Rows) -> Rows:
        return -rows


class Pictures(preheat.Handler):
    """Takes a picture."""

    def predict(self, image: preheat.Image) -> dict[str, int]:
        width, height = image.pillow().size
        return {"width": width, "height": height}


@dataclass
class Upload:
    file: preheat.File
    title: str
    copies: int = 1


class Uploads(preheat.Handler):
    """Takes a form with a file."""

    def predict(self, upload: Upload) -> preheat.File:
        return upload.file


class Raw(preheat.Handler):
    """Takes bytes."""

    def predict(self, data: bytes) -> bytes:
        return data[::-1]


class Streams(preheat.Handler):
    """Answers in parts."""

    def predict(self, start: Annotated[int, annotated_types.Ge(0), annotated_types.Le(20)]) -> Iterator[int]:
        yield from range(start, 0, -1)


class AsyncStreams(preheat.Handler):
    """Answers in parts, async."""

    async def predict(self, words: list[str]) -> AsyncIterator[str]:
        for word in words:
            yield word


class Batched(preheat.Handler):
    """Answers several at a time, and refuses single ones."""

    @preheat.batched(max_size=8, max_wait_ms=2)
    def predict(self, numbers: list[Annotated[int, annotated_types.Le(10**6)]]) -> list[int]:
        answers = [number * 2 if number >= 0 else preheat.BadInput("negative") for number in numbers]
        return cast("list[int]", answers)
