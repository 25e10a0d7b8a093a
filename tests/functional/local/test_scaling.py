import json
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from itertools import islice

import pytest
from tests.fakes.local import Local, project
from tests.fakes.patience import PATIENCE_S

from preheat.project.model import Scaling

pytestmark = pytest.mark.runtime

GATED = """
    import time
    from pathlib import Path
    import preheat

    class Model(preheat.Handler):
        def predict(self, text: str) -> str:
            deadline = time.monotonic() + 20
            while text and not Path(text).exists() and time.monotonic() < deadline:
                time.sleep(0.01)
            return "done"
"""

THREADED = """
    import threading
    import preheat

    class Model(preheat.Handler):
        def setup(self, ctx):
            threading.Thread(target=threading.Event().wait, name="ticker", daemon=True).start()

        def predict(self, text: str) -> str:
            return text
"""


def test_nothing_runs_until_the_first_request_which_waits_for_its_worker(local: Local) -> None:
    local.deploy()
    assert local.status().workers == 0

    response = local.invoke("hello")

    assert json.loads(response.body) == "HELLO"
    assert response.headers["x-preheat-start"] == "cold"
    assert local.invoke("again").headers["x-preheat-start"] == "warm"
    status = local.status()
    assert (status.workers, status.requests, status.cold_starts) == (1, 2, 1)
    assert status.cold_ms_p50 is not None
    assert status.warm_ms_p50 is not None


def test_an_idle_worker_stops_and_the_zygote_forks_the_next_one(local: Local) -> None:
    local.configure(scaling=Scaling(max=1, idle_s=0.05))
    local.deploy()
    assert local.answer("one") == "ONE"
    local.until_logged("worker-stopped")

    assert local.answer("two") == "TWO"

    zygote = local.status().details["zygote"][0]
    assert zygote == {"release": 1, "state": "up", "reason": None}
    assert len(local.events("zygote")) == 1, "setup ran once for both workers"


def test_a_handler_that_is_not_fork_safe_gets_fresh_processes_and_a_stated_reason(local: Local) -> None:
    local.configure(scaling=Scaling(max=1, idle_s=0.05))
    local.deploy(THREADED)
    assert local.answer("one") == "one"
    local.until_logged("worker-stopped")
    assert local.answer("two") == "two"

    zygote = local.status().details["zygote"][0]

    assert zygote["state"] == "unavailable"
    assert "ticker" in zygote["reason"] or "thread" in zygote["reason"]
    assert zygote["reason"] in local.events("zygote")[0]["message"]


def test_a_zygote_can_be_turned_off(local: Local) -> None:
    local.configure(provider={"local": {"zygote": "off"}})
    local.deploy()
    assert local.answer("x") == "X"
    assert local.status().details["zygote"][0]["state"] == "off"


def test_the_zygote_ends_some_time_after_its_last_worker(local: Local) -> None:
    local.configure(scaling=Scaling(max=1, idle_s=0.05), provider={"local": {"zygote_idle_s": 0.05}})
    local.deploy()
    assert local.answer("one") == "ONE"

    local.until_logged("zygote-stopped")

    assert local.status().details["zygote"][0]["state"] == "none"
    assert local.answer("two") == "TWO"


def test_warm_workers_run_before_any_request(local: Local) -> None:
    local.configure(scaling=Scaling(max=2, warm=1))
    local.deploy()
    assert local.status().workers == 1
    assert local.invoke("x").headers["x-preheat-start"] == "warm"


def test_what_exceeds_the_workers_and_the_queue_is_told_when_to_retry(local: Local) -> None:
    local.configure(scaling=Scaling(min=2, max=2, queue=2))
    local.deploy(GATED)
    local.until_logged("worker-ready", times=2)
    gate = local.root / "gate"

    with ThreadPoolExecutor(8) as callers:
        answers = [callers.submit(local.invoke, str(gate)) for _ in range(8)]
        first_four = list(islice(as_completed(answers, timeout=PATIENCE_S), 4))
        gate.touch()
        statuses = sorted(answer.result().status for answer in answers)

    assert statuses == [200] * 4 + [429] * 4
    refused = [answer.result() for answer in first_four]
    assert all(int(each.headers["retry-after"]) >= 1 for each in refused)
    assert json.loads(refused[0].body)["title"] == "Too Many Requests"


def test_min_workers_come_back_after_a_restart(local: Local) -> None:
    local.project = replace(project(), scaling=Scaling(min=1, max=1))
    local.deploy()
    local.client.shut_down()

    assert local.status().workers == 1
