"""How a function is: what CloudWatch has counted of the last day, what is kept ready, and its cold starts."""

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from preheat.provider.protocol import Status
from preheat_providers._aws.errors import translated
from preheat_providers._aws.logs import GroupLog
from preheat_providers.aws_lambda.observing import traffic_of
from preheat_providers.aws_lambda.operating.anatomy import keeps_ready
from preheat_providers.aws_lambda.place import Live, Place, deployment_of
from preheat_providers.aws_lambda.template.names import ALIAS

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import DimensionTypeDef, MetricDataQueryTypeDef, MetricStatTypeDef
    from mypy_boto3_lambda import LambdaClient

DAY_S = 24 * 3600
COLD_PATTERN = '?"initDurationMs" ?"restoreDurationMs"'
"""What Lambda's report of a cold start has, in the log group's JSON."""
COLD_MOST = 1000
FAILED_PATTERN = '"handler-failed"'
"""Lambda counts no error where the handler raised and the caller got a 500: that call has been answered."""
FAILED_MOST = 1000
METRICS = {
    "requests": ("Invocations", "Sum"),
    "errors": ("Errors", "Sum"),
    "p50": ("Duration", "p50"),
    "p95": ("Duration", "p95"),
}
"""https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html; init is no part of Duration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cold:
    """The cold starts of the last day: how many, and the median of start and first call together."""

    starts: int = 0
    ms_p50: float | None = None


def status_of(place: Place, live: Live, *, now: datetime, log: GroupLog | None) -> Status:
    """Return how `place` is. Cold starts are read from `log`, which costs a search; None leaves them out."""
    counted = _counted(place.session.client("cloudwatch"), place.function, now)
    cold = cold_starts(log.matching(COLD_PATTERN, since_s=DAY_S, most=COLD_MOST)) if log else Cold()
    failures = len(log.matching(FAILED_PATTERN, since_s=DAY_S, most=FAILED_MOST)) if log else 0
    client = place.session.client("lambda")
    ready = _kept_ready(client, place.function) if keeps_ready(live.stack.template) else None
    deployment = deployment_of(place, live, changed=False)
    return Status(
        name=place.name,
        provider=deployment.provider,
        stage=place.stage,
        release=deployment.release,
        digest=deployment.digest,
        endpoint=deployment.endpoint,
        ready=ready is None or not ready.failed,
        workers=ready.available if ready else 0,
        requests=int(counted.get("requests", 0)),
        errors=int(counted.get("errors", 0)) + failures,
        cold_starts=cold.starts,
        cold_ms_p50=cold.ms_p50,
        warm_ms_p50=counted.get("p50"),
        warm_ms_p95=counted.get("p95"),
        details={
            "region": place.session.region,
            "counted": "the last 24 hours, a minute or two late",
            "traffic": traffic_of(live.alias, live.versions),
            "stack": live.stack.status,
            "kept_ready": str(ready) if ready else None,
        },
    )


def cold_starts(events: Iterable[Mapping[str, Any]]) -> Cold:
    """Return the cold starts among the reports of a log."""
    found = [
        started + event.get("duration_ms", 0.0)
        for event in events
        if event["event"] == "report"
        and (started := event.get("init_ms", event.get("restore_ms"))) is not None
    ]
    return Cold(starts=len(found), ms_p50=statistics.median(found) if found else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What provisioned concurrency has come to."""

    state: str
    available: int
    wanted: int
    reason: str

    @property
    def failed(self) -> bool:
        """Whether Lambda could not keep as many ready as it should."""
        return self.state == "FAILED"

    def __str__(self) -> str:
        text = f"{self.available} of {self.wanted}, {self.state.lower().replace('_', ' ')}"
        return f"{text}: {self.reason}" if self.reason else text


def _kept_ready(client: "LambdaClient", function: str) -> Ready | None:
    with translated(f"what is kept ready of {function} cannot be read"):
        try:
            found = client.get_provisioned_concurrency_config(FunctionName=function, Qualifier=ALIAS)
        except client.exceptions.ProvisionedConcurrencyConfigNotFoundException:
            return None
    return Ready(
        state=found["Status"],
        available=found.get("AvailableProvisionedConcurrentExecutions", 0),
        wanted=found.get("RequestedProvisionedConcurrentExecutions", 0),
        reason=found.get("StatusReason", ""),
    )


def _counted(client: "CloudWatchClient", function: str, now: datetime) -> dict[str, float]:
    """Return the figures of the alias over a day, those that CloudWatch has."""
    dimensions: list[DimensionTypeDef] = [
        {"Name": "FunctionName", "Value": function},
        {"Name": "Resource", "Value": f"{function}:{ALIAS}"},
    ]
    end = now.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    queries: list[MetricDataQueryTypeDef] = []
    for name, (metric, statistic) in METRICS.items():
        stat: MetricStatTypeDef = {
            "Metric": {"Namespace": "AWS/Lambda", "MetricName": metric, "Dimensions": dimensions},
            "Period": DAY_S,
            "Stat": statistic,
        }
        queries.append({"Id": name, "MetricStat": stat})
    with translated(f"the metrics of {function} cannot be read"):
        found = client.get_metric_data(
            MetricDataQueries=queries, StartTime=end - timedelta(seconds=DAY_S), EndTime=end
        )
    return {each["Id"]: each["Values"][0] for each in found["MetricDataResults"] if each["Values"]}
