"""What is read of /proc/cpuinfo."""

from pathlib import Path

import pytest

from preheat.tuning.cpu import FEATURES, features, multiplies_bytes_exactly
from preheat_handlers.onnx.cpu import RELEVANT


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("flags\t\t: fpu sse2 avx2 avx fma avx512_vnni hypervisor", ["avx", "avx2", "fma", "avx512_vnni"]),
        ("Features\t: fp asimd evtstrm asimddp", ["asimd", "asimddp"]),
        ("model name\t: avx2", []),
    ],
)
def test_the_flags_that_decide_on_kernels_are_kept(tmp_path: Path, line: str, found: list[str]) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text(f"processor\t: 0\n{line}\n\nprocessor\t: 1\nflags\t: amx_int8\n" if found else line)
    assert features(file) == found


def test_a_system_that_does_not_tell_has_none(tmp_path: Path) -> None:
    assert features(tmp_path / "absent") == []


def test_the_loader_compares_the_same_features() -> None:
    assert set(FEATURES) == RELEVANT


@pytest.mark.parametrize(
    ("machine", "has", "exact"),
    [
        ("x86_64", ["avx2"], False),
        ("x86_64", ["avx2", "avx_vnni"], True),
        ("x86_64", ["avx512_vnni"], True),
        ("aarch64", ["asimd"], True),
    ],
)
def test_sums_of_bytes_saturate_on_x86_without_vnni(machine: str, has: list[str], exact: bool) -> None:
    assert multiplies_bytes_exactly(machine, has) is exact
