"""What a function tells of its work: log lines, and metrics among them (CloudWatch's embedded format)."""

from typing import Protocol

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit

from preheat.errors import PreheatError
from preheat_providers.aws_lambda.shipped.context import LambdaContext

NAMESPACE = "Preheat"


class Report(Protocol):
    """Who wants to know what became of a piece of work."""

    def done(self, what: str, outcome: dict[str, str], model_ms: float) -> None:
        """Tell of work that was done."""
        ...

    def again(self, what: str) -> None:
        """Tell of work that had been done before."""
        ...

    def skipped(self, what: str, why: str) -> None:
        """Tell of work that is not for this function, or no longer."""
        ...

    def failed(self, what: str, error: Exception) -> None:
        """Tell of work that failed; whoever sent it decides whether it comes again."""
        ...


class LogReport:
    """One function's log and metrics. `begin` and `end` stand around each event."""

    def __init__(self, function: str, stage: str) -> None:
        self._log = Logger(service=function, level="INFO")
        self._metrics = Metrics(namespace=NAMESPACE, service=function)
        self._metrics.set_default_dimensions(stage=stage)
        self._counted = False

    def begin(self, context: LambdaContext) -> None:
        """Let the lines that follow carry the event's id."""
        self._log.append_keys(request_id=context.aws_request_id)

    def end(self) -> None:
        """Write the metrics of this event."""
        if self._counted:
            self._metrics.flush_metrics()
            self._counted = False

    def done(self, what: str, outcome: dict[str, str], model_ms: float) -> None:
        """Tell of work that was done."""
        self._log.info("%s: done", what, extra={"event": "delivered", **outcome})
        self._count("Deliveries")
        self._metrics.add_metric("ModelTime", MetricUnit.Milliseconds, model_ms)

    def again(self, what: str) -> None:
        """Tell of work that had been done before."""
        self._log.info("%s: was done before", what, extra={"event": "duplicate"})
        self._count("Duplicates")

    def skipped(self, what: str, why: str) -> None:
        """Tell of work that is not for this function, or no longer."""
        self._log.info("%s: %s", what, why, extra={"event": "skipped"})
        self._count("Skipped")

    def failed(self, what: str, error: Exception) -> None:
        """Tell of work that failed; whoever sent it decides whether it comes again."""
        known = error.message if isinstance(error, PreheatError) else repr(error)
        self._log.error("%s: %s", what, known, extra={"event": "delivery-failed"})
        self._count("Failures")

    def _count(self, name: str) -> None:
        self._counted = True
        self._metrics.add_metric(name, MetricUnit.Count, 1)
