"""How SageMaker keeps instances, and at which price, for `preheat warm plan`. Pure.

Not verified against the real SageMaker: how long an instance takes to come and to go is what `costs` has,
with its sources.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from preheat.errors import ProviderError
from preheat.project.model import Project
from preheat.provider.protocol import Pool
from preheat.provider.warm_options import Demand, Rates, WarmOption
from preheat_providers._aws.prices.table import Prices
from preheat_providers.sagemaker.costs import DOWN_S, WAKE_S
from preheat_providers.sagemaker.instances import instance_of
from preheat_providers.sagemaker.limits import serverless_memory_mb
from preheat_providers.sagemaker.options import Options
from preheat_providers.sagemaker.shipped.settings import PROVIDER
from preheat_providers.sagemaker.target import concurrent_of

SERVERLESS_IDLE_S = 600.0
"""How long an idle serverless environment stays. AWS names no number; taken as for Lambda."""


def warm_options(
    project: Project, options: Options, demand: Demand, *, region: str | None
) -> Iterator[WarmOption]:
    """Yield numbers of instances, and hours. Raises ProviderError for a machine without a known price."""
    prices = Prices(region)
    if options.mode == "serverless":
        yield _serverless(project, options, prices)
        return
    machine = instance_of(project, options)
    if machine is None or machine.figure not in prices:
        raise ProviderError(
            f"No price is known for {options.instance_type or 'a machine of this size'}.",
            hint='instance_type = "ml.m5.xlarge"  # [provider.sagemaker]',
        )
    at_once = concurrent_of(project, options, None) or 1
    least = 1 if options.mode == "realtime" else 0
    plain = WarmOption(
        name=f"min {least}",
        kind="nothing",
        rates=Rates(worker_s=prices[machine.figure].usd / 3600),
        basis=f"{machine.name}; {WAKE_S[1] // 60} min up, {DOWN_S // 60} min and scaling.idle_s down",
        settings=_kept(least),
        least=least,
        most=project.scaling.max,
        idle_s=DOWN_S + project.scaling.idle_s,
        backlog=options.backlog if options.mode == "async" else 0,
        concurrency=at_once,
        start_extra_s=float(WAKE_S[1]),
    )
    yield plain
    for count in demand.levels:
        if count > least:
            yield replace(plain, name=f"min {count}", kind="kept", settings=_kept(count), least=count)
    if demand.hours:
        entries = [
            {"cron": each.cron, "timezone": each.timezone, "min": max(least, each.least), "max": plain.most}
            for each in demand.hours
        ]
        yield replace(
            plain,
            name="by the hour",
            kind="scheduled",
            settings={f"provider.{PROVIDER}.schedule": entries},
            basis=", ".join(f"{each.least} from {each.cron!r}" for each in demand.hours),
            hours=tuple(replace(each, least=max(least, each.least)) for each in demand.hours),
        )


def _serverless(project: Project, options: Options, prices: Prices) -> WarmOption:
    memory_gb = serverless_memory_mb(project) / 1024
    second = memory_gb * prices["sagemaker_serverless_gb_second"].usd
    return WarmOption(
        name="serverless",
        kind="nothing",
        rates=Rates(busy_s=second),
        basis=f"{memory_gb:g} GB; idle environments taken to stay {SERVERLESS_IDLE_S / 60:.0f} min",
        idle_s=SERVERLESS_IDLE_S,
        bound=True,
        most=options.serverless_concurrency,
    )


def _kept(count: int) -> dict[str, Any]:
    return {"scaling.min": count, "scaling.warm": 0, f"provider.{PROVIDER}.schedule": None}


def warm_settings(options: Options, pool: Pool) -> Mapping[str, Any]:
    """Return `pool` in `[scaling]`, without the hours that would decide in place of `min`.

    Raises ProviderError for a buffer, and where there are no instances.
    """
    if options.mode == "serverless" or pool.buffer is not None:
        raise ProviderError(
            "A serverless endpoint of SageMaker has no instances to keep."
            if options.mode == "serverless"
            else "SageMaker keeps no instances beside the busy ones.",
            hint="preheat warm set 1 --provider sagemaker",
        )
    named = {"scaling.min": pool.min, "scaling.max": pool.max, "scaling.idle_s": pool.idle_s}
    hours = {f"provider.{PROVIDER}.schedule": None} if options.schedule else {}
    return {key: value for key, value in named.items() if value is not None} | hours
