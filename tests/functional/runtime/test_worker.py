"""Real worker processes, started as the supervisor starts them."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.fakes.code_layer import make_code_layer
from tests.fakes.patience import PATIENCE_S
from tests.fakes.supervisor import FakeSupervisor

from preheat.interface.manifest import Limits
from preheat.interface.message import Request
from preheat.runtime.wire import BrokenFrame, read_response, write_request

pytestmark = pytest.mark.runtime

Scenario = Callable[[FakeSupervisor], Awaitable[None]]

DOUBLE = """
    import preheat, os, sys, threading

    class Model(preheat.Handler):
        def setup(self, ctx):
            print("setting up", ctx.name, ctx.stage, ctx.provider, ctx.release)
            self.thread = threading.get_ident()

        def examples(self):
            return [1]

        def predict(self, number: int) -> int:
            assert threading.get_ident() == self.thread
            return number * 2

        def teardown(self, ctx):
            assert threading.get_ident() == self.thread
            print("torn down")
    """


def supervised(scenario: Scenario) -> None:
    async def main() -> None:
        async with FakeSupervisor() as supervisor:
            await scenario(supervisor)

    asyncio.run(main())


def test_a_worker_loads_answers_and_drains(tmp_path: Path) -> None:
    async def scenario(supervisor: FakeSupervisor) -> None:
        process = await supervisor.start(make_code_layer(tmp_path, DOUBLE))
        hello = await supervisor.event("w1", "hello")
        assert (hello["pid"], hello["zygote"]) == (process.pid, False)
        ready = await supervisor.event("w1", "ready")
        assert [phase["name"] for phase in ready["phases"]] == ["import", "setup", "restore", "warm-up"]
        assert ready["concurrency"] == 1
        assert ready["contract"]["input"]["type"] == "integer"
        assert ready["fork"] == {"safe": False, "reason": None}
        answer = await supervisor.ask("w1", 21)
        assert (answer.status, answer.body) == (200, b"42")
        supervisor.tell("w1", {"op": "drain"})
        assert await supervisor.ended() == 0
        printed = await supervisor.printed("w1", b"torn down")
        assert b"setting up demo dev local 1\n" in printed

    supervised(scenario)


def test_a_connection_serves_one_request_after_another(tmp_path: Path) -> None:
    async def scenario(supervisor: FakeSupervisor) -> None:
        await supervisor.start(make_code_layer(tmp_path, DOUBLE))
        await supervisor.event("w1", "ready")
        reader, writer = await supervisor.connect("w1")
        for number in range(50):
            await write_request(writer, Request(id=str(number), body=str(number).encode()))
            assert (await read_response(reader, writer)).body == str(2 * number).encode()
        writer.close()

    supervised(scenario)


def test_a_connection_for_each_request_of_a_batch_of_64_and_the_next_may_wait_at_once(tmp_path: Path) -> None:
    async def scenario(supervisor: FakeSupervisor) -> None:
        process = await supervisor.start(make_code_layer(tmp_path, DOUBLE))
        await supervisor.event("w1", "ready")
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        with ExitStack() as clients:
            for _ in range(128):
                client = clients.enter_context(socket.socket(socket.AF_UNIX))
                client.setblocking(False)
                client.connect(supervisor.socket("w1"))

    supervised(scenario)


@pytest.mark.parametrize(
    ("source", "phase", "message"),
    [
        ("import nothing_of_that_name", "import", "no module 'nothing_of_that_name'"),
        ("raise SystemExit(3)", "import", "SystemExit"),
        ("import preheat\nclass Model(preheat.Handler):\n    pass", "import", "predict"),
        (
            "import preheat\nclass Model(preheat.Handler):\n"
            "    def predict(self, a: int, b: int) -> int:\n        return a",
            "import",
            "predict",
        ),
        (
            "import preheat\nclass Model(preheat.Handler):\n"
            "    def setup(self, ctx):\n        raise ValueError('no weights')\n"
            "    def predict(self, a: int) -> int:\n        return a",
            "setup",
            "ValueError: no weights",
        ),
        (
            "import preheat, sys\nclass Model(preheat.Handler):\n"
            "    def restore(self, ctx):\n        sys.exit('no key')\n"
            "    def predict(self, a: int) -> int:\n        return a",
            "restore",
            "SystemExit: no key",
        ),
        (
            "import preheat\nclass Model(preheat.Handler):\n"
            "    def examples(self):\n        return [1]\n"
            "    def predict(self, a: int) -> int:\n        return a / 0",
            "warm-up",
            "ZeroDivisionError",
        ),
        (
            "import preheat\nclass Model(preheat.Handler):\n"
            "    def examples(self):\n        return [1]\n"
            "    async def predict(self, a: int) -> int:\n        raise SystemExit",
            "warm-up",
            "SystemExit",
        ),
    ],
)
def test_a_start_that_fails_names_its_phase_and_keeps_the_users_traceback(
    tmp_path: Path, source: str, phase: str, message: str
) -> None:
    async def scenario(supervisor: FakeSupervisor) -> None:
        await supervisor.start(make_code_layer(tmp_path, source))
        failed = await supervisor.event("w1", "failed")
        assert failed["phase"] == phase
        assert message in failed["message"]
        if phase != "import":
            assert "app.py" in failed["traceback"]
            assert "preheat/runtime" not in failed["traceback"]
        assert await supervisor.ended() == 1

    supervised(scenario)


def test_a_setup_that_never_ends_is_ended(tmp_path: Path) -> None:
    source = """
        import preheat
        class Model(preheat.Handler):
            def setup(self, ctx):
                while True: pass
            def predict(self, a: int) -> int: return a
        """

    async def scenario(supervisor: FakeSupervisor) -> None:
        await supervisor.start(make_code_layer(tmp_path, source, limits=Limits(setup_s=0.3)))
        assert await supervisor.ended() == -14

    supervised(scenario)


ODD = """
    import os, sys, time, preheat

    class Model(preheat.Handler):
        def predict(self, how: str) -> int:
            if how == "exit": sys.exit(3)
            if how == "die": os._exit(3)
            if how == "memory":
                kept = []
                while True: kept.append(bytearray(16 * 1024 * 1024))
            if how == "array": return len(bytearray(2 * 1024 ** 3))
            if how == "file":
                with open(os.environ["TMPDIR"] + "/big", "wb") as out:
                    for _ in range(100): out.write(bytes(1024 * 1024))
            if how == "flood":
                for _ in range(2000): print("x" * 10_000)
            if how == "input": return len(sys.stdin.read())
            if how == "spin":
                while True: pass
            return len(how)
    """


def with_odd(tmp_path: Path, scenario: Scenario, *, limits: Limits | None = None) -> None:
    async def begun(supervisor: FakeSupervisor) -> None:
        code = make_code_layer(tmp_path, ODD, limits=limits)
        await supervisor.start(code, env={"TMPDIR": str(supervisor.folder)}, memory_mb=256, tmp_mb=8)
        await supervisor.event("w1", "ready")
        await scenario(supervisor)

    supervised(begun)


@pytest.mark.parametrize("how", ["exit", "memory", "array", "file"])
def test_a_request_that_breaks_its_bounds_is_a_500_and_the_worker_lives(tmp_path: Path, how: str) -> None:
    async def scenario(supervisor: FakeSupervisor) -> None:
        answer = await supervisor.ask("w1", how, id="r7")
        assert answer.status == 500
        if how in {"memory", "array"}:
            assert b"out of memory (limit 256 MB)" in answer.body
        printed = await supervisor.printed("w1", b"}\n")
        logged = json.loads(printed.splitlines()[-1])
        assert (logged["event"], logged["request_id"]) == ("handler-failed", "r7")
        assert "app.py" in logged["traceback"]
        assert (await supervisor.ask("w1", "fine")).body == b"4"

    with_odd(tmp_path, scenario)


def test_a_predict_that_kills_its_process_breaks_the_connection(tmp_path: Path) -> None:
    async def scenario(supervisor: FakeSupervisor) -> None:
        with pytest.raises(BrokenFrame):
            await supervisor.ask("w1", "die")
        assert await supervisor.ended() == 3

    with_odd(tmp_path, scenario)


def test_floods_of_output_and_reads_of_input_do_not_block_an_answer(tmp_path: Path) -> None:
    async def scenario(supervisor: FakeSupervisor) -> None:
        assert (await supervisor.ask("w1", "flood")).body == b"5"
        assert len(supervisor.output["w1"]) > 10_000_000
        assert (await supervisor.ask("w1", "input")).body == b"0"

    with_odd(tmp_path, scenario)


def test_a_predict_that_never_ends_is_a_504_and_reported_stuck(tmp_path: Path) -> None:
    async def scenario(supervisor: FakeSupervisor) -> None:
        assert (await supervisor.ask("w1", "spin")).status == 504
        await supervisor.event("w1", "stuck")

    with_odd(tmp_path, scenario, limits=Limits(timeout_s=3))


@pytest.mark.parametrize("when", ["idle", "busy"])
def test_a_worker_whose_supervisor_is_gone_ends_at_once(tmp_path: Path, when: str) -> None:
    async def scenario(supervisor: FakeSupervisor) -> None:
        _, writer = await supervisor.connect("w1")
        if when == "busy":
            await write_request(writer, Request(id="1", body=b'"spin"'))
        supervisor.hang_up("w1")
        assert await supervisor.ended() == 1
        writer.close()

    with_odd(tmp_path, scenario)


SETTING_UP = """
    import preheat, time
    class Model(preheat.Handler):
        def setup(self, ctx):
            print("in setup")
            while True: time.sleep(60)
        def predict(self, a: int) -> int: return a
    """


def test_a_worker_whose_supervisor_is_gone_during_setup_ends_at_once(tmp_path: Path) -> None:
    async def scenario(supervisor: FakeSupervisor) -> None:
        await supervisor.start(make_code_layer(tmp_path, SETTING_UP))
        await supervisor.printed("w1", b"in setup")
        supervisor.hang_up("w1")
        assert await supervisor.ended() == 1

    supervised(scenario)


WAITS = """
    import asyncio, preheat

    class Model(preheat.Handler):
        async def predict(self, how: str) -> str:
            print("begun", how)
            try:
                while how == "wait": await asyncio.sleep(60)
                await asyncio.sleep(0.2)
            except asyncio.CancelledError:
                print("cancelled")
                raise
            return how
    """


def test_closing_the_connection_cancels_the_request(tmp_path: Path) -> None:
    async def scenario(supervisor: FakeSupervisor) -> None:
        await supervisor.start(make_code_layer(tmp_path, WAITS))
        ready = await supervisor.event("w1", "ready")
        assert ready["concurrency"] == 32
        _, writer = await supervisor.connect("w1")
        await write_request(writer, Request(id="1", body=b'"wait"'))
        await supervisor.printed("w1", b"begun wait")
        writer.close()
        await supervisor.printed("w1", b"cancelled")

    supervised(scenario)


def test_draining_answers_what_is_in_flight(tmp_path: Path) -> None:
    async def scenario(supervisor: FakeSupervisor) -> None:
        await supervisor.start(make_code_layer(tmp_path, WAITS))
        await supervisor.event("w1", "ready")
        asking = [asyncio.create_task(supervisor.ask("w1", "go")) for _ in range(8)]
        await supervisor.printed("w1", b"begun go\n" * 8)
        supervisor.tell("w1", {"op": "drain"})
        assert [(await task).status for task in asking] == [200] * 8
        assert await supervisor.ended() == 0

    supervised(scenario)


COUNTS = """
    import preheat
    from collections.abc import Iterator

    class Model(preheat.Handler):
        def predict(self, count: int) -> Iterator[int]:
            try:
                yield from range(count)
                raise ValueError("half-way")
            finally:
                print("closed")
    """


def test_a_stream_comes_as_it_is_made_and_closing_it_stops_it(tmp_path: Path) -> None:
    async def scenario(supervisor: FakeSupervisor) -> None:
        await supervisor.start(make_code_layer(tmp_path, COUNTS))
        await supervisor.event("w1", "ready")
        reader, writer = await supervisor.connect("w1")
        await write_request(writer, Request(id="1", body=b"1000000000", accept="text/event-stream"))
        response = await read_response(reader, writer)
        assert response.content_type == "text/event-stream"
        assert response.chunks is not None
        assert await anext(response.chunks) == b"data: 0\n\n"
        writer.close()
        await supervisor.printed("w1", b"closed")

    supervised(scenario)


def test_a_stream_that_fails_reaches_the_caller_as_a_failure(tmp_path: Path) -> None:
    async def scenario(supervisor: FakeSupervisor) -> None:
        await supervisor.start(make_code_layer(tmp_path, COUNTS))
        await supervisor.event("w1", "ready")
        with pytest.raises(Exception, match="raised an exception"):
            await supervisor.ask("w1", 3)

    supervised(scenario)


def test_batches_form_across_connections(tmp_path: Path) -> None:
    source = """
        import preheat, time

        class Model(preheat.Handler):
            @preheat.batched(max_size=4)
            def predict(self, numbers: list[int]) -> list[int]:
                time.sleep(0.1)
                return [len(numbers)] * len(numbers)
        """

    async def scenario(supervisor: FakeSupervisor) -> None:
        await supervisor.start(make_code_layer(tmp_path, source))
        ready = await supervisor.event("w1", "ready")
        assert ready["concurrency"] == 8
        answers = await asyncio.gather(*(supervisor.ask("w1", number) for number in range(8)))
        sizes = [json.loads(answer.body) for answer in answers]
        assert max(sizes) == 4

    supervised(scenario)


def test_weights_are_where_the_context_says(tmp_path: Path) -> None:
    source = """
        import preheat

        class Model(preheat.Handler):
            def setup(self, ctx):
                self.text = ctx.weights["words"].read_text()
            def predict(self, n: int) -> str: return self.text
        """
    (tmp_path / "weights" / "words").mkdir(parents=True)
    (tmp_path / "weights" / "words" / "words.txt").write_text("heavy")

    async def scenario(supervisor: FakeSupervisor) -> None:
        code = make_code_layer(tmp_path / "code", source, weights={"words": "words/words.txt"})
        await supervisor.start(code, weights=str(tmp_path / "weights"))
        await supervisor.event("w1", "ready")
        assert (await supervisor.ask("w1", 1)).body == b'"heavy"'

    supervised(scenario)


def test_a_body_over_the_limit_is_refused_and_the_next_one_served(tmp_path: Path) -> None:
    async def scenario(supervisor: FakeSupervisor) -> None:
        await supervisor.start(make_code_layer(tmp_path, DOUBLE, limits=Limits(body_bytes=1000)))
        await supervisor.event("w1", "ready")
        assert (await supervisor.ask("w1", b"1" * 1001)).status == 413
        assert (await supervisor.ask("w1", 1)).status == 200

    supervised(scenario)


def test_garbage_on_its_socket_does_not_harm_a_worker(tmp_path: Path) -> None:
    async def scenario(supervisor: FakeSupervisor) -> None:
        await supervisor.start(make_code_layer(tmp_path, DOUBLE))
        await supervisor.event("w1", "ready")
        for garbage in (
            b"GET / HTTP/1.1\r\n\r\n",
            b"\x01\x00\x00\x00\x02{}",
            b"\x01\x00\x00\x00\x02no\x03\0\0\0\0",
        ):
            reader, writer = await supervisor.connect("w1")
            writer.write(garbage)
            writer.write_eof()
            await reader.read()
            writer.close()
        assert (await supervisor.ask("w1", 1)).status == 200

    supervised(scenario)


def test_a_cancelled_request_gives_its_connection_back_when_predict_has_come_back(tmp_path: Path) -> None:
    source = """
        import os, preheat

        class Model(preheat.Handler):
            def predict(self, path: str) -> str:
                print("begun")
                with open(path) as gate: gate.read()
                print("came back")
                return path
        """

    async def scenario(supervisor: FakeSupervisor) -> None:
        await supervisor.start(make_code_layer(tmp_path, source))
        await supervisor.event("w1", "ready")
        gate = supervisor.folder / "gate"
        os.mkfifo(gate)
        reader, writer = await supervisor.connect("w1")
        await write_request(writer, Request(id="1", body=json.dumps(str(gate)).encode()))
        await supervisor.printed("w1", b"begun")
        writer.write_eof()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(), 0.1)
        gate.write_text("open")
        assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
        writer.close()
        await supervisor.printed("w1", b"came back")
        assert (await supervisor.ask("w1", "/dev/null")).status == 200

    supervised(scenario)


def test_a_drain_during_setup_ends_the_worker_at_once(tmp_path: Path) -> None:
    async def scenario(supervisor: FakeSupervisor) -> None:
        await supervisor.start(make_code_layer(tmp_path, SETTING_UP))
        await supervisor.printed("w1", b"in setup")
        supervisor.tell("w1", {"op": "drain"})
        assert await supervisor.ended() == 0

    supervised(scenario)


def test_a_drain_waits_until_the_caller_has_taken_the_whole_answer(tmp_path: Path) -> None:
    source = """
        import preheat
        class Model(preheat.Handler):
            def predict(self, size: int) -> str:
                print("begun")
                return "x" * size
        """

    async def scenario(supervisor: FakeSupervisor) -> None:
        await supervisor.start(make_code_layer(tmp_path, source))
        await supervisor.event("w1", "ready")
        reader, writer = await supervisor.connect("w1")
        await write_request(writer, Request(id="1", body=b"8000000"))
        await supervisor.printed("w1", b"begun")
        supervisor.tell("w1", {"op": "drain"})
        with pytest.raises(TimeoutError):  # nobody reads, so the answer cannot have left
            await asyncio.wait_for(supervisor.ended(), 0.3)
        assert len((await read_response(reader, writer)).body) == 8_000_002
        assert await supervisor.ended() == 0
        writer.close()

    supervised(scenario)
