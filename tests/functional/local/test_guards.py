from itertools import count

import pytest
from tests.fakes.local import Local, get

from preheat.client import connect
from preheat.runtime.circuit import FAILURES

pytestmark = pytest.mark.runtime

COUNTING = """
    import preheat

    class Model(preheat.Handler):
        def setup(self, ctx):
            self.calls = 0

        @preheat.cached(entries=8)
        def predict(self, text: str) -> str:
            self.calls += 1
            return f"{self.calls}: {text}"
"""

ON_DEMAND = """
    from pathlib import Path

    import preheat

    class Model(preheat.Handler):
        def predict(self, text: str) -> str:
            if Path(text).parent.joinpath("broken").exists():
                raise RuntimeError("the GPU is lost")
            return text
"""


def metrics(local: Local) -> str:
    return get(f"{local.provider.deployment('demo', 'dev').endpoint}/metrics")[1].decode()


def test_a_cached_answer_comes_again_without_predict_and_a_new_release_keeps_its_own(local: Local) -> None:
    local.contract["cache"] = {"entries": 8, "mb": 1, "ttl_s": None}
    local.deploy(COUNTING)
    first, again = local.invoke("a"), local.invoke("a")
    assert first.body == again.body == b'"1: a"'
    assert [answer.headers["x-preheat-cache"] for answer in (first, again)] == ["miss", "hit"]
    assert local.answer("b") == "2: b"
    assert 'preheat_cache_total{outcome="hit"} 1.0' in metrics(local)
    assert local.status().requests == 3
    local.deploy(COUNTING + "\n    OTHER = 1\n")
    answer = local.invoke("a")
    assert (answer.body, answer.headers["x-preheat-cache"]) == (b'"1: a"', "miss")


def test_a_model_that_only_fails_is_not_asked_until_a_probe_succeeds(local: Local) -> None:
    local.deploy(ON_DEMAND)
    broken = local.root / "broken"
    broken.touch()
    inputs = (str(local.root / f"{number}") for number in count())
    asked = [local.invoke(next(inputs)) for _ in range(FAILURES)]
    assert [answer.status for answer in asked] == [500] * FAILURES
    # A refusal lasts a second, then twice as long with every probe that fails: a busy machine may need some.
    while (refused := local.invoke(next(inputs))).status != 503:
        assert refused.status == 500
    assert int(refused.headers["retry-after"]) >= 1
    url = local.provider.deployment("demo", "dev").endpoint
    while get(f"{url}/readyz")[0] != 503:
        assert local.invoke(next(inputs)).status in (500, 503)
    assert "preheat_circuit_open 1.0" in metrics(local)
    assert local.status().details["circuit_open"] == [1]
    broken.unlink()
    path = str(local.root / "fine")
    with connect(url) as client:  # waits for as long as Retry-After says
        assert client.predict(path) == path
    assert local.events("circuit-open")[0]["release"] == 1
    assert len(local.events("circuit-closed")) == 1
    assert get(f"{url}/readyz")[0] == 200
    assert "preheat_circuit_open 0.0" in metrics(local)
