"""Whatever a caller sends, the surface answers with something that it or the engine meant."""

import asyncio
import json
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.asgi import Exchange
from tests.fakes.jobs import MemoryJobs
from tests.fakes.surface import surface

NAMES = st.sampled_from(
    [
        "accept",
        "authorization",
        "content-encoding",
        "content-length",
        "content-type",
        "idempotency-key",
        "traceparent",
        "x-preheat-timeout-s",
        "x-preheat-ttl-s",
        "x-preheat-webhook",
        "x-request-id",
    ]
)
VALUES = st.one_of(
    st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=40),
    st.floats().map(str),
    st.integers().map(str),
    st.sampled_from(["http://[", "https://a:99999999", "http://a\xadb", "9" * 5000, "\xb2", "1_0", "1e-320"]),
)
PATHS = st.one_of(
    st.sampled_from(["/", "/invocations", "/predict", "/jobs", "/jobs/x", "/jobs/job-1/result", "/metrics"]),
    st.text(max_size=20).map("/".__add__).map(lambda path: path.encode(errors="replace").decode()),
)
METHODS = st.sampled_from(["GET", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH", "\xe9"])


@given(METHODS, PATHS, st.dictionaries(NAMES, VALUES, max_size=5), st.binary(max_size=1200))
def test_no_request_makes_the_surface_fail(
    method: str, path: str, headers: Mapping[str, str], body: bytes
) -> None:
    async def exchange() -> Exchange:
        made = Exchange(APP, method=method, path=path, headers=headers)
        made.body(body)
        made.leave()
        await made.served()
        return made

    answered = asyncio.run(exchange())
    assert answered.status is not None
    assert answered.status < 500
    if answered.status >= 400 and method != "HEAD":
        assert answered.headers["content-type"] == "application/problem+json"
        assert json.loads(answered.answer)["status"] == answered.status
    assert answered.headers["x-request-id"]


APP = surface(jobs=MemoryJobs())
