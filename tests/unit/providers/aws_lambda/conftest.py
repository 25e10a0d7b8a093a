"""An event loop that is closed again."""

import asyncio
from collections.abc import Iterator

import pytest

from preheat_providers.aws_lambda.shipped.looping import Loop


@pytest.fixture(scope="module")
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.open().close()
    asyncio.set_event_loop(None)
