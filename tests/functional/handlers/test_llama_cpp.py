"""The handler for GGUF in its worker. In CI llama_cpp is a fake; `make test-llama` takes the real one."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.code_layer import add_handlers, make_code_layer
from tests.fakes.llama import llama_packages, write_model
from tests.fakes.supervisor import FakeSupervisor

from preheat.interface.message import Response
from preheat.interface.threads import library_environment

pytestmark = pytest.mark.runtime
SMALL = """
    from preheat_handlers.llama_cpp import LlamaHandler

    class Model(LlamaHandler):
        context = 64
    """
Ask = Callable[[dict[str, Any]], Awaitable[Response]]


def asked(folder: Path, scenario: Callable[[Ask], Awaitable[None]]) -> None:
    """Start a worker over a model of 64 tokens, and let `scenario` ask it."""
    write_model(folder / "m.gguf")
    code = add_handlers(make_code_layer(folder / "code", SMALL, weights={"model": "m.gguf"}))

    async def run() -> None:
        async with FakeSupervisor() as supervisor:
            places = {"dependencies": str(llama_packages(folder / "packages")), "weights": str(folder)}
            await supervisor.start(code, env=library_environment(1), memory_mb=2048, **places)
            await supervisor.event("w1", "ready")

            async def ask(prompt: dict[str, Any]) -> Response:
                return await supervisor.ask("w1", prompt, accept="application/jsonl")

            await scenario(ask)
            supervisor.tell("w1", {"op": "drain"})
            assert await supervisor.ended() == 0

    asyncio.run(run())


def pieces(answer: Response) -> list[str]:
    assert answer.status == 200, answer.body
    return [json.loads(line) for line in answer.body.splitlines()]


def test_text_comes_in_pieces_and_again_the_same(tmp_path: Path) -> None:
    async def scenario(ask: Ask) -> None:
        likeliest = {"text": "ab", "max_tokens": 8, "temperature": 0.0}
        first = pieces(await ask(likeliest))
        assert len(first) > 1
        assert "" not in first
        assert pieces(await ask(likeliest)) == first
        drawn = {"text": "ab", "max_tokens": 8, "temperature": 2.0}
        assert pieces(await ask(drawn | {"seed": 1})) == pieces(await ask(drawn | {"seed": 1}))
        assert len({str(pieces(await ask(drawn | {"seed": seed}))) for seed in range(4)}) > 1

    asked(tmp_path, scenario)


def test_without_a_seed_no_text_follows_from_another_request_or_process(tmp_path: Path) -> None:
    drawn = {"text": "ab", "max_tokens": 16, "temperature": 2.0}
    found: list[str] = []

    async def scenario(ask: Ask) -> None:
        found.append("".join(pieces(await ask(drawn))))
        for _ in range(2):
            await ask(drawn | {"seed": 42})
            found.append("".join(pieces(await ask(drawn))))

    for process in ("one", "two"):
        (tmp_path / process).mkdir()
        asked(tmp_path / process, scenario)
    assert len(set(found)) == 6


def test_what_does_not_fit_is_the_callers_mistake(tmp_path: Path) -> None:
    async def scenario(ask: Ask) -> None:
        for prompt, said in (
            ({"max_tokens": 62}, "tokens; with max_tokens=62 that is more than the 64 which fit."),
            ({"temperature": 3.0}, "temperature is 3, and may be 0 to 2"),
            ({"max_tokens": 0}, "max_tokens is 0, and is 1 at least"),
            ({"seed": -1}, "seed is -1, and may be 0 to 2^32 - 1"),
        ):
            answer = await ask({"text": "ab", **prompt})
            assert answer.status == 400
            assert said in answer.body.decode()
        assert pieces(await ask({"text": "ab", "max_tokens": 50, "temperature": 0.0}))

    asked(tmp_path, scenario)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"model": "m.gguf"}, "m.gguf does not load as a GGUF model"),
        ({"other": "m.gguf"}, "Model has no weights 'model'."),
    ],
)
def test_weights_that_are_no_model_are_said(tmp_path: Path, weights: dict[str, str], message: str) -> None:
    (tmp_path / "m.gguf").write_bytes(b"nothing")
    code = add_handlers(make_code_layer(tmp_path / "code", SMALL, weights=weights))

    async def scenario() -> None:
        async with FakeSupervisor() as supervisor:
            places = {"dependencies": str(llama_packages(tmp_path / "packages")), "weights": str(tmp_path)}
            await supervisor.start(code, env=library_environment(1), **places)
            failed = await supervisor.event("w1", "failed")
            assert failed["message"].startswith(message)
            await supervisor.ended()

    asyncio.run(scenario())
