"""Are the answers right? Concurrent different texts before the load, one text after another during it."""

import http.client
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.bench.serving.dialects import Dialect, WrongAnswer

TOLERANCE = 1e-4
"""The largest difference of one number: float32 sums in another order differ by about 1e-6."""
TIMEOUT_S = 60.0
PROBE_EVERY_S = 0.2

Vector = Sequence[float]


def compare(found: Vector, expected: Vector) -> None:
    """Raise WrongAnswer unless both have one length and differ nowhere by more than TOLERANCE."""
    if len(found) != len(expected):
        raise WrongAnswer(f"{len(found)} numbers instead of {len(expected)}")
    for one, other in zip(found, expected, strict=True):
        if not abs(one - other) <= TOLERANCE:  # so that NaN is wrong too
            raise WrongAnswer(f"{one:g} instead of {other:g}: another text's vector, or a broken one")


@dataclass(frozen=True, slots=True)
class Address:
    """A server on this machine and how to speak to it."""

    port: int
    dialect: Dialect

    @property
    def url(self) -> str:
        """The address that takes texts."""
        return f"http://127.0.0.1:{self.port}{self.dialect.path}"

    def ask(self, text: str, connection: http.client.HTTPConnection | None = None) -> list[float]:
        """Return the vector for `text`. Raises WrongAnswer, OSError or http.client.HTTPException."""
        used = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        try:
            headers = {"content-type": "application/json"}
            used.request("POST", self.dialect.path, self.dialect.body(text), headers)
            answer = used.getresponse()
            content = answer.read()
        finally:
            if connection is None:
                used.close()
        if answer.status != 200:
            raise WrongAnswer(f"status {answer.status}: {content[:200]!r}")
        return self.dialect.read(content)


def verify(address: Address, expected: Mapping[str, Vector], *, turns: int = 2) -> None:
    """Send every text at once, `turns` times, and compare each answer. Raises WrongAnswer."""

    def check(item: tuple[str, Vector]) -> None:
        text, vector = item
        compare(address.ask(text), vector)

    with ThreadPoolExecutor(len(expected)) as threads:
        for _ in range(turns):
            list(threads.map(check, expected.items()))


class Probe:
    """Asks for one text after another while others load the server, and compares each answer.

    Five requests a second on a connection of its own: little beside any load, and the same for all.
    """

    def __init__(self, address: Address, expected: Mapping[str, Vector]) -> None:
        self._address = address
        self._expected = list(expected.items())
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.checked = 0
        self.wrong: list[str] = []

    def __enter__(self) -> "Probe":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._address.port, timeout=TIMEOUT_S)
        while not self._stop.wait(PROBE_EVERY_S):
            text, vector = self._expected[self.checked % len(self._expected)]
            self.checked += 1
            try:
                compare(self._address.ask(text, connection), vector)
            except (WrongAnswer, OSError, http.client.HTTPException) as exc:
                self.wrong.append(str(exc) or type(exc).__name__)
                connection.close()
        connection.close()
