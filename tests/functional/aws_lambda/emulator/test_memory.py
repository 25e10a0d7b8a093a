"""The memory of a function, which the emulator does not bound and the kernel does."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.fakes.lambda_emulator import Emulator, Reply
from tests.fakes.lambda_events import version_2
from tests.fakes.memory_limit import MemoryLimit, NoCgroups, memory_limit
from tests.functional.aws_lambda.emulator.conftest import Start, Zoo

pytestmark = [pytest.mark.runtime, pytest.mark.index, pytest.mark.xdist_group("lambda-emulator")]

MEMORY_MB = 256


def gorge(function: Emulator, mb: int) -> Reply:
    """Let the handler hold so much memory for a moment."""
    body = f'{{"text": "gorge", "times": {mb}}}'.encode()
    return function.invoke(version_2("/invocations", body, {"content-type": "application/json"}))


@pytest.fixture
def group() -> Iterator[MemoryLimit]:
    """Asked for before `start`, so that its processes have ended when it does."""
    with ExitStack() as held:
        try:
            limit = held.enter_context(memory_limit(MEMORY_MB << 20))
        except NoCgroups as reason:
            pytest.skip(str(reason))
        yield limit


def test_a_function_beyond_its_memory_is_killed_and_the_next_call_finds_a_new_one(
    group: MemoryLimit, zoo: Zoo, start: Start, bare: Path
) -> None:
    bootstrap = group.entered(bare, "-m", "awslambdaric")
    function = start(zoo("Shout"), memory_mb=MEMORY_MB, bootstrap=bootstrap)
    assert gorge(function, MEMORY_MB // 2).value["statusCode"] == 200
    killed = gorge(function, 2 * MEMORY_MB)
    assert b"Runtime.ExitError" in killed.body
    assert b"killed" in killed.body
    assert gorge(function, 1).value["statusCode"] == 200
    assert len(function.events("ready")) == 2
