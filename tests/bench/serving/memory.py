"""What each contender's processes hold with MiniLM loaded, and what they do while nobody asks."""

import subprocess
import time
from collections.abc import Mapping, Sequence
from http.client import HTTPException

from tests.bench.serving.answers import Vector, verify
from tests.bench.serving.contenders import contenders
from tests.bench.serving.dialects import WrongAnswer
from tests.bench.serving.load import LoadFailed, drive
from tests.bench.serving.processes import usage
from tests.bench.serving.references import expected, raw_loop
from tests.bench.serving.run import Memory, Run
from tests.bench.serving.servers import DidNotStart, Server, running
from tests.bench.serving.texts import short_sentences

SCENARIO = "memory"
BARE = "bare script"
IDLE_S = 10.0
SETTLE_S = 1.0


def memory(run: Run) -> None:
    """Measure the bare script, then every contender: ready, after load, idle."""
    texts = short_sentences()
    known = expected(run.room, "embedding", texts)
    run.say("memory: the bare script")
    run.memory[BARE] = _bare_script(run, texts)
    for contender in contenders("embedding", run.options.families):
        if run.takes_part(contender, SCENARIO):
            run.say(f"memory: {contender.title}")
            try:
                with running(run.room, contender, "embedding", known) as server:
                    run.memory[contender.title] = _server(run, server, known)
            except (DidNotStart, WrongAnswer, LoadFailed, OSError, HTTPException) as exc:
                run.leave_out(contender, SCENARIO, str(exc))


def _bare_script(run: Run, texts: Sequence[str]) -> Memory:
    """Load the model, answer one text; then run all texts, one by one and in batches of 32."""
    command = raw_loop(run.room, texts, "--hold", "--batch", "32")
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=run.room.variables()
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        ready = usage(process.pid)
        process.stdin.write("run\n" * 4)
        process.stdin.flush()
        for _ in range(4):
            process.stdout.readline()
        loaded = usage(process.pid)
        process.stdin.close()
        process.wait()
    return Memory(ready.pss_mb, loaded.pss_mb, None, ready.processes, None)


def _server(run: Run, server: Server, known: Mapping[str, Vector]) -> Memory:
    ready = usage(server.pid)
    verify(server.address, known)
    drive(run.room, server.address, known, connections=32, seconds=run.options.seconds)
    loaded = usage(server.pid)
    time.sleep(SETTLE_S)
    before = usage(server.pid).cpu_s
    started = time.monotonic()
    time.sleep(IDLE_S)
    idle = (usage(server.pid).cpu_s - before) / (time.monotonic() - started)
    return Memory(ready.pss_mb, loaded.pss_mb, idle, loaded.processes, server.ready_s)
