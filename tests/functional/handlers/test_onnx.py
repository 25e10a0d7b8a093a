"""The handler for ONNX models in the processes that serve it."""

import asyncio
import json
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.code_layer import add_handlers, make_code_layer
from tests.fakes.onnx_models import linear, ones, tuned
from tests.fakes.patience import PATIENCE_S
from tests.fakes.supervisor import PYTHON, FakeSupervisor

from preheat.interface.threads import library_environment

pytestmark = pytest.mark.runtime
PACKAGES = sysconfig.get_path("platlib")
OURS = "preheat_handlers.onnx:OnnxHandler"

TELLS = """
    import hashlib, threading
    import numpy, preheat
    from preheat_handlers.onnx import OnnxHandler

    class Model(OnnxHandler):
        '''Tells which session answered, once one that is being made is there.'''

        def preprocess(self, rows: list[list[float]]) -> dict[str, numpy.ndarray]:
            for thread in threading.enumerate():
                if thread.name == "preheat-onnx":
                    thread.join()
            self.answering = str(id(self.session.onnx))
            return {"x": numpy.array(rows, numpy.float32)}

        def postprocess(self, outputs) -> dict[str, str]:
            return {"session": self.answering, "y": hashlib.sha256(outputs["y"].tobytes()).hexdigest()}

        def examples(self):
            return [numpy.ones((1, 64)).tolist()]
    """


async def told(supervisor: FakeSupervisor, worker: str) -> dict[str, str]:
    answer = await supervisor.ask(worker, ones(2).tolist())
    assert answer.status == 200, answer.body
    found: dict[str, str] = json.loads(answer.body)
    return found


async def answers_first(supervisor: FakeSupervisor, worker: str) -> dict[str, str]:
    """See another session take over behind the first answer of `worker`, with the same answer."""
    first, second = [await told(supervisor, worker) for _ in range(2)]
    assert first["session"] != second["session"]
    assert first["y"] == second["y"]
    return first


@pytest.mark.skipif(sys.platform != "linux", reason="zygotes need /proc and pidfd")
def test_a_zygote_with_a_tuned_model_forks_and_each_child_swaps_for_itself(tmp_path: Path) -> None:
    tuned(tmp_path / "weights" / "t")
    code = add_handlers(make_code_layer(tmp_path / "code", TELLS, weights={"model": "t"}))

    async def scenario() -> None:
        async with FakeSupervisor() as supervisor:
            weights = str(tmp_path / "weights")
            env = library_environment(1)
            await supervisor.start(code, env=env, zygote=True, weights=weights, dependencies=PACKAGES)
            zygote = await supervisor.event("w1-zygote", "zygote")
            assert zygote["fork"] == {"safe": True, "reason": None}
            await supervisor.event("w1", "ready")
            (supervisor.folder / "tmp-w2").mkdir()
            place = {"socket": supervisor.socket("w2"), "tmp": str(supervisor.folder / "tmp-w2")}
            supervisor.tell("w1-zygote", {"op": "fork", "id": "w2", **place})
            await supervisor.event("w2", "ready")
            one, two = [await answers_first(supervisor, worker) for worker in ("w1", "w2")]
            assert one["session"] == two["session"], "both answer first with what the zygote made"
            for worker in ("w1", "w2"):
                supervisor.tell(worker, {"op": "drain"})
                assert (await supervisor.event(worker, "exited"))["code"] == 0
            supervisor.tell("w1-zygote", {"op": "drain"})
            assert await supervisor.ended() == 0

    asyncio.run(scenario())


def verified(code: Path, weights: Path, tmp: Path) -> dict[str, Any]:
    tmp.mkdir()
    layers = {"code": str(code), "dependencies": PACKAGES, "weights": str(weights), "tmp": str(tmp)}
    bounds = {"memory_mb": 2048, "tmp_mb": 64, "cpus": 1, "only_setup": False}
    document = {**layers, **bounds, "name": "demo", "stage": "dev"}
    script = str(code / "preheat" / "runtime" / "verify.py")
    command = [PYTHON, "-I", "-S", "-B", "-X", "utf8", script]
    run = subprocess.run(
        command, input=json.dumps(document).encode(), capture_output=True, env={}, timeout=PATIENCE_S
    )
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


def test_a_build_reads_the_contract_from_the_weights_and_runs_the_example(tmp_path: Path) -> None:
    linear(tmp_path / "weights" / "m.onnx", inner=3, outer=2)
    code = add_handlers(make_code_layer(tmp_path / "code", "", handler=OURS, weights={"model": "m.onnx"}))
    answer = verified(code, tmp_path / "weights", tmp_path / "tmp")
    assert answer["ok"], answer
    contract = answer["contract"]
    assert contract["input"]["properties"]["x"]["x-preheat-tensor"] == {
        "dtype": "float32",
        "shape": [None, 3],
    }
    assert contract["batching"]["rows"]
    assert contract["examples"] == [{"x": [[0.0, 0.0, 0.0]]}]
    assert contract["answers"] == [{"y": [[0.0, 0.0]]}]


def test_a_build_without_weights_fails_with_the_lines_to_paste(tmp_path: Path) -> None:
    code = add_handlers(make_code_layer(tmp_path / "code", "", handler=OURS))
    answer = verified(code, tmp_path, tmp_path / "tmp")
    assert not answer["ok"]
    assert answer["message"] == "OnnxHandler has no weights 'model'."
    assert answer["hint"] == '[weights.model]\nsource = "file:model.onnx"'
