"""One start of a function: loads the model and returns what answers events. Ships.

With SnapStart, setup runs before the snapshot is taken, and restore in each environment made of it.
Lambda's runtime has put the function's folder and then that of the layers on the path:
https://docs.aws.amazon.com/lambda/latest/dg/python-package.html#python-package-searchpath
"""

import gc
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from preheat.errors import PreheatError
from preheat.interface.manifest import read_manifest
from preheat.runtime.loader import PhaseClock, PhaseFailed, import_model, load_after_fork, prepare_before_fork
from preheat.runtime.log import Log, log_to_stderr
from preheat.runtime.serial import SignalAlarm
from preheat_providers.aws_lambda.shipped.function import Function, Loaded
from preheat_providers.aws_lambda.shipped.homes import home_of
from preheat_providers.aws_lambda.shipped.looping import Loop
from preheat_providers.aws_lambda.shipped.settings import WEIGHTS, Sandbox, Settings

WEIGHTS_BUCKET = "PREHEAT_WEIGHTS_BUCKET"
LAYERS = Path(__file__).parents[4]
"""Where Lambda unpacks the layers, of which one has this module below `python/`."""

Handler = Callable[[Any, Any], Any]


def start(environ: Mapping[str, str], log: Log = log_to_stderr) -> Handler:
    """Make the function ready, or ready for its snapshot, and return what answers events.

    Raises PreheatError, after logging why; Lambda reports it as the reason that the function does not start.
    """
    try:
        return _Start(environ, log).run()
    except PreheatError as error:
        found = {"phase": error.phase, "traceback": error.traceback} if isinstance(error, PhaseFailed) else {}
        log({"level": "error", "event": "failed", "message": error.message, **found})
        raise


class _Start:
    """One start, on the thread that will hand over the events."""

    def __init__(self, environ: Mapping[str, str], log: Log) -> None:
        self._environ = environ
        self._log = log
        self._clock = PhaseClock()
        self._sandbox = Sandbox.read(environ)
        self._settings = Settings.read(environ)

    def run(self) -> Handler:
        manifest = read_manifest(self._sandbox.task)
        place = self._sandbox.place(self._settings, manifest.name, self._weights())
        model = import_model(place, manifest, self._clock)
        loaded = Loaded(
            settings=self._settings,
            sandbox=self._sandbox,
            manifest=manifest,
            model=model,
            home=home_of(model),
            loop=Loop(),
            alarm=SignalAlarm(),
        )
        loaded.home.run(prepare_before_fork, model, self._clock)
        function = Function(loaded)
        if self._sandbox.snap_start:
            self._before_snapshot(function, loaded)
        else:
            self._finish(function, loaded)
        return function.handle

    def _weights(self) -> Path:
        if WEIGHTS_BUCKET in self._environ:
            from preheat_providers.aws_lambda.shipped.weights.fetch import fetch_for

            fetched = fetch_for(self._sandbox.task, self._environ)
            if fetched is not None:
                return fetched
        own = self._sandbox.task / WEIGHTS
        return own if own.is_dir() else LAYERS / WEIGHTS

    def _before_snapshot(self, function: Function, loaded: Loaded) -> None:
        """Import what any event may need: in a snapshot that costs no start anything."""
        from snapshot_restore_py import register_after_restore  # Lambda's runtime brings it

        import preheat_providers.aws_lambda.shipped.web.application

        if self._settings.triggers:
            import preheat_providers.aws_lambda.shipped.events.routing
        if self._settings.jobs_bucket is not None:
            import preheat_providers.aws_lambda.shipped.jobs.attempts
            import preheat_providers.aws_lambda.shipped.jobs.opening  # noqa: F401
        register_after_restore(self._finish, function, loaded)

    def _finish(self, function: Function, loaded: Loaded) -> None:
        """Take the steps that belong to this environment alone."""
        loaded.home.run(load_after_fork, loaded.model, self._clock, loaded.loop.run)
        if self._settings.triggers:
            function.events()
        gc.freeze()
        gc.enable()
        phases = [asdict(phase) for phase in self._clock.phases]
        took = sum(phase["ms"] for phase in phases)
        name = loaded.manifest.name
        self._log(
            {"level": "info", "event": "ready", "message": f"{name}: ready, {took:.0f} ms", "phases": phases}
        )
