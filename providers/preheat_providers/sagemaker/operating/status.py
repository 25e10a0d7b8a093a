"""How an endpoint is: its instances, what waits, what CloudWatch has counted of the last day, its starts."""

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from preheat.provider.protocol import Status
from preheat_providers._aws.errors import translated
from preheat_providers._aws.logs import GroupLog
from preheat_providers.sagemaker.operating.traffic import traffic_of
from preheat_providers.sagemaker.place import Live, Place, deployment_of
from preheat_providers.sagemaker.template.names import VARIANT
from preheat_providers.sagemaker.template.scaling import NAMESPACE

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef

DAY_S = 24 * 3600
STARTED_PATTERN = '{ $.event = "ready" }'
STARTED_MOST = 1000


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of the endpoint; `by_variant` says that it has the variant's name among its dimensions."""

    name: str
    statistic: str
    by_variant: bool = False


JOBS = {
    "requests": Metric("InvocationsProcessed", "Sum"),
    "errors": Metric("InvocationFailures", "Sum"),
    "backlog": Metric("ApproximateBacklogSize", "Maximum"),
    "p50": Metric("ModelLatency", "p50", by_variant=True),
    "p95": Metric("ModelLatency", "p95", by_variant=True),
}
"""Asynchronous endpoints count in metrics of their own; latencies are in microseconds.
https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-monitor.html, read on 2026-11-21"""

REQUESTS = {
    "requests": Metric("Invocations", "Sum", by_variant=True),
    "errors": Metric("Invocation5XXErrors", "Sum", by_variant=True),
    "p50": Metric("ModelLatency", "p50", by_variant=True),
    "p95": Metric("ModelLatency", "p95", by_variant=True),
}
"""https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html, read on 2026-11-21"""

RECENT_S = 5 * 60
"""Over how long the backlog is looked at: it is published every minute."""


def status_of(place: Place, live: Live, *, now: datetime, log: GroupLog | None) -> Status:
    """Return how `place` is. Starts are read from `log`, which costs a search; None leaves them out."""
    jobs = "JobsBucket" in live.stack.outputs
    counted = _counted(place.session.client("cloudwatch"), place.endpoint, JOBS if jobs else REQUESTS, now)
    starts = start_times(log.matching(STARTED_PATTERN, since_s=DAY_S, most=STARTED_MOST)) if log else []
    deployment = deployment_of(place, live, changed=False)
    variant = live.endpoint.get("ProductionVariants", [{}])[0]
    state = live.endpoint["EndpointStatus"]
    return Status(
        name=place.name,
        provider=deployment.provider,
        stage=place.stage,
        release=deployment.release,
        digest=deployment.digest,
        endpoint=deployment.endpoint,
        ready=state in ("InService", "Updating", "SystemUpdating"),
        workers=variant.get("CurrentInstanceCount", 0),
        requests=int(counted.get("requests", 0)),
        errors=int(counted.get("errors", 0)),
        cold_starts=len(starts),
        cold_ms_p50=statistics.median(starts) if starts else None,
        warm_ms_p50=_ms(counted.get("p50")),
        warm_ms_p95=_ms(counted.get("p95")),
        details={
            "region": place.session.region,
            "counted": "the last 24 hours, a minute or two late",
            "endpoint": _told(state, live.endpoint.get("FailureReason")),
            "instances": instances_text(variant),
            "backlog": int(counted["backlog"]) if "backlog" in counted else None,
            "traffic": traffic_of(live),
            "stack": live.stack.status,
        },
    )


def start_times(events: Iterable[Mapping[str, Any]]) -> list[float]:
    """Return how long the starts of containers took, in ms, from the process to the model being ready.

    What the machine and the image took before that is in no log.
    """
    return [
        sum(float(phase["ms"]) for phase in event.get("phases", ()))
        for event in events
        if event["event"] == "ready"
    ]


def instances_text(variant: Mapping[str, Any]) -> str | None:
    """Return how many instances run, and how many are wanted; None for a serverless endpoint."""
    if "CurrentInstanceCount" not in variant:
        return None
    now, wanted = variant["CurrentInstanceCount"], variant.get("DesiredInstanceCount", 0)
    return f"{now}" if now == wanted else f"{now}, going to {wanted}"


def _told(state: str, reason: str | None) -> str:
    return f"{state}: {reason}" if reason else state


def _ms(microseconds: float | None) -> float | None:
    return None if microseconds is None else microseconds / 1000


def _counted(
    client: "CloudWatchClient", endpoint: str, metrics: Mapping[str, Metric], now: datetime
) -> dict[str, float]:
    """Return the figures of the endpoint over a day (the backlog: over minutes), those that there are."""
    end = now.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    found: dict[str, float] = {}
    for period, names in ((DAY_S, metrics.keys() - {"backlog"}), (RECENT_S, metrics.keys() & {"backlog"})):
        queries = [_query(name, metrics[name], endpoint, period) for name in sorted(names)]
        if queries:
            with translated(f"the metrics of {endpoint} cannot be read"):
                answer = client.get_metric_data(
                    MetricDataQueries=queries, StartTime=end - timedelta(seconds=period), EndTime=end
                )
            found |= {each["Id"]: each["Values"][0] for each in answer["MetricDataResults"] if each["Values"]}
    return found


def _query(name: str, metric: Metric, endpoint: str, period: int) -> "MetricDataQueryTypeDef":
    dimensions = {"EndpointName": endpoint} | ({"VariantName": VARIANT} if metric.by_variant else {})
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {
                "Namespace": NAMESPACE,
                "MetricName": metric.name,
                "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
            },
            "Period": period,
            "Stat": metric.statistic,
        },
    }
