"""A plan tried before it is paid for: the settings of `preheat warm plan` on a real supervisor."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tests.fakes.local import Local
from tests.fakes.warming import START, replayed

from preheat.interface.message import START_HEADER
from preheat.project.model import Scaling
from preheat.warming.trace.model import Trace

pytestmark = pytest.mark.runtime

IDLE_S = 0.7
SHORT_S, LONG_S = 0.25, 1.2
"""Gaps far from the idle time, and longer than a start, so that a busy machine moves none across either."""


def short_trace() -> Trace:
    gaps = np.random.default_rng(8).permutation([SHORT_S] * 8 + [LONG_S] * 9)
    return Trace(start=START, arrivals=np.concatenate([[0.0], np.cumsum([LONG_S, *gaps])]))


def test_a_real_pool_has_the_cold_starts_that_were_predicted(local: Local) -> None:
    local.configure(scaling=Scaling(max=1, idle_s=IDLE_S))
    local.deploy()
    trace = short_trace()
    predicted = replayed(trace, cold_s=0.05, service_s=0.002, most=1, idle_s=IDLE_S)

    began = time.monotonic()

    def call(at: float) -> str:
        time.sleep(max(0.0, began + at - time.monotonic()))
        return local.invoke("x").headers[START_HEADER]

    with ThreadPoolExecutor(len(trace.arrivals)) as callers:
        starts = list(callers.map(call, trace.arrivals))

    assert starts.count("cold") == pytest.approx(predicted.cold, rel=0.1)
    assert len(local.events("worker-start")) == pytest.approx(predicted.totals.starts, rel=0.1)
    assert predicted.cold == 11, "the first, and one after each long gap"


def test_with_the_histogram_policy_a_worker_of_unknown_habits_stays(local: Local) -> None:
    local.configure(scaling=Scaling(max=1, idle_s=0), provider={"local": {"keep_alive": "histogram"}})
    local.deploy()
    assert [local.invoke("x").headers[START_HEADER] for _ in range(3)] == ["cold", "warm", "warm"]


def test_hours_keep_workers_that_no_request_asked_for(local: Local) -> None:
    hours = [{"cron": "* * * * *", "min": 2}]
    local.configure(scaling=Scaling(max=3, idle_s=0), provider={"local": {"schedule": hours}})
    local.deploy()
    local.until_logged("worker-ready", times=2)
    assert local.invoke("x").headers[START_HEADER] == "warm"
    assert local.status().workers == 2
