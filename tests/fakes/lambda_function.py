"""A function in this process, over a handler class of the test's own."""

from pathlib import Path
from typing import Any

from tests.fakes.models import model_of

from preheat.interface.handler import Handler
from preheat.interface.manifest import Limits, Manifest
from preheat.runtime.serial import Alarm
from preheat_providers.aws_lambda.shipped.function import Function, Loaded
from preheat_providers.aws_lambda.shipped.homes import home_of
from preheat_providers.aws_lambda.shipped.looping import Loop
from preheat_providers.aws_lambda.shipped.settings import Sandbox, Settings


class NoAlarm:
    """An alarm that never rings: the test runner's own uses the same signal."""

    def arm(self, seconds: float) -> None:
        pass

    def disarm(self) -> None:
        pass


def function_of(
    handler: type[Handler],
    loop: Loop,
    *,
    limits: Limits | None = None,
    alarm: Alarm | None = None,
    **settings: Any,
) -> Function:
    """Return a function that has loaded `handler`. Without `alarm`, no deadline interrupts it."""
    model = model_of(handler, limits=limits)
    home = home_of(model)
    home.run(model.handler.setup, model.context)
    loaded = Loaded(
        settings=Settings(stage="dev", **settings),
        sandbox=Sandbox(
            task=Path("/var/task"), function="demo", version="7", memory_mb=512, snap_start=False
        ),
        manifest=Manifest(name="demo", handler="tests:Model", limits=model.limits),
        model=model,
        home=home,
        loop=loop,
        alarm=alarm or NoAlarm(),
    )
    return Function(loaded)
