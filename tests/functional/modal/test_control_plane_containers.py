"""Running what was deployed: Modal's real container entrypoint, with the uploaded files only."""

import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import modal
import pytest
from tests.fakes.modal.container import Container
from tests.fakes.modal.plane import ControlPlane
from tests.fakes.modal.recipe import PYTHON
from tests.fakes.modal.state import Input
from tests.fakes.modal.timing import Question, first_answer_s, requests_s
from tests.fakes.modal.versions import ClientProgram, client_program
from tests.fakes.patience import PATIENCE_S

SAMPLE = Path(__file__).parent / "sample"
MAIN = "Zoo.*"
CALLER = """
import json, modal
zoo = modal.Cls.from_name("zoo", "Zoo")()
call = zoo.double.spawn(21)
again = modal.FunctionCall.from_id(call.object_id)
print(json.dumps([call.get(timeout=120), again.get(timeout=0), sorted(zoo.double.map(range(4)))]))
"""

TINY = f"""
import modal
app = modal.App("tiny")
image = modal.Image.debian_slim(python_version="{PYTHON}")
app.function(image=image, serialized=True, name="wait")(lambda: __import__("time").sleep(300))
app.deploy()
modal.Function.from_name("tiny", "wait").spawn()
"""


@pytest.fixture(scope="module")
def web(zoo: ControlPlane) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=zoo.url("zoo", MAIN, "web"), timeout=120, trust_env=False) as client:
        yield client


@pytest.fixture
def seen(zoo: ControlPlane, zoo_client: modal.Client) -> dict[str, object]:
    """What a container sees of itself."""
    found: dict[str, object] = modal.Cls.from_name("zoo", "Zoo", client=zoo_client)().seen.remote()
    return found


def main_container(zoo: ControlPlane) -> Container:
    return next(c for c in zoo.containers if c.tag == MAIN and c.exit_code is None)


def running(zoo: ControlPlane, tag: str) -> list[Input]:
    return [one for one in zoo.inputs("zoo", tag) if one.container and one.output is None]


def program_of(zoo: ControlPlane, home: Path) -> ClientProgram:
    return client_program(zoo.environment(home))


def test_what_is_on_the_disk_was_uploaded_or_installed_by_the_image(seen: dict[str, object]) -> None:
    assert seen["project"] == "/root/zoo.py"
    assert seen["animals"] == ["cat.json"]
    assert seen["weights"] == b"hello"
    assert seen["iniconfig"] == f"/opt/image/lib/python{PYTHON}/site-packages/iniconfig/__init__.py"
    roots = seen["roots"]
    assert isinstance(roots, list)
    assert not {"work", "home", "srv"} & set(roots)


def test_secrets_and_image_variables_arrive_and_tokens_do_not(seen: dict[str, object]) -> None:
    assert seen["environment"] == {"ZOO": "open", "KEY": "of-the-zoo", "MODAL_TOKEN_SECRET": None}


def test_a_missing_package_shows(zoo: ControlPlane, zoo_client: modal.Client) -> None:
    function = modal.Function.from_name("zoo", "needs_numpy", client=zoo_client)
    with pytest.raises(ModuleNotFoundError, match="numpy"):
        function.remote()


def test_a_snapshot_is_taken_between_the_two_kinds_of_enter(
    zoo: ControlPlane, seen: dict[str, object]
) -> None:
    container = main_container(zoo)
    assert seen["order"] == ["load", "connect"]
    times = [container.times[stage] for stage in ("starting", "hello", "checkpoint", "restored", "ready")]
    assert times == sorted(times)


def test_what_has_run_before_the_checkpoint_is_load_alone(zoo: ControlPlane) -> None:
    lines: list[list[str]] = []
    zoo.on_checkpoint = lambda container: lines.append(list(container.lines))
    container = zoo.start("zoo", MAIN)
    zoo.on_checkpoint = lambda container: None
    assert "zoo: connect" not in lines[0]
    assert container.lines[:2] == ["zoo: load", "zoo: connect"]


