"""What of this provider ships in a bundle, as data: the modules for Target.entry. Does not ship itself."""

_HERE = "preheat_providers.modal.shipped"

START = tuple(f"{_HERE}.{name}" for name in ("entry", "container", "running", "home", "settings"))
JOBS = tuple(
    f"{_HERE}.jobs.{name}" for name in ("waiting", "queue", "calls", "records", "attempts", "client")
)
WEB = tuple(f"{_HERE}.{name}" for name in ("web", "direct", "telling"))

UPLOADS = tuple(
    f"{_HERE}.uploads.{name}"
    for name in ("receiving", "polling", "queue", "intake", "taking", "working", "credentials")
)

MODULES = (*START, *JOBS, *WEB, *UPLOADS)
"""Every app has them all: they are small, and a bundle does not change with its triggers."""

HEAVY = frozenset({*WEB, f"{_HERE}.jobs.client"})
"""These import packages beside the standard library, and are imported when they are needed."""
