"""The features of this processor that onnxruntime's kernels, and the layouts of packed weights, depend on.

The list follows MLAS (onnxruntime/core/mlas/lib/platform.cpp, read 2026-11-21); the names are those of
/proc/cpuinfo, whose lines are `flags` on x86-64 and `Features` on ARM.
"""

import re
from pathlib import Path

RELEVANT = frozenset(
    {
        *("avx", "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512dq", "avx512vl"),
        *("avx_vnni", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_int8", "amx_bf16"),
        *("asimd", "asimdhp", "asimddp", "i8mm", "bf16", "sve", "sve2"),
    }
)


def cpu_features(cpuinfo: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """Return the relevant features of the first processor; none where the system does not tell."""
    try:
        with cpuinfo.open(encoding="ascii", errors="replace") as file:
            for line in file:
                if match := re.match(r"(?:flags|Features)\s*:(.*)", line):
                    return RELEVANT.intersection(match[1].split())
    except FileNotFoundError:
        pass
    return frozenset()
