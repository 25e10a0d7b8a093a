"""From a bundle on disk to a handler that has answered its own examples: import, setup, restore, warm-up.

Reads the layers, runs the user's code, writes nothing. `load` takes every step at once; a process that
forks takes those of `load_before_fork` itself, and leaves those of `load_after_fork` to its children.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from preheat.interface.call import WARM_UP
from preheat.interface.contract import HandlerContract, read_contract
from preheat.interface.handler import Context, Handler
from preheat.interface.manifest import Limits, Manifest
from preheat.interface.starting import START
from preheat.runtime.attempts import Raised, attempt_async
from preheat.runtime.beginning import Place, import_class
from preheat.runtime.called import Called, with_call
from preheat.runtime.forking import reseed
from preheat.runtime.phases import PhaseClock

RunCoroutine = Callable[[Coroutine[Any, Any, Any]], Any]
"""Runs a coroutine on the event loop that will serve, and returns its result."""
Hear = Callable[["Model", Any], None]
"""Is told each answer of a warm-up; that of a stream is the list of its items."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A handler instance with its contract, limits and Context."""

    handler: Handler
    contract: HandlerContract
    limits: Limits
    context: Context

    @property
    def overrides_restore(self) -> bool:
        """Whether the class does something in restore."""
        return type(self.handler).restore is not Handler.restore

    @property
    def predict(self) -> Callable[[Any], Any]:
        """The handler's predict, of one parameter: a Called, or a list of them, where it takes the Call."""
        predict: Callable[..., Any] = self.handler.predict  # type: ignore[attr-defined]
        if self.contract.takes_call:
            return with_call(predict, batched=self.contract.batching is not None)
        return predict

    def moved(self, tmp: Path) -> "Model":
        """Return the same model with a Context whose `tmp` is another folder: for a forked process."""
        return replace(self, context=replace(self.context, tmp=tmp))


def import_model(place: Place, manifest: Manifest, clock: PhaseClock) -> Model:
    """Import the handler that the manifest names and make one. Raises PhaseFailed."""
    context = place.context(manifest)
    return make_model(import_class(manifest.handler, context, clock), context, manifest, clock)


def make_model(handler: type[Handler], context: Context, manifest: Manifest, clock: PhaseClock) -> Model:
    """Make one `handler`, which `import_class` has returned. Raises PhaseFailed."""
    with clock.phase("import"):
        contract = read_contract(handler, manifest.handler)
        return Model(handler=handler(), contract=contract, limits=manifest.limits, context=context)


def set_up(model: Model, clock: PhaseClock) -> None:
    """Run setup: what a snapshot or a zygote may keep."""
    with clock.phase("setup"):
        model.handler.setup(model.context)


def restore(model: Model, clock: PhaseClock) -> None:
    """Run restore: what must be made anew in each process, random numbers among it."""
    reseed()
    with clock.phase("restore"):
        model.handler.restore(model.context)


def warm_up(model: Model, clock: PhaseClock, run: RunCoroutine, hear: Hear | None = None) -> None:
    """Run each of the handler's examples through predict; async handlers by `run`."""
    with clock.phase("warm-up"):
        for example in model.handler.examples():
            given = Called(example, WARM_UP) if model.contract.takes_call else example
            answer = model.predict([given] if model.contract.batching else given)
            if model.contract.is_async:
                answer = run(attempt_async(_consume(answer)))
                _raise(answer)
            elif model.contract.is_stream:
                answer = list(answer)
            if hear is not None:
                hear(model, answer[0] if model.contract.batching else answer)


def load(
    place: Place, manifest: Manifest, clock: PhaseClock, run: RunCoroutine, hear: Hear | None = None
) -> Model:
    """Take every step and return a model that is warm. Raises PhaseFailed."""
    model = import_model(place, manifest, clock)
    set_up(model, clock)
    restore(model, clock)
    warm_up(model, clock, run, hear)
    START.settled = True
    return model


def load_before_fork(place: Place, manifest: Manifest, clock: PhaseClock, hear: Hear | None = None) -> Model:
    """Take the steps whose outcome forked children may share. Raises PhaseFailed."""
    model = import_model(place, manifest, clock)
    prepare_before_fork(model, clock, hear)
    return model


def prepare_before_fork(model: Model, clock: PhaseClock, hear: Hear | None = None) -> None:
    """Take those of these steps that follow the import; a snapshot is a fork too. Raises PhaseFailed."""
    set_up(model, clock)
    if _warms_up_before_fork(model):
        warm_up(model, clock, _no_coroutines, hear)


def load_after_fork(model: Model, clock: PhaseClock, run: RunCoroutine, hear: Hear | None = None) -> Model:
    """Take the steps that `load_before_fork` left. Raises PhaseFailed."""
    restore(model, clock)
    if not _warms_up_before_fork(model):
        warm_up(model, clock, run, hear)
    START.settled = True
    return model


def _warms_up_before_fork(model: Model) -> bool:
    """Whether examples can run before the fork: they need neither restore nor an event loop."""
    return not model.overrides_restore and not model.contract.is_async


def _no_coroutines(work: Any) -> NoReturn:
    raise AssertionError(f"{work} must run on the loop that serves it, which is not here yet.")


async def _consume(answer: Any) -> Any:
    if hasattr(answer, "__aiter__"):
        return [item async for item in answer]
    return await answer


def _raise(outcome: Any) -> None:
    if isinstance(outcome, Raised):
        raise outcome.error
