"""How Lambda keeps environments warm, and at which price, for `preheat warm plan`. Pure.

An environment takes one request at a time, and a request waits for the one that was started for it.
Not verified against the real Lambda: what is assumed of it is named here with its source.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from preheat.errors import ProviderError
from preheat.project.model import Project
from preheat.provider.protocol import Pool
from preheat.provider.warm_options import Demand, Rates, WarmOption
from preheat_providers._aws.prices.table import Prices
from preheat_providers.aws_lambda.costs import PING_S, SECONDS
from preheat_providers.aws_lambda.options import KEPT_SNAPSHOTS, Options
from preheat_providers.aws_lambda.target import NAME

IDLE_S = 600.0
"""How long an idle environment stays. AWS names no number; measured as ten minutes, in older measurements as
up to an hour: https://mikhail.io/2019/08/aws-lambda-cold-starts-after-10-minutes/, read on 2026-11-21."""

LIFETIME_S = 2 * 3600.0
"""After how long an environment is replaced though it is used: AWS says "every few hours", and two is taken.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html, read on 2026-11-21."""

SNAPSHOT_RATIO = 0.5
"""What a restore takes of a start. Reported are 6.4 to 1.5 s, 4 to 2 s and 3 to 0.5 s; the least is taken:
https://github.com/aws-samples/bedrock-chat/issues/611, read on 2026-11-21. Measure yours."""

PING_MINUTES = (1, 5, 15)
MOST = 1000
"""The concurrency that an account has at first:
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, read on 2026-11-21."""


def warm_options(
    project: Project, options: Options, demand: Demand, *, region: str | None
) -> Iterator[WarmOption]:
    """Yield every way of keeping warm; what is published about idle environments counts for all of them."""
    prices = Prices(region)
    memory_gb = project.resources.memory_mb / 1024
    second = memory_gb * prices[f"lambda_gb_second_{options.architecture}"].usd
    request = prices["lambda_request"].usd
    if options.endpoint == "http-api":
        request += prices["http_api_request"].usd
    plain = WarmOption(
        name='warm = "none"',
        kind="nothing",
        settings=_warm("none"),
        rates=Rates(busy_s=second, start_s=second, request=request),
        basis=f"{memory_gb:.2f} GB; idle ones stay {IDLE_S / 60:.0f} min, others {LIFETIME_S / 3600:.0f} h",
        idle_s=IDLE_S,
        lifetime_s=LIFETIME_S,
        bound=True,
        most=options.reserved_concurrency or MOST,
    )
    yield plain
    if not options.is_image:
        yield _snapstart(plain, options, prices, memory_gb)
    yield from (_pinged(plain, prices, minutes) for minutes in PING_MINUTES)
    yield from _provisioned(plain, options, demand, prices, memory_gb)


def _snapstart(plain: WarmOption, options: Options, prices: Prices, memory_gb: float) -> WarmOption:
    count = options.keep_releases or KEPT_SNAPSHOTS
    rates = replace(
        plain.rates,
        restore=memory_gb * prices["lambda_snapstart_restore"].usd,
        month=count * memory_gb * SECONDS * prices["lambda_snapstart_cache"].usd,
    )
    return replace(
        plain,
        name='warm = "snapstart"',
        kind="snapshot",
        settings=_warm("snapstart"),
        rates=rates,
        basis=f"{count} snapshots kept; a restore taken as {SNAPSHOT_RATIO:g} of a start, not measured",
        start_ratio=SNAPSHOT_RATIO,
    )


def _pinged(plain: WarmOption, prices: Prices, minutes: int) -> WarmOption:
    return replace(
        plain,
        name=f'warm = "schedule", {minutes} min',
        kind="pings",
        settings=_warm("schedule", schedule_minutes=minutes),
        rates=replace(plain.rates, ping=prices["scheduler_invocation"].usd + prices["lambda_request"].usd),
        basis="one environment, called by a schedule",
        ping_every_s=minutes * 60.0,
        ping_s=PING_S,
    )


def _provisioned(
    plain: WarmOption, options: Options, demand: Demand, prices: Prices, memory_gb: float
) -> Iterator[WarmOption]:
    rates = replace(
        plain.rates,
        least_s=memory_gb * prices[f"lambda_provisioned_{options.architecture}"].usd,
        least_busy_s=memory_gb * prices[f"lambda_provisioned_gb_second_{options.architecture}"].usd,
    )
    for count in demand.levels:
        yield replace(
            plain,
            name=f'warm = "provisioned", {count}',
            kind="kept",
            settings=_warm("provisioned", provisioned=count),
            rates=rates,
            basis="always paid; what is more starts cold",
            least=count,
        )
    if demand.hours:
        hours = [
            {"cron": each.cron, "timezone": each.timezone, "min": each.least, "max": each.least}
            for each in demand.hours
        ]
        yield replace(
            plain,
            name='warm = "provisioned", by the hour',
            kind="scheduled",
            settings=_warm("provisioned", provisioned_schedule=hours),
            rates=rates,
            basis=", ".join(f"{each.least} from {each.cron!r}" for each in demand.hours),
            hours=demand.hours,
        )


def _warm(kind: str, **more: Any) -> dict[str, Any]:
    """Return the settings of one way, those of the others taken away."""
    known = {
        "warm": kind,
        "provisioned": None,
        "provisioned_schedule": None,
        "schedule_minutes": None,
        **more,
    }
    return {f"provider.{NAME}.{key}": value for key, value in known.items()}


def warm_settings(options: Options, pool: Pool) -> Mapping[str, Any]:
    """Return provisioned concurrency of `pool.min`; for 0, nothing else that keeps warm is taken away.

    Raises ProviderError for the rest of a pool.
    """
    others = [name for name in ("buffer", "max", "idle_s") if getattr(pool, name) is not None]
    if others or pool.min is None:
        raise ProviderError(
            "Lambda keeps a number of environments ready; a buffer, a maximum and an idle time are its own.",
            hint="preheat warm set 2 --provider aws_lambda",
        )
    if pool.min:
        known: dict[str, Any] = {"warm": "provisioned", "provisioned": pool.min}
    else:
        known = {"warm": "none", "provisioned": None} if options.warm == "provisioned" else {}
    if known and options.provisioned_schedule:
        known["provisioned_schedule"] = None
    return {f"provider.{NAME}.{key}": value for key, value in known.items()}
