"""Where Preheat keeps its state on this machine. Reads the environment; makes one folder."""

import os
from pathlib import Path

from preheat.errors import PreheatError

VARIABLE = "PREHEAT_HOME"


def home() -> Path:
    """Return the folder of all local state, absolute: `$PREHEAT_HOME`, or `~/.preheat`.

    It is made when missing, for its owner only. Two homes never share anything.
    """
    chosen = os.environ.get(VARIABLE)
    path = Path(chosen).expanduser().absolute() if chosen else Path.home() / ".preheat"
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise PreheatError(
            f"The folder for Preheat's state, {path}, cannot be made: {error.strerror}.",
            hint=f"export {VARIABLE}=/a/folder/that/you/may/write",
        ) from error
    return path
