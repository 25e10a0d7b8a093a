"""What of this machine's processor decides which kernels onnxruntime takes. Reads /proc/cpuinfo."""

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CPUINFO = Path("/proc/cpuinfo")
FEATURES = (
    *("avx", "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512dq", "avx512vl"),
    *("avx_vnni", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_int8", "amx_bf16"),
    *("asimd", "asimdhp", "asimddp", "i8mm", "bf16", "sve", "sve2"),
)
"""The flags of x86-64 and arm64 by which onnxruntime's matrix kernels differ."""
VNNI = frozenset({"avx_vnni", "avx512_vnni"})


def processor(cpuinfo: Path = CPUINFO) -> Mapping[str, Any]:
    """Return `{"machine", "features"}`: what the loader compares before it trusts what was tuned."""
    return {"machine": platform.machine(), "features": features(cpuinfo)}


def features(cpuinfo: Path = CPUINFO) -> list[str]:
    """Return those of FEATURES that the first processor has; none where the system does not tell."""
    try:
        text = cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    for line in text.splitlines():
        name, _, flags = line.partition(":")
        if name.strip() in ("flags", "Features"):
            has = set(flags.split())
            return [feature for feature in FEATURES if feature in has]
    return []


def multiplies_bytes_exactly(machine: str, has: list[str]) -> bool:
    """Say whether sums of unsigned by signed bytes keep all bits; without VNNI, x86 saturates them at 16.

    https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html, read 2026-11-21.
    """
    return machine not in ("x86_64", "AMD64") or bool(VNNI & set(has))
