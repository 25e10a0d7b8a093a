import os
import signal
from collections.abc import Iterator

import pytest

from preheat.runtime.server.signals import REPEATED_S, Signals


class Caught:
    def __init__(self) -> None:
        self.now = 0.0
        self.signals = Signals(lambda: self.now)

    def send(self, number: int) -> list[int]:
        os.kill(os.getpid(), number)
        return self.signals.take()


@pytest.fixture
def caught() -> Iterator[Caught]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    caught = Caught()
    yield caught
    caught.signals.close()
    for number, action in before.items():
        signal.signal(number, action)


def test_a_signal_is_a_byte_to_wait_for(caught: Caught) -> None:
    caught.signals.catch()
    assert caught.signals.take() == []
    assert caught.send(signal.SIGTERM) == [signal.SIGTERM]
    assert caught.send(signal.SIGINT) == [signal.SIGINT]


def test_one_that_is_repeated_at_once_counts_once(caught: Caught) -> None:
    caught.signals.catch()
    assert caught.send(signal.SIGINT) == [signal.SIGINT]
    caught.now += REPEATED_S / 2
    assert caught.send(signal.SIGINT) == []
    caught.now += REPEATED_S
    assert caught.send(signal.SIGINT) == [signal.SIGINT]


def test_one_that_means_somebody_else_is_ignored(caught: Caught) -> None:
    caught.signals.catch(ignored=(signal.SIGINT,))
    assert caught.send(signal.SIGINT) == []
