"""What a function costs by the hour, while it waits, and per 1,000 requests. Pure.

Modal bills the cores, the memory and the GPU that a container has, by the second, from its start to its
end: https://modal.com/pricing. Free credits, and what a region or machines that are not preempted cost
more, are not counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from preheat.plan.model import Cost
from preheat.project.model import Project
from preheat_providers.modal.gpus import ANY, Wanted, is_any, read_gpu
from preheat_providers.modal.options import Options
from preheat_providers.modal.rates import CPU, MEMORY, Rates
from preheat_providers.modal.scaling import scale_of

HOURS = 730
DURATIONS_S = (0.1, 1.0)
LEAST_CORES = 0.125
"""What is billed at least (https://modal.com/docs/guide/resources, read on 2026-11-21)."""


def costs_of(project: Project, options: Options, rates: Rates) -> tuple[Cost, ...]:
    """Return what `project` costs at `rates`; nothing where its GPU has no known price."""
    hour = Hour.of(project, rates)
    return tuple(_costs(project, options, hour)) if hour is not None else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """What one container costs in an hour, and what that was made from."""

    usd: float
    basis: str

    @classmethod
    def of(cls, project: Project, rates: Rates) -> "Hour | None":
        """Return it, or None where the GPU has no known price."""
        resources = project.resources
        cores, memory_gb = max(resources.cpu, LEAST_CORES), resources.memory_mb / 1024
        usd = cores * rates.usd[CPU] + memory_gb * rates.usd[MEMORY]
        lines = [f"{_cores(cores)} at ${rates.usd[CPU]:g}", f"{memory_gb:.2f} GiB at ${rates.usd[MEMORY]:g}"]
        wanted = read_gpu(ANY[0] if is_any(resources.gpu) else resources.gpu) if resources.gpu else None
        if wanted is not None:
            price = rates.gpu(wanted.name)
            if price is None:
                return None
            usd += wanted.count * price
            lines.insert(0, _gpu(wanted, price))
        return cls(usd=usd, basis=f"{' + '.join(lines)}; {rates.source}")


def _cores(count: float) -> str:
    return "1 core" if count == 1 else f"{count:g} cores"


def _gpu(wanted: Wanted, price: float) -> str:
    return f"{wanted.count} × {wanted.name} at ${price:g}"


def _costs(project: Project, options: Options, hour: Hour) -> Iterator[Cost]:
    scale = scale_of(project, options)
    yield Cost(name="one container", usd=hour.usd, unit="hour", basis=hour.basis)
    always = scale.min_containers
    yield Cost(
        name=f"min_containers = {always}",
        usd=always * hour.usd * HOURS,
        unit="month",
        basis=f"{always} × {HOURS} h" if always else "nothing runs until a request comes",
    )
    window = scale.scaledown_window
    yield Cost(
        name=f"scaledown_window = {window}",
        usd=hour.usd * window / 3600,
        unit="time",
        basis=f"{window} s that a container stays after its last request",
    )
    for seconds in DURATIONS_S:
        yield Cost(
            name=f"requests of {seconds * 1000:.0f} ms",
            usd=1000 * seconds * hour.usd / 3600,
            unit="1000 requests",
            basis=f"{seconds:g} s of a container each, one at a time; starts and idle time come on top",
        )
