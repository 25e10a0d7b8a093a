"""A real zygote and the workers that it forks."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.fakes.code_layer import make_code_layer
from tests.fakes.supervisor import FakeSupervisor

pytestmark = [
    pytest.mark.runtime,
    pytest.mark.skipif(sys.platform != "linux", reason="zygotes need /proc and pidfd"),
]

Scenario = Callable[[FakeSupervisor], Awaitable[None]]

FORKS = """
    import os, random, tempfile, preheat

    class Model(preheat.Handler):
        def setup(self, ctx):
            self.pid = os.getpid()
            random.seed(1)

        def restore(self, ctx):
            self.tmp = str(ctx.tmp)

        def examples(self):
            return ["warm"]

        def predict(self, what: str) -> dict[str, str]:
            if what == "die": os._exit(7)
            if what == "print": print("from", os.getpid())
            return {"setup": str(self.pid), "pid": str(os.getpid()), "tmp": self.tmp,
                    "tempfile": tempfile.gettempdir(), "random": str(random.random())}

        def teardown(self, ctx):
            print("torn down")
    """


def supervised(scenario: Scenario) -> None:
    async def main() -> None:
        async with FakeSupervisor() as supervisor:
            await scenario(supervisor)

    asyncio.run(main())


async def fork(supervisor: FakeSupervisor, worker: str) -> None:
    tmp = supervisor.folder / f"tmp-{worker}"
    tmp.mkdir()
    supervisor.tell(
        "w1-zygote", {"op": "fork", "id": worker, "socket": supervisor.socket(worker), "tmp": str(tmp)}
    )
    await supervisor.event(worker, "ready")


async def described(supervisor: FakeSupervisor, worker: str, what: str = "") -> dict[str, str]:
    answer: dict[str, str] = json.loads((await supervisor.ask(worker, what)).body)
    return answer


def test_a_zygote_runs_setup_once_and_forks_workers_that_answer(tmp_path: Path) -> None:
    async def scenario(supervisor: FakeSupervisor) -> None:
        process = await supervisor.start(make_code_layer(tmp_path, FORKS), zygote=True)
        zygote = await supervisor.event("w1-zygote", "zygote")
        assert zygote["fork"] == {"safe": True, "reason": None}
        assert [phase["name"] for phase in zygote["phases"]] == ["import", "setup"]
        ready = await supervisor.event("w1", "ready")
        assert [phase["name"] for phase in ready["phases"]] == ["restore", "warm-up"]
        assert ready["fork"] == {"safe": True, "reason": None}
        await fork(supervisor, "w2")
        first, second = await described(supervisor, "w1"), await described(supervisor, "w2")
        assert first["setup"] == second["setup"] == str(process.pid)
        assert len({first["pid"], second["pid"], str(process.pid)}) == 3
        assert first["random"] != second["random"], "a seed kept from setup would make siblings draw alike"
        assert second["tmp"] == second["tempfile"] == str(supervisor.folder / "tmp-w2")

    supervised(scenario)


def test_without_restore_the_warm_up_happens_before_the_fork(tmp_path: Path) -> None:
    source = """
        import preheat
        class Model(preheat.Handler):
            def examples(self): return [1]
            def predict(self, number: int) -> int: return number
        """

    async def scenario(supervisor: FakeSupervisor) -> None:
        await supervisor.start(make_code_layer(tmp_path, source), zygote=True)
        zygote = await supervisor.event("w1-zygote", "zygote")
        assert [phase["name"] for phase in zygote["phases"]] == ["import", "setup", "warm-up"]
        ready = await supervisor.event("w1", "ready")
        assert [phase["name"] for phase in ready["phases"]] == ["restore"]

    supervised(scenario)


def test_an_async_handler_forks_and_warms_up_on_the_loop_that_serves_it(tmp_path: Path) -> None:
    source = """
        import asyncio, preheat
        class Model(preheat.Handler):
            lock = None
            def examples(self): return [1]
            async def predict(self, number: int) -> bool:
                self.loop = getattr(self, "loop", asyncio.get_running_loop())
                return self.loop is asyncio.get_running_loop()
        """

    async def scenario(supervisor: FakeSupervisor) -> None:
        await supervisor.start(make_code_layer(tmp_path, source), zygote=True)
        ready = await supervisor.event("w1", "ready")
        assert [phase["name"] for phase in ready["phases"]] == ["restore", "warm-up"]
        assert (await supervisor.ask("w1", 1)).body == b"true"

    supervised(scenario)


def test_each_child_prints_to_the_supervisor_under_its_own_name(tmp_path: Path) -> None:
    async def scenario(supervisor: FakeSupervisor) -> None:
        await supervisor.start(make_code_layer(tmp_path, FORKS), zygote=True)
        await supervisor.event("w1", "ready")
        await fork(supervisor, "w2")
        pid = (await described(supervisor, "w2", "print"))["pid"]
        await supervisor.printed("w2", f"from {pid}\n".encode())
        assert b"from" not in supervisor.output["w1"]

    supervised(scenario)


def test_the_zygote_reports_how_its_children_end(tmp_path: Path) -> None:
    async def scenario(supervisor: FakeSupervisor) -> None:
        await supervisor.start(make_code_layer(tmp_path, FORKS), zygote=True)
        await supervisor.event("w1", "ready")
        for worker in ("w2", "w3"):
            await fork(supervisor, worker)
        with pytest.raises(Exception, match="ended before the answer"):
            await supervisor.ask("w1", "die")
        ended = await supervisor.event("w1", "exited")
        assert (ended["code"], ended["signal"]) == (7, None)
        os.kill(int((await described(supervisor, "w2"))["pid"]), signal.SIGKILL)
        ended = await supervisor.event("w2", "exited")
        assert (ended["code"], ended["signal"]) == (None, 9)
        supervisor.tell("w3", {"op": "drain"})
        ended = await supervisor.event("w3", "exited")
        assert (ended["code"], ended["signal"]) == (0, None)
        await supervisor.printed("w3", b"torn down")

    supervised(scenario)


def test_a_drained_zygote_ends_after_its_last_child(tmp_path: Path) -> None:
    async def scenario(supervisor: FakeSupervisor) -> None:
        process = await supervisor.start(make_code_layer(tmp_path, FORKS), zygote=True)
        await supervisor.event("w1", "ready")
        supervisor.tell("w1-zygote", {"op": "drain"})
        assert (await supervisor.ask("w1", "")).status == 200
        assert process.returncode is None
        supervisor.tell("w1", {"op": "drain"})
        assert await supervisor.ended() == 0

    supervised(scenario)


def test_a_zygote_and_its_children_end_with_their_supervisor(tmp_path: Path) -> None:
    async def scenario(supervisor: FakeSupervisor) -> None:
        await supervisor.start(make_code_layer(tmp_path, FORKS), zygote=True)
        await supervisor.event("w1", "ready")
        supervisor.hang_up("w1")
        ended = await supervisor.event("w1", "exited")
        assert ended["code"] == 1
        supervisor.hang_up("w1-zygote")
        assert await supervisor.ended() == 1

    supervised(scenario)


@pytest.mark.parametrize(
    ("setup", "reason"),
    [
        ("threading.Thread(target=threading.Event().wait, daemon=True).start()", "1 more threads running"),
        ("self.socket = socket.socket()", "leaves a socket open"),
    ],
)
def test_a_setup_that_a_fork_would_break_serves_in_the_same_process(
    tmp_path: Path, setup: str, reason: str
) -> None:
    source = f"""
        import os, socket, threading, preheat
        class Model(preheat.Handler):
            def setup(self, ctx):
                self.pid = os.getpid()
                {setup}
            def predict(self, number: int) -> bool: return self.pid == os.getpid()
        """

    async def scenario(supervisor: FakeSupervisor) -> None:
        process = await supervisor.start(make_code_layer(tmp_path, source), zygote=True)
        zygote = await supervisor.event("w1-zygote", "zygote")
        assert not zygote["fork"]["safe"]
        hello = await supervisor.event("w1", "hello")
        assert hello["pid"] == process.pid
        ready = await supervisor.event("w1", "ready")
        assert not ready["fork"]["safe"]
        assert reason in ready["fork"]["reason"]
        assert (await supervisor.ask("w1", 1)).body == b"true"

    supervised(scenario)


def test_a_setup_that_fails_in_a_zygote_is_reported_by_it(tmp_path: Path) -> None:
    source = """
        import preheat
        class Model(preheat.Handler):
            def setup(self, ctx): raise ValueError("no weights")
            def predict(self, number: int) -> int: return number
        """

    async def scenario(supervisor: FakeSupervisor) -> None:
        await supervisor.start(make_code_layer(tmp_path, source), zygote=True)
        failed = await supervisor.event("w1-zygote", "failed")
        assert failed["phase"] == "setup"
        assert await supervisor.ended() == 1

    supervised(scenario)


def test_a_restore_that_fails_is_reported_by_the_child(tmp_path: Path) -> None:
    source = """
        import preheat
        class Model(preheat.Handler):
            def restore(self, ctx): raise ValueError("no key")
            def predict(self, number: int) -> int: return number
        """

    async def scenario(supervisor: FakeSupervisor) -> None:
        await supervisor.start(make_code_layer(tmp_path, source), zygote=True)
        failed = await supervisor.event("w1", "failed")
        assert failed["phase"] == "restore"
        ended = await supervisor.event("w1", "exited")
        assert ended["code"] == 1

    supervised(scenario)


SESSION = """
    import numpy, onnxruntime, preheat

    class Model(preheat.Handler):
        def setup(self, ctx):
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = {threads}
            self.session = onnxruntime.InferenceSession(str(ctx.weights["model"]), options)

        def examples(self):
            return [1.0]

        def predict(self, number: float) -> float:
            given = numpy.full((64, 64), number, dtype=numpy.float32)
            return float(self.session.run(None, {{"x": given}})[0][0, 0])
    """

MAKE_MODEL = """
import sys
sys.path.insert(0, sys.argv[1])
from onnx import TensorProto, helper, save
x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [64, 64])
y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [64, 64])
graph = helper.make_graph([helper.make_node("MatMul", ["x", "x"], ["y"])], "g", [x], [y])
save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), sys.argv[2])
"""


@pytest.fixture(scope="module")
def onnx_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    into = tmp_path_factory.mktemp("packages")
    uv = Path(sys.executable).with_name("uv")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    subprocess.run(
        [
            uv,
            "pip",
            "install",
            "-q",
            "--target",
            into,
            "--python-version",
            version,
            "onnxruntime",
            "onnx",
            "orjson",
        ],
        check=True,
    )
    subprocess.run([sys.executable, "-c", MAKE_MODEL, into, into / "model.onnx"], check=True)
    return into


@pytest.mark.index
@pytest.mark.parametrize(("threads", "safe"), [(1, True), (2, False)])
def test_an_onnxruntime_session_forks_with_one_thread_and_serves_in_place_with_more(
    tmp_path: Path, onnx_packages: Path, threads: int, safe: bool
) -> None:
    async def scenario(supervisor: FakeSupervisor) -> None:
        code = make_code_layer(tmp_path, SESSION.format(threads=threads), weights={"model": "model.onnx"})
        await supervisor.start(
            code,
            zygote=True,
            dependencies=str(onnx_packages),
            weights=str(onnx_packages),
            env={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        zygote = await supervisor.event("w1-zygote", "zygote")
        assert zygote["fork"]["safe"] is safe, zygote
        await supervisor.event("w1", "ready")
        assert (await supervisor.ask("w1", 2.0)).body == b"256.0"
        if safe:
            await fork(supervisor, "w2")
            assert (await supervisor.ask("w2", 3.0)).body == b"576.0"
            supervisor.tell("w2", {"op": "drain"})
            assert (await supervisor.event("w2", "exited"))["code"] == 0

    supervised(scenario)
