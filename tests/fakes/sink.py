"""Where an access log writes to: keeps the lines, and can be slow or broken."""

import json
import threading
from typing import Any

from tests.fakes.patience import PATIENCE_S


class Sink:
    """Takes lines while `open` is set; raises each of `errors` once instead."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.entered = threading.Event()
        self.errors: list[OSError] = []
        self.written: list[bytes] = []

    def __call__(self, text: bytes) -> None:
        self.entered.set()
        self.open.wait(PATIENCE_S)
        if self.errors:
            raise self.errors.pop(0)
        self.written.append(text)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What was written, parsed."""
        return [json.loads(line) for line in b"".join(self.written).splitlines()]
