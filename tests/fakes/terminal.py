"""Standard streams in memory, which may say that they are terminals."""

import io


class FakeTerminal(io.TextIOWrapper):
    """A text stream over bytes in memory; `tty` is its answer to isatty()."""

    def __init__(self, content: bytes = b"", *, tty: bool = False) -> None:
        self.memory = io.BytesIO(content)
        super().__init__(self.memory, encoding="utf-8", write_through=True)
        self._tty = tty

    def isatty(self) -> bool:
        return self._tty

    @property
    def written(self) -> str:
        """Everything written so far; bytes that are no text as escapes."""
        return self.memory.getvalue().decode(errors="backslashreplace")
