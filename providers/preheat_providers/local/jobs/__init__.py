"""The durable queue behind `/jobs` and behind every trigger: one SQLite file, one runner."""

from preheat_providers.local.jobs.alarm import Alarm
from preheat_providers.local.jobs.courier import Courier, shown_secret
from preheat_providers.local.jobs.delivery import Deliveries, Superseded
from preheat_providers.local.jobs.files import write_atomically
from preheat_providers.local.jobs.function import FunctionJobs
from preheat_providers.local.jobs.memory import TriggerMemory
from preheat_providers.local.jobs.model import Claim, Clock, Counts, Delivery, KnownObject, Log, quiet
from preheat_providers.local.jobs.retry import Retry
from preheat_providers.local.jobs.runner import JobRunner
from preheat_providers.local.jobs.store import JobStore

__all__ = [
    "Alarm",
    "Claim",
    "Clock",
    "Counts",
    "Courier",
    "Deliveries",
    "Delivery",
    "FunctionJobs",
    "JobRunner",
    "JobStore",
    "KnownObject",
    "Log",
    "Retry",
    "Superseded",
    "TriggerMemory",
    "quiet",
    "shown_secret",
    "write_atomically",
]
