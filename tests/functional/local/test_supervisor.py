import os
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.fakes.local import UPPER, Local, get
from tests.fakes.patience import PATIENCE_S

from preheat.errors import Conflict, NotDeployed, ProviderError
from preheat.project.model import Scaling
from preheat_providers.local.client import SupervisorClient
from preheat_providers.local.provider import LocalProvider
from preheat_providers.local.supervisor.lock import SupervisorLock

pytestmark = pytest.mark.runtime

SLEEPY = """
    import time
    import preheat

    class Model(preheat.Handler):
        def predict(self, seconds: float) -> str:
            print("began", flush=True)
            time.sleep(seconds)
            return "done"
"""
SUPERVISOR_BYTES = 60 * 1024 * 1024


def ends(pid: int) -> bool:
    """Wait for a process to end, and say whether it did."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ended, _, _ = select.select([process], [], [], 20)
    os.close(process)
    return bool(ended)


def supervisor_pid(local: Local) -> int:
    return int(local.client.order("hello")["pid"])


def test_functions_come_back_at_the_same_address_after_kill_9(local: Local) -> None:
    before = local.deploy()
    local.answer("x")
    worker = local.status().details["workers"][0]["pid"]
    os.kill(supervisor_pid(local), signal.SIGKILL)

    after = local.provider.deployment("demo", "dev")

    assert (after.endpoint, after.release) == (before.endpoint, before.release)
    assert local.status().workers == 0
    assert local.answer("x") == "X"
    assert ends(worker), "a worker ends with its supervisor"


def test_sigterm_answers_what_is_in_hand(local: Local) -> None:
    local.deploy(SLEEPY)
    local.answer(0.0)
    pid = supervisor_pid(local)
    with ThreadPoolExecutor(1) as caller:
        answer = caller.submit(local.invoke, 1.0)
        began = 0
        for line in local.provider.logs("demo", "dev", follow=True):
            began += line["message"] == "began"
            if began == 2:
                break
        os.kill(pid, signal.SIGTERM)
        assert answer.result().status == 200
    assert ends(pid)


def test_a_second_supervisor_is_refused_and_told_who_runs(local: Local) -> None:
    local.deploy()
    pid = supervisor_pid(local)
    with pytest.raises(Conflict, match=str(pid)):
        SupervisorLock(local.client.paths.lock)
    read, write = os.pipe()
    second = subprocess.run(
        [
            sys.executable,
            "-m",
            "preheat_providers.local.supervisor",
            str(local.client.paths.home),
            str(write),
        ],
        pass_fds=(write,),
        capture_output=True,
    )
    os.close(write)
    with os.fdopen(read) as told:
        assert str(pid) in told.read()
    assert second.returncode == 1
    assert local.answer("x") == "X"


def test_several_clients_at_once_start_one_supervisor(local: Local) -> None:
    local.deploy()
    os.kill(supervisor_pid(local), signal.SIGKILL)
    with ThreadPoolExecutor(4) as clients:
        pids = set(clients.map(lambda _: supervisor_pid(local), range(4)))
    assert len(pids) == 1


def test_a_corrupt_state_file_is_named_and_kept(local: Local) -> None:
    local.deploy()
    local.client.shut_down()
    state = local.client.paths.state
    for extra in ("-wal", "-shm"):
        state.with_name(state.name + extra).unlink(missing_ok=True)
    half = state.read_bytes()[:1000] + b"\0garbage" * 2000
    state.write_bytes(half)

    with pytest.raises(ProviderError) as caught:
        local.provider.deployment("demo", "dev")

    assert str(state) in caught.value.message
    assert "mv " in (caught.value.hint or "")
    assert state.read_bytes() == half
    state.unlink()


def test_a_client_of_another_version_restarts_the_supervisor_and_functions_resume(local: Local) -> None:
    before = local.deploy()
    pid = supervisor_pid(local)
    newer = SupervisorClient(local.client.paths.home, version="99.0")

    newer.order("deployment", name="demo", stage="dev")

    assert ends(pid)
    assert local.provider.deployment("demo", "dev").endpoint == before.endpoint
    assert local.answer("x") == "X"


def test_destroying_the_last_function_leaves_nothing_and_ends_the_supervisor(local: Local) -> None:
    local.configure(secrets={"KEY": "env:HOME"})
    local.deploy()
    local.answer("x")
    pid = supervisor_pid(local)

    receipt = local.provider.destroy("demo", "dev", report=local.report)

    assert ends(pid)
    assert receipt.left == ()
    assert {"release 1", "secrets", "log demo@dev.jsonl"} <= set(receipt.removed)
    left = {path.name for path in local.client.paths.home.iterdir()}
    assert left <= {"supervisor.lock", "supervisor.start", "supervisor.log"}
    assert not local.client.paths.sockets.exists()
    assert local.provider.status(None, None) == ()
    with pytest.raises(NotDeployed):
        local.provider.destroy("demo", "dev", report=local.report)


def test_two_homes_never_touch_one_another(local: Local, tmp_path: Path) -> None:
    local.deploy()
    other = LocalProvider(SupervisorClient(tmp_path / "other"))
    assert other.status(None, None) == ()
    assert other.observe("demo", "dev") == ()


def test_a_port_in_use_is_an_error_that_names_its_holder_and_changes_nothing(local: Local) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        local.configure(provider={"local": {"port": port}})
        with pytest.raises(ProviderError, match=rf"Port {port} .*in use.*pid {os.getpid()}"):
            local.deploy()
    assert local.provider.status(None, None) == ()
    assert local.deploy().endpoint.endswith(f":{port}")


def test_a_port_taken_during_a_restart_is_reported_and_never_replaced_silently(local: Local) -> None:
    endpoint = local.deploy().endpoint
    local.client.shut_down()
    with socket.create_server(("127.0.0.1", urlsplit(endpoint).port or 0)):
        status = local.status()
        assert not status.ready
        assert "in use" in status.details["error"]
        assert status.endpoint == endpoint
    assert local.deploy().endpoint == endpoint
    assert local.answer("x") == "X"


def test_a_supervisor_without_workers_is_small(local: Local) -> None:
    local.configure(scaling=Scaling(max=1, idle_s=0.05), provider={"local": {"zygote": "off"}})
    local.deploy()
    local.answer("x")
    local.until_logged("worker-stopped")
    lines = Path(f"/proc/{supervisor_pid(local)}/status").read_text().splitlines()
    resident = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))
    assert resident <= SUPERVISOR_BYTES


def test_a_release_whose_layers_are_gone_says_so(local: Local) -> None:
    local.deploy()
    code = local.bundle(UPPER).layer("code").path
    local.deploy(UPPER.replace("upper", "lower"))
    shutil.rmtree(code)
    with pytest.raises(ProviderError, match="no longer in the cache"):
        local.provider.rollback("demo", "dev", None)
    assert local.answer("MiX") == "mix"


def test_logs_are_followed_as_they_come_and_end_with_the_function(local: Local) -> None:
    local.deploy()
    seen: list[str] = []
    followed = threading.Thread(
        target=lambda: seen.extend(
            str(line["event"]) for line in local.provider.logs("demo", "dev", follow=True)
        )
    )
    followed.start()
    local.answer("x")
    local.provider.destroy("demo", "dev", report=local.report)
    followed.join(PATIENCE_S)
    assert not followed.is_alive()
    assert "worker-ready" in seen


def test_the_state_holds_no_token_and_no_secret(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "s3cr3t-value-of-mine")
    local.configure(secrets={"KEY": "env:MY_KEY"})
    local.deploy()
    with sqlite3.connect(local.client.paths.state) as state:
        dump = "\n".join(state.iterdump())
    state.close()
    assert "s3cr3t" not in dump
    assert "s3cr3t" not in str(local.status())


def test_the_endpoint_shows_what_it_serves(local: Local) -> None:
    endpoint = local.deploy().endpoint
    for route in ("/ping", "/healthz", "/readyz", "/openapi.json", "/metrics", "/schema"):
        assert get(endpoint + route)[0] == 200, route
