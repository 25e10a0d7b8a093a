"""What of this provider ships in a bundle, as data: the modules for Target.entry. Does not ship itself."""

_HERE = "preheat_providers.aws_lambda.shipped"

START = tuple(
    f"{_HERE}.{name}"
    for name in (
        "entry",
        "start",
        "readying",
        "function",
        "settings",
        "context",
        "looping",
        "homes",
        "shapes",
        "direct",
    )
)
WEB = tuple(f"{_HERE}.web.{name}" for name in ("proxy", "invocations", "application"))
EVENTS = tuple(
    f"{_HERE}.events.{name}"
    for name in (
        "routing",
        "client",
        "once",
        "report",
        "work",
        "uploads",
        "messages",
        "ticks",
    )
)
JOBS = tuple(
    f"{_HERE}.jobs.{name}"
    for name in ("waiting", "opening", "client", "queue", "table", "records", "calls", "attempts")
)

TRACES = f"{_HERE}.traces"

CONTAINER = f"{_HERE}.container"
"""What starts in an image, and ships in images alone."""

MODULES = (*START, *WEB, *EVENTS, *JOBS, TRACES)
"""Every function has them all: they are small, and a bundle does not change with its triggers."""

HEAVY = frozenset({f"{_HERE}.web.application", *EVENTS, *JOBS, TRACES})
"""These import packages beside the standard library, and are imported when their event is there."""
