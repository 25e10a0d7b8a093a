"""What a server tells of its handler: the examples, and what they came to when it warmed up."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.fakes.servers import ServerProcess

pytestmark = pytest.mark.runtime

Start = Callable[..., ServerProcess]

PREDICTS = {
    "plain": "def predict(self, n: int) -> list[int]: return [n, n + 1]",
    "async": "async def predict(self, n: int) -> list[int]: return [n, n + 1]",
    "batched": "@preheat.batched(max_size=4)\n"
    "        def predict(self, n: list[int]) -> list[list[int]]: return [[each, each + 1] for each in n]",
    "stream": "def predict(self, n: int) -> Iterator[int]: yield from (n, n + 1)",
    "async stream": "async def predict(self, n: int) -> AsyncIterator[int]:\n"
    "            yield n\n"
    "            yield n + 1",
}
HANDLER = """
    import preheat
    from collections.abc import AsyncIterator, Iterator

    class Model(preheat.Handler):
        def examples(self): return [1, 5]
        {predict}
    """


def told(server: ServerProcess) -> dict[str, Any]:
    status, body = server.get("/schema")
    assert status == 200
    return dict(json.loads(body))


@pytest.mark.parametrize("predict", PREDICTS.values(), ids=PREDICTS)
def test_the_answers_to_the_examples_are_those_of_the_warm_up(start: Start, predict: str) -> None:
    server = start(source=HANDLER.format(predict=predict))
    server.until("ready")
    document = told(server)
    assert (document["examples"], document["answers"]) == ([1, 5], [[1, 2], [5, 6]])


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_every_worker_tells_them_whether_it_warmed_up_before_the_fork_or_after(
    start: Start, kind: str
) -> None:
    server = start("--workers", "2", source=HANDLER.format(predict=PREDICTS[kind]))
    server.until("ready", times=2)
    held = [server.connect() for _ in range(2)]  # each goes to the least loaded
    for connection in held:
        connection.request("GET", "/schema")
        assert json.loads(connection.getresponse().read())["answers"] == [[1, 2], [5, 6]]
    for connection in held:
        connection.close()


def test_an_answer_that_is_not_what_predict_says_ends_the_start_with_the_reason(start: Start) -> None:
    server = start(source=HANDLER.format(predict="def predict(self, n: int) -> list[int]: return object()"))
    assert server.ended() == 1
    [failed] = server.found("failed")
    assert failed["phase"] == "warm-up"
