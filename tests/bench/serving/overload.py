"""Four times more requests than the model can take: are those that are taken as fast as at capacity,
and are the others refused at once?

The handler sleeps 5 ms, one request at a time. Its capacity is what wrk gets with 32 connections;
then Poisson arrivals come at that rate, and at four times that rate.
"""

import asyncio
import statistics
from collections.abc import Sequence
from http.client import HTTPException

from tests.bench.serving.arrivals import Arrival, send
from tests.bench.serving.contenders import SLOW
from tests.bench.serving.dialects import WrongAnswer
from tests.bench.serving.load import LoadFailed, drive
from tests.bench.serving.references import expected
from tests.bench.serving.run import Overload, Run
from tests.bench.serving.servers import DidNotStart, running
from tests.bench.serving.texts import short_sentences

SCENARIO = "overload"
FACTORS = (1.0, 4.0)


def overload(run: Run) -> None:
    """Load Preheat at its capacity and at four times its capacity, in every round."""
    known = expected(run.room, "noop", short_sentences())
    seconds = 2 * run.options.seconds
    for number in range(run.options.rounds):
        if not run.takes_part(SLOW, SCENARIO):
            return
        run.say(f"overload, round {number + 1} of {run.options.rounds}")
        try:
            with running(run.room, SLOW, "noop", known) as server:
                at_most = drive(run.room, server.address, known, connections=32, seconds=run.options.seconds)
                run.capacity_rps.append(at_most.rps)
                loads = []
                for factor in FACTORS:
                    rate = factor * at_most.rps
                    sending = send(server.address, known, rate=rate, seconds=seconds, seed=number)
                    loads.append(summary(factor, asyncio.run(sending)))
        except (DidNotStart, WrongAnswer, LoadFailed, OSError, HTTPException) as exc:
            run.leave_out(SLOW, SCENARIO, str(exc) or type(exc).__name__)
        else:
            run.overload.append(loads)


def summary(offered: float, arrivals: Sequence[Arrival]) -> Overload:
    """Return what became of `arrivals`, which came at `offered` times the capacity."""
    accepted = [arrival.seconds for arrival in arrivals if arrival.right]
    refused = [arrival.seconds for arrival in arrivals if arrival.status == 429]
    hung = sum(arrival.status is None for arrival in arrivals)
    return Overload(
        offered=offered,
        sent=len(arrivals),
        accepted=len(accepted),
        refused=len(refused),
        failed=len(arrivals) - len(accepted) - len(refused) - hung,
        hung=hung,
        accepted_p50_ms=percentile_ms(accepted, 50),
        accepted_p99_ms=percentile_ms(accepted, 99),
        refused_p50_ms=percentile_ms(refused, 50),
        refused_p99_ms=percentile_ms(refused, 99),
    )


def percentile_ms(seconds: Sequence[float], percent: int) -> float | None:
    """Return a percentile in milliseconds, None without any value."""
    if len(seconds) < 2:
        return 1000 * seconds[0] if seconds else None
    return 1000 * statistics.quantiles(seconds, n=100, method="inclusive")[percent - 1]
