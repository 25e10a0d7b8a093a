from pathlib import Path

from preheat_providers.local.triggers.settling import Settling

A, B = Path("/a"), Path("/b")


def test_a_file_is_complete_when_it_stood_still() -> None:
    settling = Settling(1.0)
    settling.seen(A, (1, 1), 10.0)
    assert settling.due() == 11.0
    assert settling.ripe(10.9) == ()
    assert settling.ripe(11.0) == ((A, (1, 1)),)
    assert settling.due() is None


def test_a_file_that_grows_waits_from_its_last_change() -> None:
    settling = Settling(1.0)
    settling.seen(A, (1, 1), 10.0)
    settling.seen(A, (2, 2), 10.8)
    assert settling.ripe(11.5) == ()
    assert settling.ripe(11.8) == ((A, (2, 2)),)


def test_an_event_without_a_change_does_not_start_the_wait_again() -> None:
    settling = Settling(1.0)
    settling.seen(A, (1, 1), 10.0)
    settling.seen(A, (1, 1), 10.8)
    assert settling.ripe(11.0) == ((A, (1, 1)),)


def test_a_file_that_went_away_is_forgotten() -> None:
    settling = Settling(1.0)
    settling.seen(A, (1, 1), 10.0)
    settling.seen(B, (1, 1), 10.5)
    settling.gone(A)
    assert settling.ripe(99) == ((B, (1, 1)),)
