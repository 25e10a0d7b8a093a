"""Which answers are right."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.bench.serving.answers import Address, compare, verify
from tests.bench.serving.dialects import BATCHED_BENTO, PLAIN, WrongAnswer, inference_protocol

KNOWN = {text: [float(len(text)), 1.0] for text in ("a", "bb", "ccc", "dddd")}


@contextmanager
def serving(answer: Callable[[str], tuple[int, object]]) -> Iterator[Address]:
    """Serve PLAIN with what `answer` makes of a text."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["content-length"])))
            status, content = answer(question["text"])
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Address(server.server_address[1], PLAIN)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_float_noise_is_right() -> None:
    compare([0.1, 0.2], [0.1 + 1e-6, 0.2 - 1e-6])


@pytest.mark.parametrize("found", [[0.1, 0.201], [0.1], [0.1, 0.2, 0.3], [0.1, float("nan")]])
def test_another_number_or_another_length_is_wrong(found: list[float]) -> None:
    with pytest.raises(WrongAnswer):
        compare(found, [0.1, 0.2])


def test_a_server_that_answers_every_text_right_passes() -> None:
    with serving(lambda text: (200, {"embedding": KNOWN[text]})) as address:
        verify(address, KNOWN)


def test_a_server_that_mixes_two_answers_up_fails() -> None:
    swapped = {"a": "bb", "bb": "a"}
    with (
        serving(lambda text: (200, {"embedding": KNOWN[swapped.get(text, text)]})) as address,
        pytest.raises(WrongAnswer, match=r"2 instead of 1|1 instead of 2"),
    ):
        verify(address, KNOWN)


def test_a_status_that_is_not_200_fails_with_what_it_said() -> None:
    with (
        serving(lambda text: (503, {"detail": "loading"})) as address,
        pytest.raises(WrongAnswer, match=r"status 503.*loading"),
    ):
        verify(address, KNOWN)


@pytest.mark.parametrize(
    ("dialect", "body", "answer"),
    [
        (PLAIN, {"text": "hi"}, {"embedding": [1, 2.5]}),
        (BATCHED_BENTO, {"texts": ["hi"]}, [[1, 2.5]]),
        (
            inference_protocol(1, 1),
            {"inputs": [{"name": "text", "shape": [1, 1], "datatype": "BYTES", "data": ["hi"]}]},
            {"outputs": [{"name": "embedding", "shape": [1, 2], "data": [1, 2.5]}]},
        ),
    ],
    ids=["plain", "bento", "inference-protocol"],
)
def test_each_dialect_asks_and_reads_in_its_own_shape(dialect: object, body: object, answer: object) -> None:
    assert isinstance(dialect, type(PLAIN))
    assert json.loads(dialect.body("hi")) == body
    assert dialect.read(json.dumps(answer).encode()) == [1.0, 2.5]


@pytest.mark.parametrize("content", [b"", b"[]", b'{"embedding": null}', b'{"embedding": ["x"]}', b"{}"])
def test_an_answer_without_a_vector_is_wrong(content: bytes) -> None:
    with pytest.raises(WrongAnswer, match="no vector"):
        PLAIN.read(content)
