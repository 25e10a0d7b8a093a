"""Load for as long as asked, and whether memory or open files grow. By hand: `--soak 30`."""

import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.serving.contenders import OURS
from tests.bench.serving.figures import Point
from tests.bench.serving.load import drive
from tests.bench.serving.processes import Usage, usage
from tests.bench.serving.references import expected
from tests.bench.serving.run import Run
from tests.bench.serving.servers import running
from tests.bench.serving.texts import short_sentences

EVERY_S = 5.0
SEGMENT_S = 30.0
SETTLING = 0.2
"""The share of the samples, from the start, in which caches and arenas still fill."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the server used, `at_s` seconds after the load began."""

    at_s: float
    usage: Usage


@dataclass(frozen=True, slots=True)
class Soaked:
    """What a soak found, after settling: medians of the first and the last fifth of the samples, and growth.

    Growth is per hour, by the Theil-Sen slope.
    """

    minutes: float
    requests: int
    failed: int
    wrong: int
    rss_mb: tuple[float, float]
    files: tuple[float, float]
    rss_mb_per_hour: float
    files_per_hour: float


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the Theil-Sen slope: the median over all pairs, which a few outliers do not move.

    Theil, "A rank-invariant method of linear and polynomial regression analysis" (1950).
    """
    slopes = [
        (later_y - y) / (later_x - x)
        for number, (x, y) in enumerate(points)
        for later_x, later_y in points[number + 1 :]
        if later_x != x
    ]
    return statistics.median(slopes) if slopes else 0.0


class Sampler:
    """Samples a process and its descendants in a thread, until it is left."""

    def __init__(self, pid: int, every_s: float = EVERY_S) -> None:
        self._pid = pid
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.samples: list[Sample] = []

    def __enter__(self) -> "Sampler":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        started = time.monotonic()
        while True:
            self.samples.append(Sample(time.monotonic() - started, usage(self._pid)))
            if self._stop.wait(self._every_s):
                return


def soak(run: Run, minutes: float) -> Soaked:
    """Load Preheat's embedding, 32 requests at a time, for `minutes`."""
    texts = short_sentences()
    known = expected(run.room, "embedding", texts)
    (ours,) = (one for one in OURS if one.stage == "embedding")
    points: list[Point] = []
    with running(run.room, ours, "embedding", known) as server, Sampler(server.pid) as sampler:
        ends = time.monotonic() + 60 * minutes
        while (left := ends - time.monotonic()) > 0:
            seconds = min(SEGMENT_S, left)
            points.append(drive(run.room, server.address, known, connections=32, seconds=seconds))
            run.say(f"soak: {left / 60:.1f} minutes left, {points[-1].rps:.0f} requests/s")
    return summary(minutes, points, sampler.samples)


def summary(minutes: float, points: Sequence[Point], samples: Sequence[Sample]) -> Soaked:
    """Return the growth after settling, and what became of the requests."""
    settled = samples[int(SETTLING * len(samples)) :]
    rss_mb = [(sample.at_s, sample.usage.rss_mb) for sample in settled]
    files = [(sample.at_s, float(sample.usage.files)) for sample in settled]
    return Soaked(
        minutes=minutes,
        requests=sum(point.requests for point in points),
        failed=sum(point.failed for point in points),
        wrong=sum(point.wrong for point in points),
        rss_mb=ends(rss_mb),
        files=ends(files),
        rss_mb_per_hour=3600 * slope(rss_mb),
        files_per_hour=3600 * slope(files),
    )


def ends(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the medians of the first and of the last fifth of `points`."""
    values = [value for _, value in points]
    fifth = max(1, len(values) // 5)
    return statistics.median(values[:fifth]), statistics.median(values[-fifth:])
