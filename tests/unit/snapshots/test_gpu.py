import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from preheat.snapshots.gpu import watch_gpu


@pytest.fixture
def torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, str]]]:
    """A package of PyTorch's shape whose import asks itself, watched from before its import."""
    package = tmp_path / "torch"
    package.mkdir()
    (package / "__init__.py").write_text("from torch import cuda\ncuda.is_available()\n")
    (package / "cuda.py").write_text("def is_available():\n    return False\n")
    monkeypatch.syspath_prepend(tmp_path)
    finders = list(sys.meta_path)
    yield watch_gpu()
    sys.meta_path[:] = finders
    for name in ("torch", "torch.cuda"):
        sys.modules.pop(name, None)


def test_a_question_of_the_user_is_seen_once_and_answered(torch: list[dict[str, str]]) -> None:
    cuda = importlib.import_module("torch").cuda
    assert torch == [], "PyTorch's own questions at import are not the user's"
    assert cuda.is_available() is False
    assert cuda.is_available() is False
    assert torch == [
        {"path": "torch.cuda.is_available", "kind": "gpu-asked", "what": "torch.cuda.is_available()"}
    ]
