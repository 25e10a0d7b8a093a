"""The Python client against a function that is really deployed."""

import asyncio

import pytest
from tests.fakes.local import UPPER, Local

from preheat.client import connect, connect_async
from preheat.errors import BadInput, Unauthorized
from preheat.project.model import HttpTrigger

pytestmark = pytest.mark.runtime

WORDS = """
    from collections.abc import Iterator
    import preheat

    class Model(preheat.Handler):
        def predict(self, text: str) -> Iterator[str]:
            yield from text.split()
"""


def test_predict_a_job_and_the_token(local: Local) -> None:
    local.configure(triggers=(HttpTrigger(auth="token"),))
    made = local.deploy(UPPER)
    with connect(made.endpoint, token=made.token, timeout_s=30) as client:
        assert client.predict("hello", into=str) == "HELLO"
        job = client.submit("later")
        assert job.result() == "LATER"
        assert job.status() == job.cancel() == "succeeded"
        with pytest.raises(BadInput) as refused:
            client.predict(3)
    assert refused.value.errors[0][0] == ""
    assert refused.value.request_id
    with connect(made.endpoint, token="wrong") as stranger, pytest.raises(Unauthorized):
        stranger.predict("hello")


def test_a_stream_in_both_faces(local: Local) -> None:
    local.contract = {"stream": True}
    endpoint = local.deploy(WORDS).endpoint

    async def read() -> list[str]:
        async with connect_async(endpoint) as client:
            return [item async for item in client.stream("one two", into=str)]

    with connect(endpoint) as client:
        assert list(client.stream("one two")) == ["one", "two"]
        assert client.predict("one two") == ["one", "two"]
    assert asyncio.run(read()) == ["one", "two"]
