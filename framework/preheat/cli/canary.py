"""A canary that is watched: a share of the traffic for a while, then all of it, or back if an alarm fires."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import click

from preheat.errors import PreheatError, ProviderError
from preheat.progress import Amount, Report, Step
from preheat.provider.protocol import Deployment, Provider

STAGE = "canary"
LOOK_EVERY_S = 10.0
UNITS_S = {"s": 1, "m": 60, "h": 3600}
DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smh])")


class AlarmFired(PreheatError):
    """The canary was taken back; the message says for which alarm."""


def read_duration(_ctx: click.Context, _option: click.Parameter, text: str | None) -> float | None:
    """Return `90s`, `10m` or `1h` in seconds."""
    if text is None:
        return None
    found = DURATION.fullmatch(text)
    seconds = float(found[1]) * UNITS_S[found[2]] if found else 0.0
    if seconds <= 0:
        raise click.BadParameter(f"{text!r} is no duration; write 90s, 10m or 1h.")
    return seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """One release on trial. `alarms` are the platform's; without one, those that deploy made are watched."""

    provider: Provider
    name: str
    stage: str
    share: float
    for_s: float
    alarms: tuple[str, ...]
    report: Report
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def run(self) -> Deployment:
        """Shift the traffic, watch, then give the newest release the rest. Raises AlarmFired."""
        stable = self._stable()
        self._require_silence()
        self.report(Step(STAGE, f"{self.share:.0%} of the traffic to the newest release of {self.name}"))
        self.provider.promote(self.name, self.stage, canary=self.share)
        end = self.clock() + self.for_s
        while (left := end - self.clock()) > 0:
            seconds = round(self.for_s - left)
            self.report(Amount(STAGE, "watched", seconds, round(self.for_s), "s"))
            self.sleep(min(LOOK_EVERY_S, left))
            self._take_back_if_firing(stable)
        return self.provider.promote(self.name, self.stage, canary=None)

    def _stable(self) -> int:
        """Return the release that gets the rest of the traffic, and all of it again if this fails."""
        numbers = [release.number for release in self.provider.releases(self.name, self.stage)]
        active = self.provider.deployment(self.name, self.stage).release
        if active != numbers[0]:
            return active
        if len(numbers) == 1:
            raise ProviderError(f"{self.name} has one release only, so there is nothing to compare it with.")
        return numbers[1]

    def _require_silence(self) -> None:
        firing = self.provider.firing(self.name, self.stage, self.alarms)
        if firing:
            raise ProviderError(
                f"{', '.join(firing)} fires before the canary has begun.",
                hint=f"preheat logs {self.name} --provider {self.provider.name} --stage {self.stage}",
            )

    def _take_back_if_firing(self, stable: int) -> None:
        firing = self.provider.firing(self.name, self.stage, self.alarms)
        if not firing:
            return
        self.provider.rollback(self.name, self.stage, stable)
        raise AlarmFired(
            f"{', '.join(firing)} fires: release {stable} has all of the traffic again.",
            hint=f"preheat logs {self.name} --provider {self.provider.name} --stage {self.stage}",
        )
