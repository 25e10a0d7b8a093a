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

SLOW = """
    import time

    import preheat

    class Model(preheat.Handler):
        def predict(self, text: str) -> str:
            time.sleep(0.5)
            return text
"""
SERVICE_S, IDLE_S = 0.5, 0.8
SHORT_S, LONG_S = 0.9, 1.9
"""From burst to burst: no worker is idle for about `IDLE_S`, so that a busy machine changes no count."""


def short_trace() -> Trace:
    """Return bursts of one to three requests at once."""
    random = np.random.default_rng(15)
    begins = np.concatenate([[0.0], np.cumsum(random.permutation([SHORT_S] * 7 + [LONG_S] * 5))])
    return Trace(start=START, arrivals=np.repeat(begins, random.integers(1, 4, len(begins))))


def test_a_real_pool_has_the_cold_starts_that_were_predicted(local: Local) -> None:
    local.configure(scaling=Scaling(max=3, idle_s=IDLE_S))
    local.deploy(SLOW)
    trace = short_trace()
    predicted = replayed(trace, cold_s=0.1, service_s=SERVICE_S, most=3, idle_s=IDLE_S)
    began = time.monotonic() + 0.5

    def call(at: float) -> str:
        time.sleep(max(0.0, began + at - time.monotonic()))  # a request comes when the trace says
        return local.invoke("x").headers[START_HEADER]

    with ThreadPoolExecutor(len(trace.arrivals)) as callers:
        starts = list(callers.map(call, trace.arrivals))

    assert 10 <= predicted.cold <= len(starts) - 10
    assert starts.count("cold") == pytest.approx(predicted.cold, rel=0.1)
    assert len(local.events("worker-start")) == pytest.approx(predicted.totals.starts, rel=0.1)


def test_with_the_histogram_policy_a_worker_of_unknown_habits_stays(local: Local) -> None:
    local.configure(scaling=Scaling(max=1, idle_s=600), provider={"local": {"keep_alive": "histogram"}})
    local.deploy()
    assert [local.invoke("x").headers[START_HEADER] for _ in range(3)] == ["cold", "warm", "warm"]


def test_hours_keep_workers_that_no_request_asked_for(local: Local) -> None:
    hours = [{"cron": "* * * * *", "min": 2}]
    local.configure(scaling=Scaling(max=3, idle_s=0), provider={"local": {"schedule": hours}})
    local.deploy()
    local.until_logged("worker-ready", times=2)
    assert local.invoke("x").headers[START_HEADER] == "warm"
    assert local.status().workers == 2
