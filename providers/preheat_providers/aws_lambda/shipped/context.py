"""What Lambda tells of one event beside the event. Ships."""

from typing import Protocol

MARGIN_S = 0.25
"""How long before Lambda would end the process a request is given up, so that its 504 still leaves."""


class LambdaContext(Protocol):
    """The part of the context object that is used ("Using the Lambda context object", developer guide)."""

    @property
    def aws_request_id(self) -> str:
        """The id of this event, which the function's log lines carry."""
        ...

    def get_remaining_time_in_millis(self) -> int:
        """Return how long it is until Lambda ends the process."""
        ...


def left_s(context: LambdaContext) -> float:
    """Return how long a request of this event may still take."""
    return context.get_remaining_time_in_millis() / 1000 - MARGIN_S
