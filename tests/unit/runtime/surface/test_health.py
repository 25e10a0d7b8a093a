import pytest
from tests.fakes.engine import FakeEngine
from tests.fakes.surface import client, only_token, surface

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", ["/ping", "/readyz"])
async def test_ready_follows_the_engine(path: str) -> None:
    engine = FakeEngine(ready=False)
    async with client(surface(engine, authenticate=only_token)) as caller:
        waiting = await caller.get(path)
        engine.ready = True
        ready = await caller.get(path)
    assert (waiting.status_code, waiting.headers["retry-after"]) == (503, "1")
    assert waiting.headers["content-type"] == "application/problem+json"
    assert ready.status_code == 200


async def test_ping_is_empty_as_sagemaker_wants_it() -> None:
    async with client(surface()) as caller:
        assert (await caller.get("/ping")).content == b""


async def test_the_process_is_alive_before_it_is_ready() -> None:
    async with client(surface(FakeEngine(ready=False))) as caller:
        answer = await caller.get("/healthz")
        head = await caller.head("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})
    assert head.status_code == 200


async def test_where_ping_decides_who_is_replaced_being_busy_is_well() -> None:
    async with client(surface(FakeEngine(ready=False), always_well=True)) as caller:
        answers = [(await caller.get(path)).status_code for path in ("/ping", "/readyz")]
    assert answers == [200, 503]
