"""What an app's log says of its requests and starts. Pure: the same figures for the same events."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

from preheat_providers.modal.operating.log_lines import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Counts and latencies in ms: nothing where nothing was counted, and no latency until one was seen."""

    requests: int | None = None
    errors: int | None = None
    cold_starts: int | None = None
    cold_ms_p50: float | None = None
    warm_ms_p50: float | None = None
    warm_ms_p95: float | None = None


def figures_of(events: Iterable[Event]) -> Figures:
    """Return what the lines of access and the starts among `events` amount to."""
    answered, starts = [], []
    for event in events:
        if event["event"] == "access" and event.get("route"):
            answered.append(event)
        elif event["event"] == "ready":
            starts.append(sum(float(phase["ms"]) for phase in event.get("phases", ())))
    warm = [float(event["total_ms"]) for event in answered if _is_well(event) and not event.get("cold")]
    return Figures(
        requests=len(answered),
        errors=sum((event.get("status") or 500) >= 500 for event in answered),
        cold_starts=len(starts),
        cold_ms_p50=median(starts) if starts else None,
        warm_ms_p50=median(warm) if warm else None,
        warm_ms_p95=_p95(warm),
    )


def _is_well(event: dict[str, Any] | Event) -> bool:
    return event.get("status") is not None and event["status"] < 400


def _p95(values: list[float]) -> float | None:
    if not values:
        return None
    return quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]
