"""What `preheat tune` shows: the table, the winner, and what is left to do."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from preheat.cli.problems import note
from preheat.cli.text import bold, columns, dim, human_bytes, human_ms, paste

if TYPE_CHECKING:
    from preheat.tuning.choice import Deviation, Outcome
    from preheat.tuning.tune import Tuned

HEAD = ("variant", "session", "first", "steady", "memory", "size", "deviation", "")


def document(found: "Tuned", written: Path | None) -> dict[str, Any]:
    """Return the result as JSON values."""
    from preheat.tuning.choice import frontier
    from preheat.tuning.manifest import deviation_document, figures_document

    front = frontier(found.outcomes)
    return {
        "weights": found.subject.name,
        "objective": found.wish.objective,
        "tolerance": found.wish.tolerance,
        "variants": [
            {
                "name": outcome.variant.name,
                **figures_document(outcome),
                "deviation": deviation_document(outcome.deviation),
                "swap": deviation_document(outcome.swap) if outcome.swap else None,
                "rejected": outcome.rejected or outcome.variant.reference_only,
                "pareto": outcome in front,
            }
            for outcome in found.outcomes
        ],
        "failures": [{"name": failure.name, "reason": failure.reason} for failure in found.failures],
        "chosen": found.chosen.variant.name,
        "by_loader": found.recording.by_loader,
        "written": None if written is None else str(written),
        "manifest": dict(found.document),
    }


def lines(found: "Tuned", written: Path | None, *, wrote: bool) -> Iterator[str]:
    """Yield the table, what won by how much, what failed, and the next line to paste."""
    from preheat.tuning.choice import frontier

    calls = len(found.recording.calls)
    version = found.document["runtime"]["version"]
    yield (
        f"{bold(found.subject.name)}: {found.subject.model.name} with onnxruntime {version}, "
        f"{calls} recorded {'input' if calls == 1 else 'inputs'}, {found.wish.rounds} rounds"
    )
    front = frontier(found.outcomes)
    rows = [tuple(map(dim, HEAD)), *(_row(outcome, found, outcome in front) for outcome in found.outcomes)]
    yield from (f"  {line}" for line in columns(rows, right=frozenset({1, 2, 3, 4, 5})))
    for failure in found.failures:
        yield from note(f"{failure.name} cannot be had: {failure.reason}")
    yield from _winner(found)
    yield from _next(found, written, wrote=wrote)


def _row(outcome: "Outcome", found: "Tuned", in_front: bool) -> tuple[str, ...]:
    chosen = outcome is found.chosen
    name = outcome.variant.name
    unfit = outcome.variant.reference_only
    remark = f"rejected: {outcome.rejected}" if outcome.rejected else unfit or (in_front and "pareto") or ""
    return (
        bold(name) if chosen else name if outcome.usable else dim(name),
        human_ms(outcome.load.load_ms),
        human_ms(outcome.load.first_ms),
        f"{outcome.settled.steady_ms:.2f} ms",
        human_bytes(outcome.settled.rss_bytes),
        human_bytes(outcome.bytes),
        _deviation(outcome.deviation),
        bold("chosen") if chosen else dim(remark),
    )


def _deviation(deviation: "Deviation") -> str:
    if deviation.identical:
        return "identical"
    return f"{deviation.max_rel:.1e}, cosine {deviation.cosine:.4f}"


def _winner(found: "Tuned") -> Iterator[str]:
    from preheat.tuning.variants import DEFAULT

    chosen, default = found.chosen, found.default
    if chosen.variant == DEFAULT:
        yield f"For {found.wish.objective}, nothing is better than the model as it is."
        return
    yield (
        f"For {found.wish.objective}: {bold(chosen.variant.name)}, of the default's "
        f"session {chosen.load.load_ms / default.load.load_ms:.2f}, "
        f"cold start {chosen.cold_ms / default.cold_ms:.2f}, "
        f"steady state {chosen.settled.steady_ms / default.settled.steady_ms:.2f}, "
        f"size {chosen.bytes / default.bytes:.2f}"
    )
    swap = chosen.swap
    if swap is not None and not swap.identical:
        yield (
            f"The first answer comes before the weights are packed, and those after it are off by up to "
            f"{swap.max_rel:.0e} of the largest value. --tolerance 0 chooses among identical ones."
        )


def _next(found: "Tuned", written: Path | None, *, wrote: bool) -> Iterator[str]:
    from preheat.tuning.variants import DEFAULT

    if found.chosen.variant == DEFAULT:
        return
    name = found.subject.name
    if not wrote:
        yield f"--write makes tuned/{name} of it and sets in preheat.toml:"
        yield paste(f'[weights.{name}]\nsource = "file:tuned/{name}"')
    elif written is not None:
        yield f"Written to {written}, and preheat.toml points at it."
        if found.subject.origin.source.startswith("file:"):
            yield "The original stays for the next preheat tune; .preheatignore keeps it from shipping."
    if not found.recording.by_loader:
        where = f" in {found.recording.asked}" if found.recording.asked else ""
        yield f"The handler opens the model itself{where}. A tuned folder is opened by:"
        yield paste(
            f"from preheat_handlers.onnx import open_session\n"
            f'self.session = open_session(ctx.weights["{name}"], cpus=ctx.cpus)'
        )
