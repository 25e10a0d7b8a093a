from typing import Annotated, Any, TypedDict

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tests.fakes.tensors import tensor

import preheat
from preheat.errors import BadInput
from preheat.interface.body import decode_body
from preheat.interface.codec import codec_for
from preheat.interface.manifest import Limits
from preheat.runtime.inference.bodies import write_form, write_object
from preheat.runtime.inference.tensors import Tensor

LIMITS = Limits()


class Fields(TypedDict, total=False):
    pixels: Annotated[numpy.ndarray[Any, Any], preheat.Tensor("uint8", (None, None))]
    count: int
    words: str
    sure: bool


CODEC = codec_for(Fields)


@pytest.mark.parametrize("write", [write_form, write_object])
@given(
    pixels=arrays.arrays("uint8", arrays.array_shapes(min_dims=2, max_dims=2, max_side=5)),
    count=st.integers(-(2**63), 2**63 - 1),
    words=st.text(),
    sure=st.booleans(),
)
def test_a_handler_reads_what_was_sent(
    write: Any, pixels: numpy.ndarray[Any, Any], count: int, words: str, sure: bool
) -> None:
    try:
        text = Tensor.of("words", "BYTES", (1,), [words])
    except UnicodeEncodeError:
        return
    item = {
        "pixels": tensor(pixels, "pixels"),
        "count": Tensor.of("count", "INT64", (1,), [count]),
        "words": text,
        "sure": Tensor.of("sure", "BOOL", (1,), [sure]),
    }
    body = write(item, scalars={"count", "words", "sure"})
    read = decode_body(CODEC, body.data, body.content_type, LIMITS)
    assert (read["count"], read["words"], read["sure"]) == (count, words, sure)
    assert (read["pixels"].dtype, read["pixels"].tolist()) == (pixels.dtype, pixels.tolist())


def test_a_large_array_in_a_form_travels_raw() -> None:
    pixels = numpy.full((300, 300), 200, "uint8")
    body = write_form({"pixels": tensor(pixels, "pixels")}, scalars=set())
    assert pixels.tobytes() in body.data


@pytest.mark.parametrize("write", [write_form, write_object])
def test_text_that_is_no_utf8_is_refused(write: Any) -> None:
    with pytest.raises(BadInput, match="Input 'words' is no UTF-8"):
        write({"words": Tensor.of("words", "BYTES", (1,), [b"\xff"])}, scalars={"words"})


@pytest.mark.parametrize("write", [write_form, write_object])
def test_a_scalar_that_is_no_number_is_refused(write: Any) -> None:
    with pytest.raises(BadInput, match="NaN and infinity"):
        write({"k": Tensor.of("k", "FP64", (1,), [float("inf")])}, scalars={"k"})
