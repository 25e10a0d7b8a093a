"""The start that this process is in, for ready-made parts which load weights while others still import.

State of the process, set by the runtime alone; where no runtime is, such as in a test of a handler, it
stays as it is here.
"""

from dataclasses import dataclass

from preheat.interface.handler import Context


@dataclass(slots=True)
class Start:
    """How far the start is. `context` is there before the handler's module is imported.

    `settled` says that this process serves, its model warm, and that no fork or snapshot of it follows:
    threads may be left running.
    """

    context: Context | None = None
    settled: bool = False


START = Start()
