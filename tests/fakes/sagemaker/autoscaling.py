"""Application Auto Scaling for one variant, minute by minute. Ours, and not AWS's: it follows the documents.

Where they are silent it takes the way that is worse for us: a cooldown begins with the decision, and not
when the instances are there.
https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html and
https://docs.aws.amazon.com/autoscaling/application/userguide/step-scaling-policy-overview.html, 2026-11-21.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from tests.fakes.sagemaker.policies import Scaling, Stepping, Tracking

Series = Mapping[str, Sequence[float | None]]
"""The one-minute points of each metric; None is a minute without one."""


class AutoScaler:
    """Decides how many instances there should be; `capacity` is what it decided last."""

    def __init__(self, scaling: Scaling, clock: Callable[[], float], capacity: int) -> None:
        self._scaling = scaling
        self._clock = clock
        self.capacity = capacity
        self._out_at = self._in_at = float("-inf")
        self._before_out = capacity

    def decide(self, series: Series) -> int:
        """Return the number of instances after one more minute.

        The largest number counts where several policies add. Every tracking policy must agree to remove.
        """
        outs = [*self._steps(series), *self._above(series)]
        if (wanted := max(outs, default=0)) > self.capacity:
            return self._scale_out(wanted)
        if not outs and (lower := self._below(series)) is not None:
            return self._scale_in(lower)
        return self.capacity

    def _scale_out(self, wanted: int) -> int:
        new = min(wanted, self._scaling.most)
        if new > self.capacity:
            self._before_out, self._out_at = self.capacity, self._clock()
            self.capacity = new
        return self.capacity

    def _scale_in(self, wanted: int) -> int:
        new = max(wanted, self._scaling.least)
        if new < self.capacity:
            self._in_at = self._clock()
            self.capacity = new
        return self.capacity

    def _steps(self, series: Series) -> Iterator[int]:
        for policy in self._scaling.stepping:
            points = series.get(policy.alarm.metric, ())
            if policy.alarm.rings(points) and (value := points[-1]) is not None:
                yield self._base(policy.cooldown_s) + _change(policy, value)

    def _base(self, cooldown_s: float) -> int:
        """Return what is added to: in a cooldown, what was added last counts as part of what is added now."""
        cooling = self._clock() - self._out_at < cooldown_s
        return self._before_out if cooling else self.capacity

    def _above(self, series: Series) -> Iterator[int]:
        for policy in self._scaling.tracking:
            points = series.get(policy.high.metric, ())
            if policy.high.rings(points) and (value := points[-1]) is not None:
                yield _proportional(policy, self._base(policy.out_cooldown_s), value)

    def _below(self, series: Series) -> int | None:
        wanted = []
        for policy in self._scaling.tracking:
            points = series.get(policy.low.metric, ())
            cooling = self._clock() - self._in_at < policy.in_cooldown_s
            if cooling or not policy.low.rings(points) or (value := points[-1]) is None:
                return None
            wanted.append(_proportional(policy, self.capacity, value))
        return max(wanted, default=None)


def _change(policy: Stepping, value: float) -> int:
    above = value - policy.alarm.threshold
    return next((step.change for step in policy.steps if step.lower <= above < step.upper), 0)


def _proportional(policy: Tracking, capacity: int, value: float) -> int:
    """Return how many instances would bring the metric to its target; with none, it counts as with one."""
    return math.ceil(max(1, capacity) * value / policy.target)
