"""What an endpoint costs: an hour, a month without requests, the way down to zero, and 1,000 requests. Pure.

List prices in US dollars (`_aws/prices`); free tiers, savings plans and taxes are not counted. An instance
is paid by the second from its start to its end, whatever it does. A month has 730 hours.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from preheat.plan.model import Cost
from preheat.project.model import Project
from preheat_providers._aws.prices.bill import Bill
from preheat_providers._aws.prices.hours import average_least
from preheat_providers._aws.prices.table import Prices
from preheat_providers.sagemaker.instances import Instance, instance_of
from preheat_providers.sagemaker.limits import serverless_memory_mb
from preheat_providers.sagemaker.options import Options
from preheat_providers.sagemaker.target import concurrent_of

HOURS = 730

DURATIONS_S = (1.0, 10.0)
"""The durations that 1,000 requests are priced at."""

DOWN_S = 15 * 60
"""After how long without a backlog target tracking takes an instance away: 15 periods of a minute.
https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking.html
and https://repost.aws/questions/QUT4xru2SdTSqtoNyt1XV3VA, read on 2026-11-21"""

WAKE_S = (5 * 60, 10 * 60)
WAKE_SOURCE = "https://repost.aws/questions/QUT4xru2SdTSqtoNyt1XV3VA"
"""What users report between a first request and its answer: two to three minutes until the alarm fires, then
the machine, the image and the model. Not measured by us. Read on 2026-11-21."""

FRONT_GB, FRONT_S = 0.25, 0.1
"""The memory of the front, and about what one of its calls takes."""

FRONT_CALLS = 2
"""One that submits a job, and one that reads its state."""


def costs_of(project: Project, options: Options, *, region: str | None) -> tuple[Cost, ...]:
    """Return what `project` costs in `region` (None: as us-east-1).

    A machine without a known price costs nothing here; `limits.unknown_price` says so.
    """
    tariff = Tariff(project, options, Prices(region))
    if options.mode == "serverless":
        return (tariff.nothing("no requests"), *tariff.serverless_use())
    machine = instance_of(project, options)
    if machine is None or machine.figure not in tariff.prices:
        return ()
    return (tariff.hour(machine), *tariff.idle(machine), *tariff.use(machine))


@dataclass(frozen=True)
class Tariff:
    """The parts of the bill of one project."""

    project: Project
    options: Options
    prices: Prices

    @property
    def least(self) -> int:
        """How many instances run at least, without a schedule."""
        floor = max(self.project.scaling.min, self.project.scaling.warm)
        return max(1, floor) if self.options.mode == "realtime" else floor

    def hour(self, machine: Instance) -> Cost:
        """Return one instance for an hour."""
        return self._bill(1, machine, machine.name).cost(f"an hour of {machine.name}", "hour")

    def nothing(self, name: str, *, chosen: bool = True) -> Cost:
        """Return a month in which nothing runs."""
        basis = "nothing runs until a request comes; free tiers are not counted, here and below"
        return Cost(name=name, usd=0.0, unit="month", basis=basis, chosen=chosen)

    def idle(self, machine: Instance) -> Iterator[Cost]:
        """Yield a month without requests at each way of keeping instances, the way down and the way up."""
        scheduled = bool(self.options.schedule)
        if self.options.mode == "async":
            yield self.nothing("warm = 0", chosen=self.least == 0 and not scheduled)
        count = max(1, self.least)
        kept = self._bill(count * HOURS, machine, f"{count} × {HOURS} h")
        yield kept.cost(f"warm = {count}", "month", chosen=self.least == count and not scheduled)
        if scheduled:
            average = average_least(self.options.schedule, otherwise=self.least)
            bill = self._bill(average * HOURS, machine, f"{average:.2f} on average × {HOURS} h")
            yield bill.cost("schedule", "month", note="the least of each entry; more when busy")
        if self.options.mode == "async":
            yield self._tail(machine)
            yield self._wake(machine)

    def _tail(self, machine: Instance) -> Cost:
        cooldown_s = self.project.scaling.idle_s
        text = f"{DOWN_S // 60} min without a backlog, then at most {cooldown_s:.0f} s (scaling.idle_s)"
        bill = self._bill((DOWN_S + cooldown_s) / 3600, machine, text)
        return bill.cost("back to zero", "time", note="paid after the last request")

    def _wake(self, machine: Instance) -> Cost:
        least, most = WAKE_S
        text = f"{least // 60} to {most // 60} min from a first request to its answer, the longer counted,"
        note = f"as users report it ({WAKE_SOURCE}), not measured by preheat"
        return self._bill(most / 3600, machine, text).cost("up from zero", "time", note=note)

    def use(self, machine: Instance) -> Iterator[Cost]:
        """Yield 1,000 requests on instances that are always busy: the least that they can cost."""
        at_once = concurrent_of(self.project, self.options, None) or 1
        for seconds in DURATIONS_S:
            hours = 1000 * seconds / at_once / 3600
            text = f"{hours:.3g} h, {at_once} at once"
            bill = self._bill(hours, machine, text)
            self._front(bill)
            yield bill.cost(
                f"requests of {seconds:g} s", "1000 requests", note="on instances that never wait"
            )

    def serverless_use(self) -> Iterator[Cost]:
        """Yield 1,000 requests of a serverless endpoint."""
        memory_gb = serverless_memory_mb(self.project) / 1024
        for seconds in DURATIONS_S:
            amount = 1000 * seconds * memory_gb
            bill = Bill(self.prices).add(
                amount, "sagemaker_serverless_gb_second", f"{seconds * memory_gb:g} GB-s"
            )
            self._front(bill)
            yield bill.cost(f"requests of {seconds:g} s", "1000 requests")

    def _front(self, bill: Bill) -> None:
        calls = 1000 * (FRONT_CALLS if self.options.mode == "async" else 1)
        bill.add(calls, "lambda_request", f"{calls // 1000} of the front")
        bill.add(calls * FRONT_S * FRONT_GB, "lambda_gb_second_x86_64", f"{FRONT_S * FRONT_GB:g} GB-s each")
        if self.options.mode == "async":
            bill.add(2000, "s3_put", "input and result").add(2000, "s3_get", "both read")

    def _bill(self, amount: float, machine: Instance, text: str) -> Bill:
        return Bill(self.prices).add(amount, machine.figure, text)