def test_a_web_request_is_answered_with_its_body_and_headers(web: httpx.Client) -> None:
    body = bytes(range(256)) * 20_000
    answer = web.post("/echo", content=body)
    assert (answer.status_code, answer.content, answer.headers["x-zoo"]) == (201, body, "1")
    assert web.get("/nowhere/%C3%A9?x=1").text == "/nowhere/é"


def test_a_stream_comes_in_pieces(web: httpx.Client) -> None:
    with web.stream("GET", "/stream") as answer:
        assert b"".join(answer.iter_raw()) == b"one\ntwo\nthree\n"
        assert "content-length" not in answer.headers


def test_a_guarded_endpoint_wants_the_two_headers(zoo: ControlPlane) -> None:
    url = zoo.url("zoo", MAIN, "guarded")
    (key, secret), *_ = zoo.proxy_tokens.items()
    given = [{}, {"Modal-Key": key}, {"Modal-Key": key, "Modal-Secret": "ws-other"}]
    assert [
        httpx.get(url, headers=headers, trust_env=False, timeout=PATIENCE_S).status_code for headers in given
    ] == [401] * 3
    right = {"Modal-Key": key, "Modal-Secret": secret}
    assert httpx.get(f"{url}/stream", headers=right, trust_env=False, timeout=PATIENCE_S).status_code == 200


