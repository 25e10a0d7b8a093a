from pathlib import Path

import numpy as np
import pytest

from preheat.errors import PreheatError
from preheat.warming.start import ColdStart, read_cold_start


def test_what_coldstart_prints_is_read(tmp_path: Path) -> None:
    file = tmp_path / "cold.json"
    file.write_text('{"phases": [], "total_ms": {"p50": 800.0, "p95": 1200.0}}')
    assert read_cold_start(file) == ColdStart(p50_ms=800.0, p95_ms=1200.0)


def test_drawn_starts_have_the_measured_quantiles() -> None:
    drawn = ColdStart(p50_ms=800, p95_ms=1600).samples(ratio=1.0, extra_s=0.0, seed=1)
    assert np.percentile(drawn, [50, 95]) == pytest.approx([0.8, 1.6], rel=0.05)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[]", "not what preheat coldstart"),
        ("hello", "not what preheat coldstart"),
        ('{"total_ms": {"p50": 1}}', "not what preheat coldstart"),
        ('{"total_ms": {"p50": 0, "p95": 1}}', "above 0"),
        ('{"total_ms": {"p50": 2, "p95": 1}}', "p95 the larger"),
    ],
)
def test_what_is_no_measurement_says_how_to_make_one(tmp_path: Path, text: str, what: str) -> None:
    file = tmp_path / "cold.json"
    file.write_text(text)
    with pytest.raises(PreheatError, match=what) as refused:
        read_cold_start(file)
    assert refused.value.hint == "preheat coldstart --json > cold.json"


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(PreheatError, match="cannot be read"):
        read_cold_start(tmp_path / "none.json")
