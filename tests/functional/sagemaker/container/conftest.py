from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.sagemaker.container import ContainerProcess
from tests.fakes.servers import UPPER

Start = Callable[..., ContainerProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a container's process with an environment; what is left of it ends with the test."""
    started: list[ContainerProcess] = []

    def begin(
        source: str = UPPER, kind: type[ContainerProcess] = ContainerProcess, **options: Any
    ) -> ContainerProcess:
        folder = tmp_path / f"container-{len(started)}"
        folder.mkdir()
        started.append(kind(folder, source, **options))
        return started[-1]

    yield begin
    for process in started:
        process.close()
