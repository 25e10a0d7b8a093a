"""Draws the events of a long operation on a terminal: one row for each stage, with its elapsed time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self

from preheat.cli.problems import note
from preheat.cli.text import human_bytes
from preheat.progress import Amount, Event, Notice, Step

if TYPE_CHECKING:
    from rich import progress as rich_progress

BAR_CELLS = 16


class Progress:
    """A `Report` to be used as a context manager. Notices are printed after the drawing has ended."""

    def __init__(self, stderr: IO[str], *, colour: bool, say: Callable[[str], None]) -> None:
        self._say = say
        self._notices: list[Notice] = []
        self._rows: dict[str, rich_progress.TaskID] = {}
        self._drawing = _drawing(stderr, colour=colour) if stderr.isatty() else None
        self.begun: set[str] = set()
        """The stages that have told of themselves; one may go on behind another that it uses."""

    def __call__(self, event: Event) -> None:
        """Take one event."""
        match event:
            case Notice():
                self._notices.append(event)
            case Step(stage=stage, text=text):
                self._show(stage, text)
            case Amount(stage=stage):
                self._show(stage, _amount(event))

    def __enter__(self) -> Self:
        if self._drawing:
            self._drawing.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawing:
            if error is None:
                self._finish()
            self._drawing.stop()
        for notice in dict.fromkeys(self._notices):
            for line in note(notice.text, notice.hint):
                self._say(line)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the terminal to a question."""
        if self._drawing:
            self._drawing.stop()
        yield
        if self._drawing:
            self._drawing.start()

    def _show(self, stage: str, text: str) -> None:
        self.begun.add(stage)
        if self._drawing is None:
            return
        if stage not in self._rows:
            self._finish()
            self._rows[stage] = self._drawing.add_task(stage, total=1, text="")
        self._drawing.update(self._rows[stage], text=text)

    def _finish(self) -> None:
        if self._drawing:
            for task in self._drawing.tasks:
                if not task.finished:
                    self._drawing.update(task.id, completed=1)
                    self._drawing.stop_task(task.id)


def _drawing(stderr: IO[str], *, colour: bool) -> "rich_progress.Progress":
    from rich.console import Console
    from rich.progress import Progress as RichProgress
    from rich.progress import SpinnerColumn, TextColumn
    from rich.table import Column

    return RichProgress(
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description:<8}"),
        TextColumn("[dim]{task.elapsed:>6.1f} s"),
        TextColumn(
            "{task.fields[text]}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")
        ),
        console=Console(file=stderr, color_system="auto" if colour else None, highlight=False),
    )


def _amount(event: Amount) -> str:
    shown = human_bytes if event.unit in {"bytes", "B"} else str
    if event.total is None:
        return f"{event.text}  {shown(event.done)}"
    cells = BAR_CELLS * event.done // max(event.total, 1)
    return f"{'━' * cells:─<{BAR_CELLS}} {shown(event.done)} of {shown(event.total)}  {event.text}"
