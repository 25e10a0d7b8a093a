"""One start of a function: loads the model and returns what answers events. Ships.

Imports little: the user's class comes first, and what serves it after that. A model that the handler's module
opens is made meanwhile.
Lambda's runtime has put the function's folder and then that of the layers on the path:
https://docs.aws.amazon.com/lambda/latest/dg/python-package.html#python-package-searchpath
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from preheat.errors import PreheatError
from preheat.interface.manifest import read_manifest
from preheat.runtime.beginning import import_class
from preheat.runtime.log import Log, log_to_stderr
from preheat.runtime.phases import PhaseClock, PhaseFailed
from preheat_providers.aws_lambda.shipped.settings import PLACED, WEIGHTS, Sandbox, Settings

if TYPE_CHECKING:
    from concurrent.futures import Future

WEIGHTS_BUCKET = "PREHEAT_WEIGHTS_BUCKET"
LAYERS = Path(__file__).parents[4]
"""Where Lambda unpacks the layers, of which one has this module below `python/`."""

Handler = Callable[[Any, Any], Any]


def start(environ: Mapping[str, str], log: Log = log_to_stderr) -> Handler:
    """Make the function ready, or ready for its snapshot, and return what answers events.

    Raises PreheatError, after logging why; Lambda reports it as the reason that the function does not start.
    """
    try:
        return _started(environ, log)
    except PreheatError as error:
        found = {"phase": error.phase, "traceback": error.traceback} if isinstance(error, PhaseFailed) else {}
        hint = {"hint": error.hint} if error.hint else {}
        log({"level": "error", "event": "failed", "message": error.message, **hint, **found})
        raise


def _started(environ: Mapping[str, str], log: Log) -> Handler:
    sandbox, settings, clock = Sandbox.read(environ), Settings.read(environ), PhaseClock()
    manifest = read_manifest(sandbox.task)
    weights, arriving = _weights(sandbox, environ)
    context = sandbox.place(settings, manifest.name, weights).context(manifest)
    handler = import_class(manifest.handler, context, clock, arriving)
    from preheat.runtime.loader import make_model
    from preheat_providers.aws_lambda.shipped.readying import make_ready

    model = make_model(handler, context, manifest, clock)
    return make_ready(model, manifest, settings, sandbox, clock, log)


def _weights(sandbox: Sandbox, environ: Mapping[str, str]) -> tuple[Path, "Future[None] | None"]:
    """Return where the weights are, and what ends when they have arrived there, None if they have."""
    if WEIGHTS_BUCKET in environ:
        from preheat_providers.aws_lambda.shipped.weights.fetch import FOLDER, begin_to_fetch

        arriving = begin_to_fetch(sandbox.task, environ)
        if arriving is not None:
            return FOLDER, arriving
    if PLACED in environ:
        return Path(environ[PLACED]), None
    own = sandbox.task / WEIGHTS
    return own if own.is_dir() else LAYERS / WEIGHTS, None
