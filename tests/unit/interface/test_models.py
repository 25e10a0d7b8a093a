from datetime import date

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ConfigDict, Field

from preheat.errors import BadInput, HandlerFailed
from preheat.interface.codec import codec_for


class Item(BaseModel):
    model_config = ConfigDict(strict=True)
    name: str
    day: date
    parts: "list[Item]" = []


class Order(BaseModel):
    item: Item
    price: float = Field(ge=0)


def test_a_pydantic_model_reads_and_writes_the_same_json() -> None:
    codec = codec_for(list[Order])
    document = [{"item": {"name": "a", "day": "2025-01-31", "parts": []}, "price": 1.5}]
    decoded = codec.decode(document)
    assert decoded == [Order(item=Item(name="a", day=date(2025, 1, 31)), price=1.5)]
    assert codec.encode(decoded) == document
    Draft202012Validator.check_schema(codec.schema)
    Draft202012Validator(codec.schema).validate(document)


def test_what_pydantic_refuses_has_a_pointer() -> None:
    with pytest.raises(BadInput) as caught:
        codec_for(list[Order]).decode([{"item": {"name": 1, "day": "2025-01-31"}, "price": -1}])
    assert [at for at, _ in caught.value.errors] == ["/0/item/name", "/0/price"]


def test_a_recursive_model_has_a_schema_that_resolves() -> None:
    codec = codec_for(Item)
    document = {"name": "a", "day": "2025-01-31", "parts": [{"name": "b", "day": "2025-01-31", "parts": []}]}
    Draft202012Validator(codec.schema).validate(document)
    assert codec.encode(codec.decode(document)) == document
    assert not Draft202012Validator(codec.schema).is_valid({**document, "parts": [{"name": 3}]})


def test_nan_in_a_model_is_refused_with_its_place() -> None:
    order = Order.model_construct(item=Item(name="a", day=date(2025, 1, 31)), price=float("nan"))
    with pytest.raises(HandlerFailed) as caught:
        codec_for(Order).encode(order)
    assert caught.value.errors[0][0] == "/price"
