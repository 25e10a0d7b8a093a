"""What SageMaker does with a container, done to its process.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.ports import free_port
from tests.fakes.sagemaker.container import WeighingProcess
from tests.functional.sagemaker.container.conftest import Start

from preheat.interface.manifest import Limits

pytestmark = pytest.mark.runtime

LONGEST_HEAD = 4096
"""Of an answer; longer ones are refused (aws/deep-learning-containers issue 4668)."""
JSON = {"content-type": "application/json"}
HEAD = (
    b"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
)

SLOW_SETUP = """
    import os, time, preheat

    class Model(preheat.Handler):
        def setup(self, ctx):
            with open({gate!r}) as gate: gate.read()

        def predict(self, text: str) -> str: return text.upper()
    """
TELLING = """
    import os, preheat

    class Model(preheat.Handler):
        def setup(self, ctx):
            self.known = f"{ctx.stage} {ctx.provider} {ctx.release}"

        def predict(self, name: str, call: preheat.Call) -> dict[str, str]:
            return {"id": call.id, "known": self.known, "gpus": os.environ.get("CUDA_VISIBLE_DEVICES", "all"),
                    "user": str(os.getuid()), **call.headers}
    """
WEIGHING = """
    import preheat

    class Model(preheat.Handler):
        def setup(self, ctx): self.text = ctx.weights["model"].read_text()
        def predict(self, ignored: None) -> str: return self.text
    """
COUNTING = """
    import preheat
    from collections.abc import Iterator

    class Model(preheat.Handler):
        def predict(self, upto: int) -> Iterator[int]: yield from range(upto)
    """
GATED = """
    import preheat

    class Model(preheat.Handler):
        def predict(self, path: str) -> str:
            print("begun", flush=True)
            with open(path) as gate: return gate.read()
    """


def test_ping_is_answered_while_setup_runs_and_is_200_and_empty_when_it_is_ready(
    start: Start, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    container = start(SLOW_SETUP.format(gate=str(gate)))
    with gate.open("w"):
        assert container.get("/ping")[0] == 503
    container.until("ready")
    assert container.get("/ping") == (200, b"")
    assert container.post("a") == (200, "A")


def test_connections_are_taken_at_once_also_while_predict_runs(start: Start, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    container = start(GATED)
    container.until("ready")
    body = json.dumps(str(gate)).encode()
    with container.connect_raw() as busy:
        busy.sendall(HEAD % len(body) + body)
        container.until_printed("begun")
        container.connect_raw().close()
        assert container.get("/ping") == (200, b"")
        gate.write_text("done")
        assert busy.recv(10_000).endswith(b'"done"')


def test_the_handler_is_told_of_the_request_and_other_headers_are_ignored(start: Start) -> None:
    env = {"PREHEAT_STAGE": "prod", "PREHEAT_RELEASE": "7", "CUDA_VISIBLE_DEVICES": "GPU-3"}
    container = start(TELLING, env=env)
    container.until("ready")
    headers = {
        "X-Amzn-SageMaker-Custom-Attributes": "tenant=blue",
        "X-Amzn-SageMaker-Inference-Id": "job-17",
        "X-Amzn-SageMaker-Something-New": "y" * 500,
        "X-Forwarded-For": "10.0.0.1",
        "User-Agent": "AHC/2.0",
    }
    status, told = container.post("x", **headers)
    assert status == 200
    assert told == {
        "id": "job-17",
        "known": "prod sagemaker 7",
        "gpus": "GPU-3",
        "user": str(os.getuid()),
        "x-amzn-sagemaker-custom-attributes": "tenant=blue",
        "x-amzn-sagemaker-inference-id": "job-17",
    }


def test_nobody_needs_a_token(start: Start) -> None:
    container = start()
    container.until("ready")
    assert container.post("a")[0] == 200
    assert container.get("/metrics")[0] == 200


def test_every_line_of_standard_error_is_json_and_every_request_has_one_on_standard_output(
    start: Start,
) -> None:
    container = start()
    container.until("ready")
    container.post("a", **{"x-amzn-sagemaker-inference-id": "job-1"})
    container.get("/ping")
    container.stop()
    assert container.ended() == 0
    assert {event["event"] for event in container.events} == {"starting", "ready", "draining"}
    [line] = [json.loads(line) for line in container.output.splitlines() if line.startswith("{")]
    assert (line["event"], line["request_id"], line["status"]) == ("access", "job-1", 200)


@pytest.mark.parametrize("mode", ["async", "serverless"])
def test_a_stream_has_a_length_where_nothing_hands_it_on(start: Start, mode: str) -> None:
    container = start(COUNTING, env={"PREHEAT_SAGEMAKER_MODE": mode})
    container.until("ready")
    assert whole_answer(container, b"3") == (200, "6", b"0\n1\n2\n")


def test_a_stream_stays_one_on_a_real_time_endpoint(start: Start) -> None:
    container = start(COUNTING, env={"PREHEAT_SAGEMAKER_MODE": "realtime"})
    container.until("ready")
    assert whole_answer(container, b"3") == (200, None, b"0\n1\n2\n")


def whole_answer(container: Any, body: bytes) -> tuple[int, str | None, bytes]:
    connection = container.connect()
    try:
        connection.request("POST", "/invocations", body, JSON)
        answer = connection.getresponse()
        assert len(str(answer.headers)) < LONGEST_HEAD
        return answer.status, answer.getheader("content-length"), answer.read()
    finally:
        connection.close()


def test_weights_come_from_where_sagemaker_puts_them(start: Start, tmp_path: Path) -> None:
    weights = tmp_path / "ml" / "model" / "model"
    weights.mkdir(parents=True)
    (weights / "data.txt").write_text("heavy")
    container = start(WEIGHING, WeighingProcess, env={"SAGEMAKER_BASE_DIR": str(tmp_path / "ml")})
    container.until("ready")
    assert container.post(None) == (200, "heavy")


def test_weights_that_are_nowhere_end_it_with_the_reason(start: Start, tmp_path: Path) -> None:
    container = start(WEIGHING, WeighingProcess, env={"SAGEMAKER_BASE_DIR": str(tmp_path)})
    assert container.ended() == 1
    [failed] = container.found("failed")
    assert "The weights model are neither in the image nor below" in failed["message"]
    assert "ModelDataSource" in failed["hint"]


def test_sigterm_answers_what_is_in_hand(start: Start, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    container = start(GATED, limits=Limits(timeout_s=60, setup_s=20))
    container.until("ready")
    body = json.dumps(str(gate)).encode()
    with container.connect_raw() as asked:
        asked.sendall(HEAD % len(body) + body)
        container.until_printed("begun")
        container.stop(signal.SIGTERM)
        container.until("draining")
        gate.write_text("done")
        assert asked.recv(10_000).endswith(b'"done"')
    assert container.ended() == 0


def test_several_workers_by_the_variable_that_awss_own_containers_have(start: Start) -> None:
    container = start(env={"SAGEMAKER_MODEL_SERVER_WORKERS": "2"})
    container.until("ready", times=2)
    container.until_well()
    held = [container.connect() for _ in range(2)]  # each goes to the least loaded
    pids = set()
    for connection in held:
        connection.request("POST", "/invocations", b'"a"', JSON)
        pids.add(json.loads(connection.getresponse().read())["pid"])
        assert connection.sock is not None
    for connection in held:
        connection.close()
    assert len(pids) == 2


def test_a_handler_that_cannot_be_forked_starts_over_with_the_same_arguments(start: Start) -> None:
    container = start(
        """
        import threading, preheat

        class Model(preheat.Handler):
            def setup(self, ctx):
                self.stop = threading.Event()
                threading.Thread(target=self.stop.wait, daemon=True).start()
            def predict(self, text: str) -> str: return text
        """,
        env={"SAGEMAKER_MODEL_SERVER_WORKERS": "2"},
    )
    container.until_well()
    assert "1 more threads" in container.found("not-forked")[0]["message"]
    assert container.post("a") == (200, "a")
    container.stop()
    assert container.ended() == 0


def test_it_listens_where_a_pipeline_says(start: Start) -> None:
    port = free_port()
    container = start(env={"SAGEMAKER_BIND_TO_PORT": str(port)}, listening=False)
    [ready] = container.until("ready")
    assert f"http://0.0.0.0:{port}" in ready["message"]
    container.port = port
    assert container.get("/ping") == (200, b"")
