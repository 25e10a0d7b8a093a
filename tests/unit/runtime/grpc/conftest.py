from collections.abc import AsyncIterator

import pytest


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module", autouse=True)
async def _one_loop(anyio_backend: str) -> AsyncIterator[None]:
    """Keep one event loop for a module: what grpc hears late of a call, it tells the loop of that call."""
    yield  # noqa: PT022 - the loop lives as long as this waits
