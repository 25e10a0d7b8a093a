"""What a function costs while nobody calls it, for each way of keeping it warm, and per 1,000 requests. Pure.

List prices in US dollars (`_aws/prices`); free tiers, savings plans and taxes are not counted. Memory
counts as configured: https://aws.amazon.com/lambda/pricing/. A GB is 1,024 MB, a month 730 hours.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from preheat.plan.model import Cost
from preheat.project.model import ObjectCreated, Project, QueueTrigger
from preheat_providers._aws.prices.bill import Bill
from preheat_providers._aws.prices.table import Prices
from preheat_providers.aws_lambda.hours import average_ready
from preheat_providers.aws_lambda.limits import MB
from preheat_providers.aws_lambda.options import KEPT_SNAPSHOTS, Options
from preheat_providers.aws_lambda.template.alarms import alarm_resources
from preheat_providers.aws_lambda.template.wanted import Wanted

HOURS = 730
MINUTES = HOURS * 60
SECONDS = MINUTES * 60

DURATIONS_S = (0.1, 1.0)
"""The durations that 1,000 requests are priced at."""

FREE_TMP_MB = 512
PING_S = 0.1
"""What one call that keeps warm is billed for, rounded up."""

POLLS_A_MINUTE = 5 * 3
"""Five long polls of 20 seconds at a time look into a queue that stays empty:
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html"""

LOG_BYTES = 1024
"""What one request logs: its REPORT line and those of the access log, rounded up."""


def costs_of(
    project: Project, options: Options, *, region: str | None, unzipped_bytes: int
) -> tuple[Cost, ...]:
    """Return what `project` costs in `region` (None: as us-east-1), with archives of `unzipped_bytes`."""
    tariff = Tariff(project, options, Prices(region))
    return (*tariff.warm(), *tariff.idle(unzipped_bytes), *tariff.use())


@dataclass(frozen=True)
class Tariff:
    """The parts of the bill of one project."""

    project: Project
    options: Options
    prices: Prices

    @property
    def memory_gb(self) -> float:
        """The memory as it is billed."""
        return self.project.resources.memory_mb / 1024

    @property
    def tmp_gb(self) -> float:
        """The part of /tmp that is billed."""
        return max(0, self.project.resources.tmp_mb - FREE_TMP_MB) / 1024

    def warm(self) -> Iterator[Cost]:
        """Yield a month without requests, for each value of `warm`."""
        free = "nothing runs until a request comes; free tiers are not counted, here and below"
        yield Cost(
            name='warm = "none"', usd=0.0, unit="month", basis=free, chosen=self.options.warm == "none"
        )
        if not self.options.is_image:
            yield self._snapstart()
        yield self._provisioned()
        yield self._schedule()

    def _snapstart(self) -> Cost:
        count = self.options.keep_releases or KEPT_SNAPSHOTS
        bill = self._kept(count, "lambda_snapstart_cache", str(count))
        chosen = self.options.warm == "snapstart"
        return bill.cost('warm = "snapstart"', "month", chosen=chosen, note="one for each kept release")

    def _provisioned(self) -> Cost:
        options = self.options
        ready = average_ready(options)
        count = f"{ready:.2f} on average" if options.provisioned_schedule else str(options.provisioned)
        note = "more when busy" if options.provisioned_max else ""
        bill = self._kept(ready, self._figure("provisioned"), count)
        chosen = options.warm == "provisioned"
        return bill.cost('warm = "provisioned"', "month", chosen=chosen, note=note)

    def _schedule(self) -> Cost:
        pings = MINUTES / self.options.schedule_minutes
        bill = self._bill(pings, "scheduler_invocation", f"{pings:,.0f} calls")
        bill.add(pings, "lambda_request", "as many requests")
        bill.add(pings * PING_S * self.memory_gb, self._figure("gb_second"), f"{_duration(PING_S)} each")
        chosen = self.options.warm == "schedule"
        return bill.cost('warm = "schedule"', "month", chosen=chosen, note="keeps one environment warm")

    def _kept(self, count: float, figure: str, text: str) -> Bill:
        """Return `count` times the function's memory for a month."""
        return self._bill(
            count * self.memory_gb * SECONDS, figure, f"{text} × {self.memory_gb:.2f} GB × {HOURS} h"
        )

    def idle(self, unzipped_bytes: int) -> Iterator[Cost]:
        """Yield what else a month without requests costs."""
        if not self.options.is_image:  # for images in ECR the table has no price
            gigabytes = unzipped_bytes / (1024 * MB)
            yield self._bill(gigabytes, "s3_gb_month", f"at most {gigabytes:.2f} GB").cost(
                "archives in S3", "month"
            )
        queues = sum(isinstance(each, ObjectCreated | QueueTrigger) for each in self.project.triggers)
        if queues:
            polls = queues * POLLS_A_MINUTE * MINUTES
            yield self._bill(polls, "sqs_request", f"{polls:,} empty polls").cost("waiting queues", "month")
        alarms = len(alarm_resources(_wanted(self.project, self.options)))
        yield self._bill(alarms, "alarm_month", f"{alarms}").cost("alarms", "month")

    def use(self) -> Iterator[Cost]:
        """Yield 1,000 requests, and 1,000 of whatever else starts the function."""
        for seconds in DURATIONS_S:
            bill = self._runs(seconds)
            if self.options.endpoint == "http-api":
                bill.add(1000, "http_api_request", "HTTP API")
            yield bill.cost(f"requests of {_duration(seconds)}", "1000 requests")
        if not self.options.is_image:
            yield self._bill(
                1000 * self.memory_gb, "lambda_snapstart_restore", f"{self.memory_gb:.2f} GB restored"
            ).cost("SnapStart, cold starts", "1000 requests", chosen=self.options.warm == "snapstart")
        if any(isinstance(each, QueueTrigger) for each in self.project.triggers):
            yield self._delivered().cost("messages of 1 s", "1000 requests")
        if any(isinstance(each, ObjectCreated) for each in self.project.triggers):
            bill = self._delivered().add(1000, "eventbridge_event", "event")
            bill.add(1000, "s3_get", "read").add(1000, "s3_put", "result")
            yield bill.cost("uploads of 1 s", "1000 requests")

    def _runs(self, seconds: float) -> Bill:
        """Return 1,000 runs of `seconds`, with what each logs and traces."""
        provisioned = self.options.warm == "provisioned"
        figure = self._figure("provisioned_gb_second" if provisioned else "gb_second")
        bill = self._bill(1000, "lambda_request", "request")
        bill.add(1000 * seconds * self.memory_gb, figure, f"{seconds * self.memory_gb:.3g} GB-s")
        if self.tmp_gb:
            tmp = seconds * self.tmp_gb
            bill.add(1000 * tmp, "lambda_tmp_gb_second", f"{tmp:.3g} GB-s of /tmp")
        bill.add(1000 * LOG_BYTES / (1024 * MB), "logs_gb", "1 kB of log, the GB")
        if self.options.tracing:
            bill.add(1000, "xray_trace", "a trace at most")
        return bill

    def _delivered(self) -> Bill:
        """Return 1,000 deliveries of a queue one by one, each recorded once as begun and once as done."""
        return self._runs(1.0).add(3000, "sqs_request", "3 of SQS").add(2000, "dynamodb_write", "2 writes")

    def _figure(self, name: str) -> str:
        return f"lambda_{name}_{self.options.architecture}"

    def _bill(self, amount: float, figure: str, text: str) -> Bill:
        return Bill(self.prices).add(amount, figure, text)


def _wanted(project: Project, options: Options) -> Wanted:
    """Return what the template would be made from; no price depends on what is built."""
    return Wanted(project=project, options=options, keys={}, digest="", environment={})


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.0f} s"
