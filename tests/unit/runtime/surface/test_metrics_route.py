import pytest
from tests.fakes.engine import FakeEngine
from tests.fakes.surface import TOKEN, client, only_token, surface

from preheat.interface.message import Request, Response
from preheat.runtime.metrics import Metrics

pytestmark = pytest.mark.anyio


async def test_what_was_served_is_counted_and_what_was_refused_too() -> None:
    async def answer(request: Request) -> Response:
        return Response(headers={"x-preheat-start": "cold"}, model_ms=250.0, batch_size=2)

    async with client(surface(FakeEngine(answer))) as caller:
        await caller.post("/invocations")
        await caller.post("/predict", content=b"x" * 1001)
        await caller.get("/ping")
        text = (await caller.get("/metrics")).text
    assert 'preheat_requests_total{outcome="ok",route="/invocations"} 1.0' in text
    assert 'preheat_requests_total{outcome="rejected",route="/invocations"} 1.0' in text
    assert "preheat_cold_starts_total 1.0" in text
    assert 'preheat_model_seconds_sum{outcome="ok",route="/invocations"} 0.25' in text
    assert 'preheat_batch_size_sum{outcome="ok",route="/invocations"} 2.0' in text
    assert "ping" not in text


async def test_metrics_are_for_those_with_the_token() -> None:
    async with client(surface(authenticate=only_token, metrics=Metrics())) as caller:
        assert (await caller.get("/metrics")).status_code == 401
        told = await caller.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert told.headers["content-type"].startswith("text/plain; version=")
