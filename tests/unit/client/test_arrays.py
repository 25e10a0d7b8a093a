"""Arrays in answers: by the schema where NumPy is there, unless the caller asks for something else."""

import json
from typing import Annotated, Any

import httpx
import numpy
import pytest
from tests.fakes.remote import Remote, ok

from preheat.errors import HandlerFailed
from preheat.interface.codec import codec_for
from preheat.interface.media import NPY, Tensor
from preheat.interface.npy import write_npy

Matrix = Annotated[numpy.ndarray[Any, Any], Tensor("float32", (None, 2))]
OUTPUT = json.loads(json.dumps(codec_for(Matrix).schema))
ANSWER = numpy.array([[0.5, 1], [2, 3]], numpy.float32)


def npy(array: Any) -> httpx.Response:
    return httpx.Response(200, content=write_npy(array), headers={"content-type": NPY})


def test_a_tensor_comes_back_as_an_array_without_passing_through_lists() -> None:
    remote = Remote(npy(ANSWER), output=OUTPUT)
    got = remote.client.predict("x")
    assert remote.seen[0].headers["accept"] == NPY
    assert (got.dtype, got.tolist()) == (numpy.float32, ANSWER.tolist())


def test_an_endpoint_that_answers_a_tensor_in_json_is_understood_too() -> None:
    got = Remote(ok([]), output=OUTPUT).client.predict("x")
    assert (got.dtype, got.shape) == (numpy.float32, (0, 2))


def test_without_numpy_a_tensor_comes_back_as_lists() -> None:
    remote = Remote(ok([[1.0, 2.0]]), output=OUTPUT, arrays=False)
    assert remote.client.predict("x") == [[1.0, 2.0]]
    assert remote.seen[0].headers["accept"] == "*/*"


def test_lists_are_there_for_the_asking() -> None:
    remote = Remote(ok([[1.0, 2.0]]), output=OUTPUT)
    assert remote.client.predict("x", into=list[list[float]]) == [[1.0, 2.0]]
    assert remote.seen[0].headers["accept"] == "application/json"


def test_an_array_can_be_asked_for_by_its_type() -> None:
    into: Any = Matrix
    remote = Remote(npy(ANSWER))
    assert remote.client.predict("x", into=into).tolist() == ANSWER.tolist()
    assert remote.seen[0].headers["accept"] == NPY


@pytest.mark.parametrize("reply", [npy(ANSWER.astype("float64")), npy(ANSWER[0]), ok([["a", 1]])])
def test_an_answer_that_is_another_array_is_said(reply: httpx.Response) -> None:
    with pytest.raises(HandlerFailed, match="does not fit Tensor"):
        Remote(reply, output=OUTPUT).client.predict("x")


def test_the_items_of_a_stream_and_the_results_of_jobs_are_arrays_too() -> None:
    streamed = httpx.Response(200, content=b"[[1, 2]]\n[[3, 4]]\n")
    done = {"id": "j", "status": "succeeded"}
    remote = Remote(
        streamed,
        ok(done | {"result": [[1, 2]]}),
        ok(done | {"result_url": "/jobs/j/result"}),
        npy(ANSWER),
        output=OUTPUT,
        stream=True,
    )
    client = remote.client
    assert [item.tolist() for item in client.stream("x")] == [[[1, 2]], [[3, 4]]]
    assert client.job("j").result().dtype == numpy.float32
    assert client.job("j").result().tolist() == ANSWER.tolist()
