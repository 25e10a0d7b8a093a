"""From a model to a function: behind an engine, warm, and ready for events or for its snapshot. Ships.

With SnapStart, setup runs before the snapshot is taken, and restore in each environment made of it.
"""

import gc
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from preheat.interface.manifest import Manifest
from preheat.runtime.loader import Model, load_after_fork, prepare_before_fork
from preheat.runtime.log import Log
from preheat.runtime.phases import PhaseClock
from preheat.runtime.serial import SignalAlarm
from preheat_providers.aws_lambda.shipped.function import Function, Loaded
from preheat_providers.aws_lambda.shipped.homes import home_of
from preheat_providers.aws_lambda.shipped.looping import Loop
from preheat_providers.aws_lambda.shipped.settings import Sandbox, Settings


def make_ready(
    model: Model, manifest: Manifest, settings: Settings, sandbox: Sandbox, clock: PhaseClock, log: Log
) -> Callable[[Any, Any], Any]:
    """Take the steps of a start that follow the import, and return what answers events."""
    loaded = Loaded(
        settings=settings,
        sandbox=sandbox,
        manifest=manifest,
        model=model,
        home=home_of(model),
        loop=Loop(),
        alarm=SignalAlarm(),
    )
    loaded.home.run(prepare_before_fork, model, clock)
    function = Function(loaded)
    if sandbox.snap_start:
        _before_snapshot(settings)
        from snapshot_restore_py import register_after_restore  # Lambda's runtime brings it

        register_after_restore(_finish, function, loaded, clock, log)
    else:
        _finish(function, loaded, clock, log)
    return function.handle


def _before_snapshot(settings: Settings) -> None:
    """Import what any event may need: in a snapshot that costs no start anything."""
    import preheat_providers.aws_lambda.shipped.web.application

    if settings.triggers:
        from preheat_providers.aws_lambda.shipped.events.routing import import_for

        import_for(settings.triggers)
    if settings.jobs_bucket is not None:
        import preheat_providers.aws_lambda.shipped.jobs.attempts
        import preheat_providers.aws_lambda.shipped.jobs.opening  # noqa: F401


def _finish(function: Function, loaded: Loaded, clock: PhaseClock, log: Log) -> None:
    """Take the steps that belong to this environment alone."""
    loaded.home.run(load_after_fork, loaded.model, clock, loaded.loop.run)
    if loaded.settings.triggers:
        function.events()
    gc.freeze()
    gc.enable()
    phases = [asdict(phase) for phase in clock.phases]
    took = sum(phase["ms"] for phase in phases)
    name = loaded.manifest.name
    log({"level": "info", "event": "ready", "message": f"{name}: ready, {took:.0f} ms", "phases": phases})
