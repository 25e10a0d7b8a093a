import asyncio
import json
import subprocess
import sys
import threading

from tests.fakes.models import model_of
from tests.fakes.patience import PATIENCE_S

from preheat import Context, Handler, threaded
from preheat.interface.message import Request
from preheat.runtime.engine import ModelEngine
from preheat.runtime.loader import Model
from preheat.runtime.model_process import ModelProcess


class Meets(Handler):
    def __init__(self) -> None:
        self.together = threading.Barrier(3)
        self.threads: list[str] = []
        self.ended: list[str] = []

    @threaded(threads=3)
    def predict(self, number: int) -> int:
        self.together.wait(PATIENCE_S)
        self.threads.append(threading.current_thread().name)
        return number

    def teardown(self, ctx: Context) -> None:
        self.ended = [threading.current_thread().name, *sorted(self.threads)]


def test_a_threaded_predict_runs_on_all_threads_and_teardown_last_on_the_first() -> None:
    loop = asyncio.new_event_loop()
    process = ModelProcess(loop)
    model = model_of(Meets)
    before = {thread.name for thread in threading.enumerate()}
    during: list[set[str]] = []
    answers: list[int] = []

    async def ask(model: Model) -> None:
        engine = ModelEngine(model, process.model_thread)
        asked = (engine.invoke(Request(id="r", body=str(number).encode())) for number in range(3))
        answers.extend(json.loads(response.body) for response in await asyncio.gather(*asked))
        process.finish(model)

    async def serve(model: Model) -> None:
        during.append({thread.name for thread in threading.enumerate()} - before)
        serving.append(loop.create_task(ask(model)))

    serving: list[asyncio.Task[None]] = []
    process.run(lambda _: model, 5.0, serve)
    assert during == [{"preheat-loop"}], "the other threads start when the model is ready"
    assert answers == [0, 1, 2]
    handler = model.handler
    assert isinstance(handler, Meets)
    assert handler.ended == ["MainThread", "MainThread", "preheat-model-2", "preheat-model-3"]
    _stop(loop)


def _stop(loop: asyncio.AbstractEventLoop) -> None:
    loop.call_soon_threadsafe(loop.stop)
    for thread in threading.enumerate():
        if thread.name == "preheat-loop":
            thread.join(PATIENCE_S)
    loop.close()


LEAVES = """
import sys, threading
from preheat.runtime.model_process import leave

{prints}
sys.stdin.read()
leave(3)
"""


def leaving(prints: str) -> subprocess.Popen[bytes]:
    """Start a process that prints, buffered as ever, and leaves once its standard input ends."""
    command = [sys.executable, "-I", "-c", LEAVES.format(prints=prints)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def test_a_process_leaves_though_a_thread_is_stuck_printing() -> None:
    stuck = "threading.Thread(target=print, args=('x' * 1_000_000,), kwargs={'flush': True}).start()"
    with leaving(stuck) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stdout.read(1) == b"x"  # so it prints, and the rest has no room
            process.stdin.close()
            assert process.wait(PATIENCE_S) == 3
        finally:
            process.kill()


def test_what_was_printed_before_a_process_leaves_is_not_lost() -> None:
    with leaving("print('last words')") as process:
        try:
            assert process.communicate(timeout=PATIENCE_S)[0] == b"last words\n"
            assert process.returncode == 3
        finally:
            process.kill()