def test_no_more_requests_run_at_once_than_the_class_takes(web: httpx.Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        peaks = list(pool.map(lambda _: int(web.get("/gather?4").content), range(8)))
    assert max(peaks) == 4


def test_a_slow_request_is_led_to_its_result_by_303(zoo: ControlPlane, web: httpx.Client) -> None:
    zoo.web_timeout_s = 0.05
    try:
        first = web.get("/wait?0.4")
        assert (first.status_code, "__modal_function_call_id=fc-" in first.headers["location"]) == (303, True)
        zoo.web_timeout_s = 5
        assert web.get(first.headers["location"]).status_code == 200
    finally:
        zoo.web_timeout_s = 150.0


def test_jobs_by_the_client_under_test(zoo: ControlPlane, tmp_path: Path) -> None:
    program = program_of(zoo, tmp_path)
    assert program.evaluate(CALLER, folder=tmp_path) == [42, 42, [0, 2, 4, 6]]


def test_an_exception_arrives_with_its_type(zoo: ControlPlane, zoo_client: modal.Client) -> None:
    with pytest.raises(ValueError, match="no such animal"):
        modal.Cls.from_name("zoo", "Zoo", client=zoo_client)().fail.remote()


@pytest.mark.parametrize("detached", [False, True])
def test_a_function_is_retried_whether_it_is_waited_for_or_not(
    zoo: ControlPlane, zoo_client: modal.Client, detached: bool
) -> None:
    function = modal.Function.from_name("zoo", "third_time", client=zoo_client)
    zoo.start("zoo", "third_time")
    for container in zoo.drain("zoo"):  # the module counts its attempts
        assert container.exit_code == 0
    assert (function.spawn().get(timeout=120) if detached else function.remote()) == 3


def test_a_call_is_cancelled_while_it_runs(zoo: ControlPlane, zoo_client: modal.Client) -> None:
    function = modal.Function.from_name("zoo", "sleep", client=zoo_client)
    call = function.spawn(30.0)
    zoo.until(lambda: running(zoo, "sleep"))
    assert function.get_current_stats().num_running_inputs == 1
    call.cancel()
    with pytest.raises(modal.exception.RemoteError):
        call.get(timeout=120)
    assert function.remote(0.0) == 0.0


def test_a_failing_enter_fails_the_inputs_that_wait(zoo: ControlPlane, zoo_client: modal.Client) -> None:
    with pytest.raises(RuntimeError, match="the weights are not there"):
        modal.Cls.from_name("zoo", "Broken", client=zoo_client)().predict.remote()
    container = next(c for c in zoo.containers if c.tag == "Broken.*")
    zoo.until(lambda: container.exit_code is not None)
    assert "ready" not in container.times


def test_a_schedule_is_known_and_its_tick_runs(zoo: ControlPlane) -> None:
    (schedule,) = zoo.schedules("zoo").values()
    assert (schedule.cron.cron_string, schedule.cron.timezone) == ("*/5 * * * *", "Europe/Paris")
    zoo.fire("zoo", "tick")
    zoo.until(lambda: [c for c in zoo.containers if c.tag == "tick" and "tick" in c.lines])


def test_the_pool_is_changed_live(zoo: ControlPlane, zoo_client: modal.Client) -> None:
    zoo.drain("zoo")
    function = modal.Function.from_name("zoo", "sleep", client=zoo_client)
    function.autoscaler.update(min_containers=2)
    alive = zoo.until(lambda: [c for c in zoo.containers if c.tag == "sleep" and "ready" in c.times])
    assert function.get_current_stats().num_total_runners == 2
    assert function.autoscaler.settings().min_containers == 2
    function.autoscaler.update(min_containers=0)
    assert alive


def test_logs_are_fetched_and_followed(zoo: ControlPlane, tmp_path: Path) -> None:
    zoo.start("zoo", MAIN)
    program = program_of(zoo, tmp_path)
    command = ("-m", "modal", "app", "logs", "zoo")
    assert "zoo: load" in program.run(*command, folder=tmp_path)
    zoo.journal.clear()
    with subprocess.Popen(
        [program.python, "-u", *command, "--follow"],
        env=program.env,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        zoo.until(lambda: "AppGetLogs" in zoo.journal.names())
        zoo.fire("zoo", "tick")
        assert any(line.strip().endswith("tick") for line in process.stdout)
        process.kill()


def test_draining_finishes_the_request_and_runs_the_exit_hook(zoo: ControlPlane, web: httpx.Client) -> None:
    web.get("/stream")
    container = main_container(zoo)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(web.get, "/wait?0.5")
        zoo.until(lambda: running(zoo, MAIN))
        zoo.drain("zoo")
        assert slow.result().status_code == 200
    assert (container.exit_code, container.lines[-1]) == (0, "zoo: leave")


def test_a_start_and_a_request_are_timed(zoo: ControlPlane) -> None:
    first_s = first_answer_s(zoo, "zoo", MAIN, "web", Question("/stream"))
    container = main_container(zoo)
    assert container.times["ready"] - container.times["starting"] < first_s < 30
    taken = requests_s(zoo.url("zoo", MAIN, "web"), Question("/stream"), 5)
    assert len(taken) == 5
    assert min(taken) < first_s


def test_a_container_that_is_killed_fails_what_it_had_and_is_replaced(
    zoo: ControlPlane, zoo_client: modal.Client
) -> None:
    function = modal.Function.from_name("zoo", "die", client=zoo_client)
    with pytest.raises(modal.exception.RemoteError, match="137"):
        function.remote(True)
    assert function.remote(False) == "alive"


def test_a_late_input_is_a_timeout(zoo: ControlPlane, zoo_client: modal.Client) -> None:
    with pytest.raises(modal.exception.FunctionTimeoutError):
        modal.Function.from_name("zoo", "late", client=zoo_client).remote()


def test_a_new_deployment_drains_the_containers_of_the_old_one(zoo: ControlPlane, tmp_path: Path) -> None:
    old = zoo.start("zoo", MAIN)
    program_of(zoo, tmp_path).run("-m", "modal", "deploy", "zoo.py", folder=SAMPLE)
    zoo.until(lambda: old.exit_code is not None)
    assert old.lines[-1] == "zoo: leave"
    assert zoo.start("zoo", MAIN).definition != old.definition


def test_nothing_of_a_plane_outlives_it(tmp_path: Path) -> None:
    (tmp_path / "plane").mkdir()
    with ControlPlane(tmp_path / "plane") as plane:
        address = plane.address
        program_of(plane, tmp_path).run("-c", TINY, folder=tmp_path)
        plane.until(lambda: [one for one in plane.inputs("tiny", "wait") if one.container])
        (busy,) = plane.containers
        url = busy.environment["MODAL_SERVER_URL"]
        assert started_with(url)
    assert not started_with(url)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), 1)


def started_with(url: str) -> list[Path]:
    """Return the processes whose environment names that control plane."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if f"MODAL_SERVER_URL={url}\0".encode() in path.read_bytes():
                found.append(path.parent)
    return found
