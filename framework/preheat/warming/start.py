"""How long a start takes: a number, or the spread of what `preheat coldstart --json` measured."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist

import numpy as np

from preheat.errors import PreheatError
from preheat.warming.trace.model import Floats

SAMPLES = 4096
P95 = NormalDist().inv_cdf(0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdStart:
    """A start's duration: the logarithm is normal, with these two quantiles in milliseconds."""

    p50_ms: float
    p95_ms: float

    def samples(self, *, ratio: float, extra_s: float, seed: int) -> Floats:
        """Return durations in seconds, each `ratio` of a start and `extra_s`; one where all are equal."""
        spread = math.log(self.p95_ms / self.p50_ms) / P95 if self.p95_ms > self.p50_ms else 0.0
        if spread == 0.0:
            return np.array([self.p50_ms / 1000 * ratio + extra_s])
        drawn = np.random.default_rng(seed).lognormal(math.log(self.p50_ms / 1000), spread, SAMPLES)
        return drawn * ratio + extra_s


def read_cold_start(file: Path) -> ColdStart:
    """Read what `preheat coldstart --json` printed. Raises PreheatError."""
    again = f"preheat coldstart --json > {file.name}"
    try:
        total = json.loads(file.read_text(encoding="utf-8"))["total_ms"]
        p50_ms, p95_ms = float(total["p50"]), float(total["p95"])
    except OSError as error:
        raise PreheatError(f"{file} cannot be read: {error.strerror}.", hint=again) from error
    except (ValueError, KeyError, TypeError) as error:
        message = f"{file} is not what preheat coldstart --json prints: it has no total_ms with p50 and p95."
        raise PreheatError(message, hint=again) from error
    if not 0 < p50_ms <= p95_ms < math.inf:
        message = (
            f"{file} says p50 {p50_ms:g} ms and p95 {p95_ms:g} ms: both must be above 0, p95 the larger."
        )
        raise PreheatError(message, hint=again)
    return ColdStart(p50_ms=p50_ms, p95_ms=p95_ms)
