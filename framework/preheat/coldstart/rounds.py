"""Starts under conditions, in rounds: one of everything after another, so that a slow moment meets all.

Starts processes, one at a time; reads the bundle's files, and has the kernel forget them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from preheat.coldstart import pages
from preheat.coldstart.model import Bare, CacheState, Condition, Sample
from preheat.coldstart.starting import PLAIN, PROBED, Change, Starter
from preheat.coldstart.subject import Earlier, Subject
from preheat.progress import Amount, Report

STAGE = "measure"
IMPORT_ROUNDS = 3
IMPORTS = Change(probed=True, imports=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to measure: `conditions` in `runs` rounds; the first is what phases and savings are about.

    `drop_everything` empties the whole page cache before a cold start, not of the bundle's files alone.
    """

    conditions: tuple[Condition, ...] = (Condition(),)
    runs: int = 7
    savings: bool = True
    drop_everything: bool = False


@dataclass
class Series:
    """The starts under one condition, with the reference and the earlier release of the same rounds."""

    samples: list[Sample] = field(default_factory=list)
    bares: list[Bare] = field(default_factory=list)
    earlier: list[Sample] = field(default_factory=list)


class Rounds:
    """Starts `subject`, and `earlier` beside it if there is one, as `asked`."""

    def __init__(
        self, subject: Subject, asked: Asked, starter: Starter, report: Report, *, earlier: Earlier | None
    ) -> None:
        self.subject = subject
        self.asked = asked
        self.starter = starter
        self._report = report
        self.earlier = earlier
        subjects = (subject,) if earlier is None else (subject, earlier.subject)
        self._files = [(each, each.files) for each in subjects]
        self._forgotten = False

    @property
    def head(self) -> Condition:
        """The condition that phases are taken under."""
        return self.asked.conditions[0]

    def start(self, condition: Condition, change: Change = PLAIN, subject: Subject | None = None) -> Sample:
        """Start once under `condition`."""
        self._prepare(condition)
        return self.starter.start((subject or self.subject).rehearsal, condition.cores, change)

    def compared(self, models: Sequence[str]) -> dict[Condition, Series]:
        """Return the starts of every round, the reference with a session of each of `models`."""
        found = {condition: Series() for condition in self.asked.conditions}
        for number in range(self.asked.runs):
            self._report(Amount(STAGE, "rounds of fresh processes", number, self.asked.runs, "rounds"))
            for condition, series in found.items():
                series.samples.append(self.start(condition))
                self._prepare(condition)
                series.bares.append(self.starter.bare(self.subject.path, models, condition.cores))
                if self.earlier is not None and condition == self.head:
                    series.earlier.append(self.start(condition, subject=self.earlier.subject))
        return found

    def probed(self) -> tuple[list[Sample], list[Sample]]:
        """Return starts with the probe: of the subject, and of the earlier release."""
        now, then = [], []
        for _ in range(self.asked.runs):
            now.append(self.start(self.head, PROBED))
            if self.earlier is not None:
                then.append(self.start(self.head, PROBED, self.earlier.subject))
        return now, then

    def importing(self) -> list[Sample]:
        """Return some starts whose imports were noted."""
        return [self.start(self.head, IMPORTS) for _ in range(IMPORT_ROUNDS)]

    def weights_ms(self) -> dict[CacheState, list[float]]:
        """Return how long it took to read all weights, in each state of the page cache that was asked for."""
        weights = tuple(pages.files_below([self.subject.weights.path]))
        states = dict.fromkeys(condition.cache for condition in self.asked.conditions)
        found: dict[CacheState, list[float]] = {}
        for state in states:
            for _ in range(self.asked.runs):
                self._prepare(Condition(cache=state))
                found.setdefault(state, []).append(pages.read_ms(weights))
        return found

    def _prepare(self, condition: Condition) -> None:
        """Have the page cache as `condition` wants it; after a cold start, a start that does not count."""
        if condition.cache == "cold":
            self._forget()
        elif self._forgotten:
            self._forgotten = False
            for subject, _ in self._files:
                self.starter.start(subject.rehearsal)

    def _forget(self) -> None:
        self._forgotten = True
        if self.asked.drop_everything:
            pages.forget_everything()
            return
        for _, files in self._files:
            pages.forget(files)
