from pathlib import Path

import pytest

from preheat.tuning.cpu import FEATURES
from preheat_handlers.onnx.cpu import RELEVANT, cpu_features

X86 = "processor : 0\nflags\t\t: fpu avx avx2 avx512f constant_tsc\n\nprocessor : 1\nflags : amx_tile\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd asimddp crc32\n"


@pytest.mark.parametrize(("text", "found"), [(X86, {"avx", "avx2", "avx512f"}), (ARM, {"asimd", "asimddp"})])
def test_only_what_kernels_depend_on_counts(tmp_path: Path, text: str, found: set[str]) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    assert cpu_features(tmp_path / "cpuinfo") == found


def test_a_system_that_does_not_tell_has_none(tmp_path: Path) -> None:
    assert cpu_features(tmp_path / "cpuinfo") == frozenset()


def test_the_tuner_writes_what_the_loader_compares() -> None:
    assert frozenset(FEATURES) == RELEVANT
