"""Asking again until there is an answer, and not for ever."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from preheat.errors import ProviderError

Answer = TypeVar("Answer")

EVERY_S = 2.0
LONGEST_S = 3600.0
"""CloudFormation itself gives nothing that we make more than an hour, but for an endpoint."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The clock, the sleep between two questions, and when to give up."""

    sleep: Callable[[float], None]
    clock: Callable[[], float]
    longest_s: float = LONGEST_S

    def until(self, ask: Callable[[], Answer | None], what: str) -> Answer:
        """Ask until the answer is not None. Raises ProviderError when it takes too long."""
        began = self.clock()
        while (answer := ask()) is None:
            if self.clock() - began >= self.longest_s:
                raise ProviderError(
                    f"{what} has not ended after {self.longest_s / 60:.0f} minutes. AWS goes on with it.",
                    hint="The same command waits on; or give up: aws cloudformation cancel-update-stack",
                )
            self.sleep(EVERY_S)
        return answer
