"""A home of the test's own; uv and its cache are those of the machine."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PREHEAT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"
