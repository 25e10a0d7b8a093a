from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.local import Local


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    local = Local(tmp_path)
    yield local
    local.client.shut_down()
