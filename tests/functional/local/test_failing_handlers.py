import json
import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.fakes.local import Local

from preheat.errors import ProviderError
from preheat.interface.manifest import Limits
from preheat.interface.message import Request
from preheat.project.model import Resources, Scaling

pytestmark = pytest.mark.runtime

BROKEN_SETUP = """
    import preheat

    class Model(preheat.Handler):
        def setup(self, ctx):
            raise RuntimeError("the weights at /srv/private are gone")

        def predict(self, text: str) -> str:
            return text
"""

ENDLESS_SETUP = """
    import threading
    import preheat

    class Model(preheat.Handler):
        def setup(self, ctx):
            threading.Event().wait()

        def predict(self, text: str) -> str:
            return text
"""

MOODY = """
    import os, sys, time
    from pathlib import Path
    import preheat

    class Model(preheat.Handler):
        def predict(self, text: str) -> str:
            match text:
                case "exit":
                    sys.exit(3)
                case "die":
                    os._exit(3)
                case "hang":
                    time.sleep(60)
                case "hog":
                    return str(len(bytearray(2 * 1024**3)))
            return text
"""

PATIENT = """
    import asyncio
    from pathlib import Path
    import preheat

    class Model(preheat.Handler):
        async def predict(self, folder: str) -> str:
            try:
                Path(folder, "began").touch()
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                print("nobody waits any more", flush=True)
                raise
            return "late"
"""


HALF = """
    from collections.abc import Iterator
    import preheat

    class Model(preheat.Handler):
        def predict(self, text: str) -> Iterator[str]:
            yield "first"
            yield "second"
            raise RuntimeError("no third")
"""


def test_a_handler_that_fails_in_setup_is_a_503_without_internals_and_the_log_has_the_traceback(
    local: Local,
) -> None:
    local.deploy(BROKEN_SETUP)

    response = local.invoke("x")

    assert response.status == 503
    assert response.content_type == "application/problem+json"
    assert b"private" not in response.body
    assert b"setup" in response.body
    assert int(response.headers["retry-after"]) >= 1
    failed = local.events("worker-failed")[0]
    assert "/srv/private" in failed["message"]
    assert "raise RuntimeError" in failed["traceback"]
    assert not local.status().ready


def test_a_stream_that_fails_half_way_is_handed_on_until_there(local: Local) -> None:
    local.contract = {"stream": True}
    local.deploy(HALF)
    chunks: list[bytes] = []
    request = Request(id="half", body=b'"x"')
    with local.provider.ask("demo", "dev", request) as answer:
        assert answer.status == 200
        with pytest.raises(ProviderError, match="demo broke off") as caught:
            chunks.extend(answer.chunks)
    lines = b"".join(chunks).splitlines()
    assert lines[:2] == [b'"first"', b'"second"']
    assert json.loads(lines[2])["error"]["status"] == 500
    assert caught.value.hint == "See why: preheat logs demo --stage dev"


def test_a_failing_start_is_not_repeated_for_every_request(local: Local) -> None:
    local.deploy(BROKEN_SETUP)
    for _ in range(20):
        assert local.invoke("x").status == 503
    assert len(local.events("worker-start")) < 5


def test_a_setup_that_never_ends_is_ended(local: Local) -> None:
    local.configure(limits=Limits(setup_s=0.5, timeout_s=20.0))
    local.deploy(ENDLESS_SETUP)

    assert local.invoke("x").status == 503

    assert "setup_s" in local.events("worker-failed")[0]["message"]


def test_an_exit_inside_predict_is_an_answer_and_the_worker_stays(local: Local) -> None:
    local.deploy(MOODY)
    assert local.invoke("exit").status == 500
    assert local.answer("x") == "x"
    assert len(local.events("worker-start")) == 1


@pytest.mark.parametrize("zygote", ["auto", "off"])
def test_a_process_that_dies_is_a_502_and_the_next_request_gets_a_new_worker(
    local: Local, zygote: str
) -> None:
    local.configure(provider={"local": {"zygote": zygote}})
    local.deploy(MOODY)

    response = local.invoke("die")

    assert response.status == 502
    assert "exit code 3" in json.loads(response.body)["detail"]
    assert local.answer("x") == "x"
    assert local.events("worker-crash")[0]["in_flight"] in (0, 1)


def test_a_predict_that_hangs_is_a_504_and_its_worker_is_replaced(local: Local) -> None:
    local.configure(resources=Resources(timeout_s=2.0), limits=Limits(timeout_s=2.0, setup_s=20.0))
    local.deploy(MOODY)
    assert local.answer("x") == "x"

    assert local.invoke("hang").status == 504

    assert local.answer("y") == "y"


def test_an_allocation_past_the_limit_is_a_500_and_the_worker_stays(local: Local) -> None:
    local.configure(resources=Resources(timeout_s=20.0, memory_mb=512))
    local.deploy(MOODY)
    response = local.invoke("hog")
    assert response.status == 500
    assert b"512" in response.body or b"memory" in response.body
    assert local.answer("x") == "x"


def test_a_worker_killed_while_idle_costs_no_request(local: Local) -> None:
    local.deploy()
    assert local.answer("x") == "X"
    os.kill(local.status().details["workers"][0]["pid"], signal.SIGKILL)
    local.until_logged("worker-crash")
    assert local.answer("y") == "Y"


def test_a_killed_zygote_is_started_again_when_it_is_needed(local: Local) -> None:
    local.configure(scaling=Scaling(max=1, idle_s=0.05))
    local.deploy()
    assert local.answer("x") == "X"
    os.kill(int(local.events("zygote")[0]["pid"]), signal.SIGKILL)
    local.until_logged("worker-stopped")
    assert local.answer("y") == "Y"


def test_a_client_that_disconnects_cancels_its_request(local: Local) -> None:
    local.deploy(PATIENT)
    url = urlsplit(local.provider.deployment("demo", "dev").endpoint)
    body = json.dumps(str(local.root)).encode()
    with ThreadPoolExecutor(1) as watcher, socket.create_connection((url.hostname, url.port)) as client:
        head = f"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
        client.sendall(head.encode() + body)
        began = watcher.submit(_appears, local.root / "began")
        began.result()
        client.close()
    assert local.until_logged("output")["message"] == "nobody waits any more"


def _appears(path: Path) -> None:
    from watchfiles import watch

    for _ in watch(path.parent, rust_timeout=200, yield_on_timeout=True, debounce=50):
        if path.exists():
            return
