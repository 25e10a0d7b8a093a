import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from tests.fakes.local import UPPER, Local

from preheat.errors import NotDeployed, ProviderError
from preheat.project.model import Scaling

pytestmark = pytest.mark.runtime

LOWER = UPPER.replace("upper", "lower")
SLOW = """
    import time
    import preheat

    class Model(preheat.Handler):
        def predict(self, text: str) -> str:
            time.sleep(0.02)
            return "RELEASE"
"""
WAITING = """
    import time
    from pathlib import Path
    import preheat

    class Model(preheat.Handler):
        def setup(self, ctx):
            while Path("FLAG").exists():
                time.sleep(0.01)

        def predict(self, text: str) -> str:
            return "waited"
"""
BROKEN = """
    import preheat

    class Model(preheat.Handler):
        def setup(self, ctx):
            raise RuntimeError("no such table")

        def predict(self, text: str) -> str:
            return text
"""


@contextmanager
def load(local: Local, callers: int) -> Iterator[list[tuple[int, str, str]]]:
    """Call without a pause until the block ends; the list then holds every answer."""
    answers: list[tuple[int, str, str]] = []
    stop = threading.Event()

    def call() -> None:
        while not stop.is_set():
            response = local.invoke("x")
            answers.append(
                (response.status, response.body.decode(), response.headers.get("x-preheat-release", ""))
            )

    with ThreadPoolExecutor(callers) as pool:
        running = [pool.submit(call) for _ in range(callers)]
        try:
            yield answers
        finally:
            stop.set()
        for each in running:
            each.result()


def test_a_redeploy_under_load_loses_no_request(local: Local) -> None:
    local.configure(scaling=Scaling(max=2, queue=64))
    local.deploy(SLOW.replace("RELEASE", "one"))
    local.answer("warm-up")
    with load(local, 6) as answers:
        local.deploy(SLOW.replace("RELEASE", "two"))
        local.until_logged("drained")
    assert {status for status, _, _ in answers} == {200}
    assert {(body, release) for _, body, release in answers} == {('"one"', "1"), ('"two"', "2")}


def test_an_unchanged_deploy_makes_no_release(local: Local) -> None:
    first = local.deploy()
    assert local.plan(UPPER).changes == ()
    again = local.deploy()
    assert (again.release, again.changed, again.endpoint) == (first.release, False, first.endpoint)


def test_a_release_that_does_not_start_leaves_the_old_one_serving(local: Local) -> None:
    local.deploy()
    local.answer("x")

    with pytest.raises(ProviderError) as caught:
        local.deploy(BROKEN)

    assert "no such table" in caught.value.message
    assert "raise RuntimeError" in caught.value.message
    assert local.answer("x") == "X"
    assert [release.number for release in local.provider.releases("demo", "dev")] == [1]
    assert local.deploy(LOWER).release == 3, "a number is never used twice"


def test_a_first_deploy_that_fails_leaves_nothing(local: Local) -> None:
    local.configure(scaling=Scaling(min=1))
    with pytest.raises(ProviderError, match="no such table"):
        local.deploy(BROKEN)
    assert local.provider.status(None, None) == ()
    with pytest.raises(NotDeployed):
        local.provider.deployment("demo", "dev")


def test_rollback_serves_the_release_before_or_the_one_named(local: Local) -> None:
    local.deploy()
    local.deploy(LOWER)
    local.deploy(SLOW)

    assert local.provider.rollback("demo", "dev", None).release == 2
    assert local.answer("MiX") == "mix"
    assert local.provider.rollback("demo", "dev", 1).release == 1
    assert local.answer("MiX") == "MIX"
    assert [(each.number, each.active) for each in local.provider.releases("demo", "dev")] == [
        (3, False), (2, False), (1, True),
    ]  # fmt: skip
    with pytest.raises(ProviderError, match="no release 9"):
        local.provider.rollback("demo", "dev", 9)
    with pytest.raises(ProviderError, match="no release before 1"):
        local.provider.rollback("demo", "dev", None)


def test_after_a_rollback_a_plan_shows_what_the_project_would_change(local: Local) -> None:
    local.deploy()
    local.deploy(LOWER)
    local.provider.rollback("demo", "dev", None)
    assert [change.action for change in local.plan(LOWER).changes] == ["update"]


def test_a_canary_gets_its_share_until_it_is_promoted(local: Local) -> None:
    local.deploy()
    local.deploy(LOWER)

    assert local.provider.promote("demo", "dev", canary=0.5).release == 1
    seen = {local.answer("MiX") for _ in range(60)}
    assert seen == {"MIX", "mix"}
    assert local.status().details["canary"] == {"release": 2, "share": 0.5}
    assert local.provider.promote("demo", "dev", canary=None).release == 2
    assert {local.answer("MiX") for _ in range(20)} == {"mix"}
    with pytest.raises(ProviderError, match="from 0 to 1"):
        local.provider.promote("demo", "dev", canary=1.5)


def test_a_rollback_ends_a_canary(local: Local) -> None:
    local.deploy()
    local.deploy(LOWER)
    local.provider.promote("demo", "dev", canary=0.5)
    assert local.provider.rollback("demo", "dev", None).release == 1
    assert {local.answer("MiX") for _ in range(20)} == {"MIX"}


def test_a_deploy_killed_in_the_middle_can_be_repeated(local: Local) -> None:
    local.deploy()
    local.answer("x")
    pid = local.client.order("hello")["pid"]
    flag = local.root / "in-setup"
    flag.touch()
    stuck = WAITING.replace("FLAG", str(flag))
    with ThreadPoolExecutor(1) as deploying:
        failed = deploying.submit(local.deploy, stuck)
        for line in local.provider.logs("demo", "dev", follow=True):
            if line["event"] == "worker-start" and line["release"] == 2:
                break
        os.kill(pid, signal.SIGKILL)
        flag.unlink()
        assert failed.result().release == 3, "the client repeats the order to the next supervisor"

    assert local.answer("x") == "waited"
    assert [each.number for each in local.provider.releases("demo", "dev")] == [3, 1]


def test_a_rotated_secret_is_a_change_and_reaches_the_next_worker(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """
        import os
        import preheat

        class Model(preheat.Handler):
            def predict(self, text: str) -> str:
                return os.environ["API_KEY"][-3:]
    """
    local.configure(secrets={"API_KEY": "env:MY_KEY"})
    monkeypatch.setenv("MY_KEY", "first-one")
    local.deploy(source)
    assert local.answer("x") == "one"
    assert local.plan(source).changes == ()

    monkeypatch.setenv("MY_KEY", "second-two")
    assert [change.fields[0].path for change in local.plan(source).changes] == ["secrets_mark"]
    local.deploy(source)
    assert local.answer("x") == "two"
