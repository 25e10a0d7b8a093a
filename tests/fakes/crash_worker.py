"""A process with a job store, its runner and a folder trigger, to be killed: `crash_worker.py HOME JOBS`.

It prints `started` when it works, submits every job under its own key (so that a start after a kill
submits it again), prints each id once the submit has returned, and `done` when all has finished.
"""

import asyncio
import os
import sys
from pathlib import Path

from tests.fakes.buckets import uploads

from preheat.errors import WorkerDied
from preheat.interface.message import Request, Response
from preheat.interface.problem import problem_response
from preheat_providers.local.jobs import FunctionJobs, JobRunner, JobStore, Retry
from preheat_providers.local.options import Options
from preheat_providers.local.triggers import TriggerHost
from preheat_providers.local.triggers.host import Timing

FUNCTION = "ocr@dev"


class Engine:
    """Answers every request with its own body, after a moment; now and then its worker dies."""

    ready = True

    def __init__(self, effects: Path) -> None:
        self._effects = os.open(effects, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._count = 0

    async def invoke(self, request: Request) -> Response:
        self._count += 1
        os.write(self._effects, f"{request.id}\n".encode())
        await asyncio.sleep(0.005)
        if self._count % 7 == 0:
            return problem_response(WorkerDied("The worker ended."))
        return Response(body=b'{"size": %d}' % len(request.body))


async def main(home: Path, count: int) -> None:
    store = JobStore(home / "jobs.db")
    engine = Engine(home / "effects")
    finished = asyncio.Event()

    def log(event: str, **_: object) -> None:
        if event.endswith(("-succeeded", "-failed")):
            finished.set()

    runner = JobRunner(
        store, lambda _: engine, log=log, per_function=4, retry=Retry(base_s=0.001, cap_s=0.01)
    )
    await runner.start()
    host = TriggerHost(store, runner, home=home, log=log, timing=Timing(settle_s=0.02))
    await host.attach(FUNCTION, (uploads(attempts=50),), Options())
    sys.stdout.write("started\n")
    sys.stdout.flush()
    jobs = FunctionJobs(store, runner, FUNCTION, 3600)
    for number in range(count):
        body = b"x" * (100_000 if number % 10 == 0 else number)
        request = Request(id="r", body=body, content_type="application/octet-stream")
        job, _ = await jobs.submit(request, idempotency_key=str(number), webhook=None, ttl_s=None)
        sys.stdout.write(f"{job.id}\n")
        sys.stdout.flush()
    while True:
        finished.clear()
        counts = await store.counts(FUNCTION)
        expected = count + sum(1 for path in (home / "buckets/uploads").iterdir() if path.suffix == ".png")
        if counts.queued == counts.running == 0 and counts.succeeded + counts.failed >= expected:
            break
        await finished.wait()
    sys.stdout.write("done\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
