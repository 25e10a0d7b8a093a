"""The Python client against a function that is really deployed."""

import asyncio
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy
import pytest
from tests.fakes.local import UPPER, Local
from tests.fakes.numpy_layer import link_numpy

from preheat.client import connect, connect_async
from preheat.errors import (
    BadInput,
    BodyTooLarge,
    Conflicting,
    DeadlineExceeded,
    Unauthorized,
    Unavailable,
)
from preheat.interface.body import input_media, output_media
from preheat.interface.codec import codec_for
from preheat.interface.media import File, Tensor
from preheat.project.model import HttpTrigger, Scaling

pytestmark = pytest.mark.runtime

RUNNER_PLACES = 8
"""How many jobs of one function the runner takes at once; the next one stays queued (docs/jobs.md)."""

WORDS = """
    from collections.abc import Iterator
    import preheat

    class Model(preheat.Handler):
        def predict(self, text: str) -> Iterator[str]:
            yield from text.split()
"""

SCANS = """
    from dataclasses import dataclass
    import preheat

    @dataclass
    class Scan:
        page: preheat.File
        language: str

    class Model(preheat.Handler):
        def predict(self, scan: Scan) -> str:
            return f"{scan.language} {scan.page.name} {len(scan.page.data)}"
"""

DOUBLE = """
    from typing import Annotated
    import numpy
    import preheat

    Vector = Annotated[numpy.ndarray, preheat.Tensor("float32", (None,))]

    class Model(preheat.Handler):
        def predict(self, vector: Vector) -> Vector:
            return vector * 2
"""

GATED = """
    import preheat

    class Model(preheat.Handler):
        def predict(self, path: str) -> str:
            if path == "":
                raise preheat.BadInput("a path has at least one letter")
            print("begun", flush=True)
            with open(path) as gate:
                return gate.read()
"""


@dataclass
class Scan:
    page: File
    language: str


def media(taken: Any, given: Any = str) -> dict[str, Any]:
    """Return the part of a contract that the build would have read off the handler."""
    taken, given = codec_for(taken), codec_for(given)
    return {
        "input": taken.schema,
        "output": given.schema,
        "input_media": list(input_media(taken)),
        "output_media": list(output_media(given)),
    }


def test_predict_a_job_and_the_token(local: Local) -> None:
    local.configure(triggers=(HttpTrigger(auth="token"),))
    made = local.deploy(UPPER)
    with connect(made.endpoint, token=made.token, timeout_s=30) as client:
        assert client.predict("hello", into=str) == "HELLO"
        job = client.submit("later")
        assert job.result() == "LATER"
        assert job.status() == job.cancel() == "succeeded"
        with pytest.raises(BadInput, match="expected a string"):
            client.predict(3)
    with connect(made.endpoint, token="wrong") as stranger, pytest.raises(Unauthorized) as refused:
        stranger.predict("hello")
    assert refused.value.request_id


def test_a_wait_ends_what_waits_is_cancelled_and_a_failure_is_its_problem(
    local: Local, tmp_path: Path
) -> None:
    local.configure(scaling=Scaling(max=1))
    gate, text = tmp_path / "gate", tmp_path / "text"
    os.mkfifo(gate)
    text.write_text("done")
    with connect(local.deploy(GATED).endpoint, timeout_s=30) as client:
        first, *others = [client.submit(str(gate)) for _ in range(RUNNER_PLACES)]
        last = client.submit(str(text))
        local.until_logged("output")
        with pytest.raises(DeadlineExceeded, match=f"Job {last.id} is still queued. It goes on."):
            last.result(timeout_s=0.5)
        assert last.cancel() == "cancelled"
        with pytest.raises(Conflicting, match="was cancelled and has no result"):
            last.result()
        assert {job.cancel() for job in (*others, first)} == {"cancelled"}
        gate.write_text("")  # the one that ran ends by itself
        assert client.submit(str(text)).result() == "done"
        with pytest.raises(BadInput, match="at least one letter") as refused:
            client.submit("").result()
        assert refused.value.request_id


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


def test_https_by_the_authority_that_the_deploy_names(local: Local) -> None:
    local.configure(provider={"local": {"tls": True}})
    made = local.deploy()
    assert made.authority is not None

    async def ask() -> Any:
        async with connect_async(made.endpoint, verify=made.authority or "") as client:
            return await client.predict("async")

    with connect(made.endpoint, verify=made.authority) as client:
        assert client.predict("hello") == "HELLO"
        assert client.schema()["title"] == "Model"
    assert asyncio.run(ask()) == "ASYNC"
    with connect(made.endpoint) as stranger, pytest.raises(Unavailable, match="not trusted") as refused:
        stranger.predict("hello")
    assert "verify=" in str(refused.value.hint)


def test_a_file_on_disk_reaches_a_form_an_idempotent_job_and_the_limit(local: Local, tmp_path: Path) -> None:
    local.contract = media(Scan)
    local.configure(limits=replace(local.project.limits, body_bytes=2_000_000))
    page = tmp_path / "page.png"
    page.write_bytes(bytes(1_000_000))
    with connect(local.deploy(SCANS).endpoint) as client:
        value = {"page": page, "language": "en"}
        assert client.predict(value) == "en page.png 1000000"
        first = client.submit(value, idempotency_key="order-42")
        assert client.submit(value, idempotency_key="order-42").id == first.id
        assert first.result() == "en page.png 1000000"
        page.write_bytes(bytes(3_000_000))
        with pytest.raises(BodyTooLarge):
            client.predict(value)


def test_arrays_go_in_and_come_out(local: Local) -> None:
    vector: Any = Annotated[numpy.ndarray, Tensor("float32", (None,))]
    local.contract = media(vector, vector)
    link_numpy(local.bundle(DOUBLE))
    with connect(local.deploy(DOUBLE).endpoint) as client:
        sent = numpy.arange(4, dtype=numpy.float32)
        got = client.predict(sent)
        assert (got.dtype, got.tolist()) == (numpy.float32, [0, 2, 4, 6])
        assert client.submit(sent).result().tolist() == [0, 2, 4, 6]
