"""How an app is: what runs now, and what its log of the last day says. Asks Modal."""

from preheat.provider.protocol import Status
from preheat_providers.modal.operating.logs import AppLog
from preheat_providers.modal.operating.statistics import Figures, figures_of
from preheat_providers.modal.operating.warm import Running, running_now
from preheat_providers.modal.place import Live, Place, deployment_of

LINES = '"event": "'
"""In every line of ours, and in few of anybody else."""
COUNTED = "the newest 10,000 log entries of the last 24 hours"


def status_of(place: Place, live: Live, log: AppLog | None) -> Status:
    """Return how `place` is. Requests are counted in `log`, which costs a search; None leaves them out."""
    figures = figures_of(log.recent(search=LINES)) if log else Figures()
    deployment = deployment_of(place, live, changed=False)
    running = running_now(place)
    return Status(
        name=place.name,
        provider=deployment.provider,
        stage=place.stage,
        release=deployment.release,
        digest=deployment.digest,
        endpoint=deployment.endpoint,
        ready=True,
        workers=running.containers,
        requests=figures.requests,
        errors=figures.errors,
        cold_starts=figures.cold_starts,
        cold_ms_p50=figures.cold_ms_p50,
        warm_ms_p50=figures.warm_ms_p50,
        warm_ms_p95=figures.warm_ms_p95,
        details=_details(live, running, COUNTED if log else "with NAME alone"),
    )


def _details(live: Live, running: Running, counted: str) -> dict[str, object]:
    return {
        "environment": live.app.environment,
        "counted": counted,
        "waiting": running.waiting,
        "app": live.app.id,
        "version": live.app.running,
    }
