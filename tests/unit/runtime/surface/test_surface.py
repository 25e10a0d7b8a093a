import asyncio
import subprocess
import sys

import pytest
from tests.fakes.surface import client, surface

pytestmark = pytest.mark.anyio

USUAL = """
import asyncio, sys
sys.path.insert(0, ".")
from tests.fakes.surface import surface

app = surface()

async def ask(method, path):
    answer = {}
    async def receive():
        return {"type": "http.request", "body": b"1", "more_body": False}
    async def send(message):
        answer.update(message)
    scope = {"type": "http", "method": method, "path": path, "headers": [], "query_string": b""}
    await app(scope, receive, send)
    return answer["status"]

async def main():
    for method, path in [("POST", "/predict"), ("GET", "/ping"), ("HEAD", "/readyz"), ("GET", "/metrics")]:
        print(await ask(method, path), "fastapi" in sys.modules)
    print(await ask("GET", "/schema"), "fastapi" in sys.modules)

asyncio.run(main())
"""


def test_fastapi_is_imported_when_something_unusual_is_asked_for() -> None:
    done = subprocess.run([sys.executable, "-c", USUAL], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [*["200 False"] * 4, "200 True"], done.stderr


async def test_callers_that_come_while_it_is_loading_are_all_answered() -> None:
    async with client(surface()) as caller:
        answers = await asyncio.gather(*(caller.get("/openapi.json") for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}


@pytest.mark.parametrize("path", ["/invocations", "/predict", "/ping", "/metrics"])
async def test_a_usual_path_says_which_methods_it_takes(path: str) -> None:
    async with client(surface()) as caller:
        answer = await caller.request("DELETE", path)
    assert answer.status_code == 405
    assert answer.headers["allow"] in ("POST", "GET", "GET, HEAD")


async def test_an_answer_has_its_id_whoever_gave_it() -> None:
    async with client(surface()) as caller:
        for path in ("/ping", "/schema"):
            answer = await caller.get(path, headers={"x-request-id": "mine"})
            assert answer.headers.get_list("x-request-id") == ["mine"]
