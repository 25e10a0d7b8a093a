from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.servers import UPPER, ServerProcess

Start = Callable[..., ServerProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a server with flags; what is left of it ends with the test."""
    started: list[ServerProcess] = []

    def begin(*flags: str, source: str = UPPER, **options: Any) -> ServerProcess:
        folder = tmp_path / f"server-{len(started)}"
        folder.mkdir()
        started.append(ServerProcess(folder, source, *flags, **options))
        return started[-1]

    yield begin
    for server in started:
        server.close()
