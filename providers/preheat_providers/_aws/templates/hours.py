"""Hours as actions of Application Auto Scaling."""

from collections.abc import Sequence

from preheat_providers._aws.hours import ScheduledHours
from preheat_providers._aws.templates.cron import aws_cron
from preheat_providers._aws.templates.intrinsics import Json


def scheduled_actions(entries: Sequence[ScheduledHours]) -> list[Json] | None:
    """Return the actions of a scalable target, None where there are none."""
    return [_action(number, each) for number, each in enumerate(entries)] or None


def _action(number: int, hours: ScheduledHours) -> Json:
    return {
        "ScheduledActionName": f"hours-{number}",
        "Schedule": aws_cron(hours.cron),
        "Timezone": hours.timezone,
        "ScalableTargetAction": {"MinCapacity": hours.min, "MaxCapacity": hours.max},
    }
