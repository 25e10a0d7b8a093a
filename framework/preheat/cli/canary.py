"""A canary that is watched: a share of the traffic for a while, then all of it, or back if an alarm fires."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import click

from preheat.errors import PreheatError, ProviderError
from preheat.progress import Amount, Notice, Report, Step
from preheat.provider.protocol import Deployment, Provider

T = TypeVar("T")

STAGE = "canary"
LOOK_EVERY_S = 10.0
AGAIN_AFTER_S = (2.0, 5.0, 10.0)
"""When a look at the alarms, or a roll-back, is tried again that failed: most of what is throttled passes."""
ALARM_S = 300.0
"""How long an alarm may need: CloudWatch's count whole minutes, and hear of them minutes late."""
UNITS_S = {"s": 1, "m": 60, "h": 3600}
DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smh])")


class CanaryFailed(PreheatError):
    """The canary was taken back, or should have been; the message says why, the hint what is to be done."""


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
        """Shift the traffic, watch, then give the newest release the rest.

        Raises CanaryFailed if an alarm fires, or if that cannot be seen any more; the release beside it has
        then all of the traffic, or the hint says that it has not.
        """
        newest, active = self._newest_and_active()
        self._require_silence()
        self._remark_on_the_time()
        self.report(Step(STAGE, f"{self.share:.0%} of the traffic to the newest release of {self.name}"))
        split = self.provider.promote(self.name, self.stage, canary=self.share)
        stable = active if active != newest else split.release
        try:
            if not (firing := self._firing_in_time()):
                return self.provider.promote(self.name, self.stage, canary=None)
        except PreheatError as error:
            unfinished = f"The canary could not be finished ({error.message.rstrip('.')})"
            self._take_back(stable, unfinished)
            raise CanaryFailed(
                f"{unfinished}: release {stable} has all of the traffic again.",
                hint="\n".join(filter(None, (error.hint, self._again))),
            ) from error
        fires = f"{', '.join(firing)} fires"
        self._take_back(stable, fires)
        raise CanaryFailed(f"{fires}: release {stable} has all of the traffic again.", hint=self._logs)

    def _newest_and_active(self) -> tuple[int, int]:
        """Return the numbers of both. Raises ProviderError where there is nothing beside the newest."""
        found = self.provider.releases(self.name, self.stage)
        if len(found) == 1:
            raise ProviderError(f"{self.name} has one release only, so there is nothing to compare it with.")
        return found[0].number, next(release.number for release in found if release.active)

    def _require_silence(self) -> None:
        firing = self._firing()
        if firing:
            raise ProviderError(f"{', '.join(firing)} fires before the canary has begun.", hint=self._logs)

    def _remark_on_the_time(self) -> None:
        if self.for_s < ALARM_S:
            self.report(
                Notice(
                    STAGE,
                    f"{self.for_s:g} seconds are short: alarms count whole minutes and hear of them minutes "
                    "late, so that one may fire when the canary has all of the traffic.",
                    hint="--for 10m",
                )
            )

    def _firing_in_time(self) -> tuple[str, ...]:
        """Return the first alarms that fire, or nothing once the time is over. Raises PreheatError."""
        end = self.clock() + self.for_s
        while (left := end - self.clock()) > 0:
            seconds = round(self.for_s - left)
            self.report(Amount(STAGE, "watched", seconds, round(self.for_s), "s"))
            self.sleep(min(LOOK_EVERY_S, left))
            if firing := self._patiently(self._firing):
                return firing
        return ()

    def _take_back(self, stable: int, why: str) -> None:
        """Give `stable` all of the traffic. Raises CanaryFailed with `why` if that fails as well."""
        try:
            self._patiently(lambda: self.provider.rollback(self.name, self.stage, stable))
        except PreheatError as error:
            raise CanaryFailed(
                f"{why}, and release {stable} could not be given the traffic again: {error.message}",
                hint=f"preheat rollback {self.name} {stable} {self._flags}"
                f"  # {self.share:.0%} of the traffic is with the newest release still, unwatched",
            ) from error

    def _firing(self) -> tuple[str, ...]:
        return self.provider.firing(self.name, self.stage, self.alarms)

    def _patiently(self, call: Callable[[], T]) -> T:
        """Return what `call` does, which is tried a few times. Raises its last PreheatError."""
        for wait_s in AGAIN_AFTER_S:
            try:
                return call()
            except PreheatError:
                self.sleep(wait_s)
        return call()

    @property
    def _flags(self) -> str:
        return f"--provider {self.provider.name} --stage {self.stage}"

    @property
    def _logs(self) -> str:
        return f"preheat logs {self.name} {self._flags}"

    @property
    def _again(self) -> str:
        options = f"--canary {self.share:g} --for {round(self.for_s)}s"
        return f"preheat promote {self.name} {options} {self._flags}  # the canary once more"
