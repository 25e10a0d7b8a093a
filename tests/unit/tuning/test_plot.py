"""The picture."""

from pathlib import Path

import pytest
from tests.fakes.tuning import outcome

from preheat.tuning.plot import plot

OUTCOMES = [
    outcome("default", cold_ms=100, size=1000),
    outcome("quick one", cold_ms=20),
    outcome("wrong one", cold_ms=10, rejected="wrong"),
]


@pytest.mark.parametrize(("suffix", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG")])
def test_the_suffix_says_the_format(tmp_path: Path, suffix: str, start: bytes) -> None:
    file = tmp_path / f"tuned.{suffix}"
    plot(OUTCOMES, OUTCOMES[1], file, title="demo: model, for cold")
    assert file.read_bytes().startswith(start)


def test_every_variant_is_named(tmp_path: Path) -> None:
    file = tmp_path / "tuned.svg"
    plot(OUTCOMES, OUTCOMES[1], file, title="demo: model, for cold")
    text = file.read_text()
    assert all(each.variant.name in text for each in OUTCOMES)
    assert "demo: model, for cold" in text
