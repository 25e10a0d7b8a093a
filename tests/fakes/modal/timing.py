"""How long the containers of a control plane take: the same measure for any two apps, in one run."""

import http
import http.client
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.fakes.modal.plane import ControlPlane
from tests.fakes.patience import PATIENCE_S


@dataclass(frozen=True)
class Question:
    """One HTTP request to a web endpoint."""

    path: str = "/"
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


def first_answer_s(plane: ControlPlane, app: str, tag: str, method: str, question: Question) -> float:
    """Drain `app`, ask, and return the seconds from the entrypoint's begin to the whole answer.

    What the control plane does before (it lays out the files) is not in it. Any status but 200 is an error.
    """
    plane.drain(app)
    before = set(map(id, plane.containers))
    connection = _connect(plane.url(app, tag, method))
    try:
        _ask(connection, question)
        answered = time.monotonic()
    finally:
        connection.close()
    (container,) = [one for one in plane.containers if id(one) not in before and one.tag == tag]
    return answered - container.times["starting"]


def requests_s(url: str, question: Question, times: int) -> list[float]:
    """Ask `times` times, one after the other on one connection; return the seconds of each."""
    connection = _connect(url)
    taken = []
    try:
        for _ in range(times):
            begun = time.perf_counter()
            _ask(connection, question)
            taken.append(time.perf_counter() - begun)
    finally:
        connection.close()
    return taken


def _connect(url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    assert parts.hostname is not None
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE_S)


def _ask(connection: http.client.HTTPConnection, question: Question) -> None:
    verb = "POST" if question.body else "GET"
    connection.request(verb, question.path, question.body or None, dict(question.headers))
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == http.HTTPStatus.OK, (answer.status, body[:500])
