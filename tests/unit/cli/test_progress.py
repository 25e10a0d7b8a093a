import click
import pytest
from tests.fakes.terminal import FakeTerminal

from preheat.cli.progress import Progress
from preheat.progress import Amount, Notice, Step


def test_a_pipe_sees_no_progress_but_every_notice_once() -> None:
    stderr, said = FakeTerminal(), list[str]()
    with Progress(stderr, colour=False, say=said.append) as report:
        report(Step("bundle", "packages"))
        report(Notice("bundle", "no byte-code"))
        report(Notice("bundle", "no byte-code"))
        assert report.begun == {"bundle"}
    assert stderr.written == ""
    assert list(map(click.unstyle, said)) == ["note: no byte-code"]


def test_a_terminal_sees_one_row_for_each_stage_and_how_much_is_done() -> None:
    stderr = FakeTerminal(tty=True)
    with Progress(stderr, colour=False, say=lambda line: None) as report:
        report(Step("bundle", "packages"))
        report(Amount("bundle", "numpy", 5_000_000, 20_000_000, "bytes"))
        report(Step("plan", "compare"))
    last = stderr.written.split("\r")[-1]
    assert last.count("✓") == 2
    assert "━━━━──────────── 5.0 MB of 20.0 MB  numpy" in last


def test_a_stage_that_failed_is_not_ticked() -> None:
    stderr = FakeTerminal(tty=True)

    def fail() -> None:
        with Progress(stderr, colour=False, say=lambda line: None) as report:
            report(Step("bundle", "packages"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert "bundle" in stderr.written
    assert "✓" not in stderr.written


def test_an_amount_of_unknown_total_is_shown_without_a_bar() -> None:
    stderr = FakeTerminal(tty=True)
    with Progress(stderr, colour=False, say=lambda line: None) as report:
        report(Amount("bundle", "objects", 7, None, "objects"))
    assert "objects  7" in stderr.written
    assert "━" not in stderr.written
