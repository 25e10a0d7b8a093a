"""gRPC beside HTTP in a server with the model inside."""

import json
import re
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy
import pytest
import tritonclient.grpc as triton
from tests.fakes.servers import ServerProcess
from tests.functional.serving.test_one_process import GATED, gate_in
from tritonclient.utils import InferenceServerException

pytestmark = pytest.mark.runtime

Start = Callable[..., ServerProcess]


def port_of(server: ServerProcess) -> int:
    (ready,) = server.until("ready")
    found = re.search(r"gRPC at port (\d+)", ready["message"])
    assert found is not None
    return int(found[1])


def client_of(server: ServerProcess) -> triton.InferenceServerClient:
    return triton.InferenceServerClient(f"127.0.0.1:{port_of(server)}")


def until_refused(port: int) -> None:
    """Connect until nobody accepts any more."""
    deadline = time.monotonic() + 20
    with suppress(ConnectionRefusedError):
        while time.monotonic() < deadline:
            socket.create_connection(("127.0.0.1", port)).close()
        raise AssertionError(f"port {port} still takes connections")


def text(value: str) -> list[triton.InferInput]:
    given = triton.InferInput("input", [1], "BYTES")
    given.set_data_from_numpy(numpy.array([json.dumps(value).encode()], dtype=object))
    return [given]


def test_both_answer_from_the_same_model(start: Start) -> None:
    server = start("--grpc-port", "0")
    with client_of(server) as client:
        answer = json.loads(client.infer("demo", text("hi")).as_numpy("output")[0])
    assert (answer["text"], answer["pid"]) == ("HI", str(server.process.pid))
    assert server.post("hi")[1]["pid"] == answer["pid"]
    assert b'route="grpc"' in server.get("/metrics")[1]


def test_the_token_of_the_server_is_wanted(start: Start) -> None:
    server = start("--grpc-port", "0", "--token-env", "KEY", env={"KEY": "s3cret"})
    with client_of(server) as client:
        with pytest.raises(InferenceServerException, match="UNAUTHENTICATED"):
            client.infer("demo", text("hi"))
        client.infer("demo", text("hi"), headers={"authorization": "Bearer s3cret"})


def test_draining_takes_no_more_calls_and_answers_those_in_hand(start: Start, tmp_path: Path) -> None:
    gate = gate_in(tmp_path)
    server = start("--grpc-port", "0", source=GATED)
    with client_of(server) as client, ThreadPoolExecutor() as pool:
        waiting = pool.submit(client.infer, "demo", text(str(gate)))
        server.until_printed("begun")
        server.stop()
        until_refused(port_of(server))
        assert not waiting.done()
        gate.write_text("through")
        assert json.loads(waiting.result().as_numpy("output")[0]) == "through"
    assert server.ended() == 0
    assert "torn down" in server.output


def test_a_port_that_is_taken_is_said_and_ends_the_server(start: Start) -> None:
    first = start("--grpc-port", "0")
    port = str(port_of(first))
    second = start("--grpc-port", port)
    (failed,) = second.until("failed")
    assert port in failed["message"]
    assert second.ended() == 1
