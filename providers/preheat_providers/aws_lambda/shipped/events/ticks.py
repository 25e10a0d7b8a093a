"""Schedules: the input that preheat.toml names, whenever EventBridge says so."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from preheat.interface.message import Request
from preheat_providers.aws_lambda.shipped.context import LambdaContext
from preheat_providers.aws_lambda.shipped.events.work import Piece, Worker
from preheat_providers.aws_lambda.shipped.settings import Tick
from preheat_providers.aws_lambda.shipped.shapes import UnknownEvent


class Ticks:
    """The schedules of one function."""

    def __init__(self, triggers: Iterable[Tick], worker: Worker) -> None:
        self._triggers = {trigger.name: trigger for trigger in triggers}
        self._worker = worker

    def deliver(self, event: Mapping[str, Any], context: LambdaContext) -> None:
        """Run the tick that `event` stands for."""
        arn = event["resources"][0] if event["resources"] else ""
        trigger, time = self._named(arn.rpartition("/")[2]), event["time"]
        piece = Piece(
            what=f"{trigger.name} at {time}",
            identity={"schedule": trigger.name, "time": time},
            make=lambda: Request(id=context.aws_request_id, body=json.dumps(trigger.input).encode()),
            keep=lambda _: {"schedule": trigger.name},
        )
        self._worker.do(piece, context)

    def _named(self, schedule: str) -> Tick:
        """Return the trigger of the schedule that is called `FUNCTION.TRIGGER`."""
        trigger = self._triggers.get(schedule.rpartition(".")[2])
        if trigger is not None:
            return trigger
        raise UnknownEvent(
            f"The schedule {schedule!r} is none of this function's, which are "
            f"{', '.join(self._triggers) or 'none'}. Remove it, or deploy again."
        )
