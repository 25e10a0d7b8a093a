"""Hours: from when on how many of something run. Their schema, the same as data, and their mistakes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from preheat.findings import Finding
from preheat.project.triggering import cron_problem, is_timezone
from preheat_providers._aws.finding import Find
from preheat_providers._aws.templates.cron import inexpressible


def hours_schema(description: str) -> Mapping[str, Any]:
    """Return the JSON Schema of a list of hours."""
    return {
        "type": "array",
        "items": {
            "type": "object",
            "additionalProperties": False,
            "required": ["cron", "min", "max"],
            "properties": {
                "cron": {"type": "string", "minLength": 1},
                "timezone": {"type": "string", "minLength": 1, "default": "UTC"},
                "min": {"type": "integer", "minimum": 0},
                "max": {"type": "integer", "minimum": 0},
            },
        },
        "description": f"{description} At a stage, `[]` takes them away.",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledHours:
    """From when on `min` to `max` run."""

    cron: str
    timezone: str = "UTC"
    min: int
    max: int


def hours_findings(key: str, hours: ScheduledHours, find: Find) -> Iterator[Finding]:
    """Yield what is wrong with the time of `hours`, which stand at `key`."""
    problem = cron_problem(hours.cron) or inexpressible(hours.cron)
    if problem:
        yield find(key, f"cron is {hours.cron!r}, {problem}.", 'cron = "0 8 * * 1-5"  # workdays at 08:00')
    if not is_timezone(hours.timezone):
        message = f"timezone is {hours.timezone!r}, which no time zone is called."
        yield find(key, message, 'timezone = "UTC"')
