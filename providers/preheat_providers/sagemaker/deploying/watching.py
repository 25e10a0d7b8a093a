"""What the container says while CloudFormation waits for the endpoint: told when it is said.

SageMaker starts a container that fails again and again, and CloudFormation says nothing for as long; when it
gives up, it removes the log group with the reason in it. So the log is read meanwhile.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from preheat.errors import ProviderError
from preheat.progress import Notice, Report
from preheat_providers._aws.logs import GroupLog

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

STAGE = "apply"
EVERY_S = 20.0
LINES = 10
"""How many lines an error quotes."""


class Watch:
    """Sleeps, and looks into the log every now and then. `now` is in seconds of the epoch."""

    def __init__(
        self,
        client: "CloudWatchLogsClient",
        group: str,
        report: Report,
        *,
        sleep: Callable[[float], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._log = GroupLog(client, group, now=now, sleep=sleep)
        self._report = report
        self._sleep = sleep
        self._now = now
        self._began = now()
        self._slept_s = 0.0
        self._seen: set[str] = set()
        self._errors: list[str] = []

    def sleep(self, seconds: float) -> None:
        """Sleep, and look into the log if that was long ago."""
        self._sleep(seconds)
        self._slept_s += seconds
        if self._slept_s >= EVERY_S:
            self.look()

    def look(self) -> None:
        """Tell the errors that the container has written since the beginning, each once."""
        self._slept_s = 0.0
        try:
            events = list(self._log.matching("", since_s=self._now() - self._began, most=1000))
        except ProviderError:
            return  # there is no log group yet, or no longer
        for event in events:
            text = said(event)
            if event["level"] == "error" and text not in self._seen:
                self._seen.add(text)
                self._errors.append(text)
                self._report(Notice(STAGE, f"the container: {text}"))

    @property
    def last_words(self) -> str:
        """The last errors, for the end of a message; empty if there were none."""
        return "".join(f"\n  {line}" for line in self._errors[-LINES:])


def said(event: dict[str, Any]) -> str:
    """Return an event in a line."""
    trace = str(event.get("traceback", "")).strip().rpartition("\n")[2]
    message = str(event.get("message", event.get("event", "")))
    return f"{message} ({trace})" if trace and trace not in message else message
