"""What the deploy tells the container in its environment: written with the model, read when it starts.

Ships.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from preheat.errors import ProviderError

PROVIDER = "sagemaker"

STAGE = "PREHEAT_STAGE"
RELEASE = "PREHEAT_RELEASE"
MODE = "PREHEAT_SAGEMAKER_MODE"
WORKERS = "SAGEMAKER_MODEL_SERVER_WORKERS"
"""What AWS's own containers call it (sagemaker-inference 1.10.1, environment.py)."""

Mode = Literal["async", "realtime", "serverless"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One container. `workers` is how many processes have the model."""

    stage: str
    release: str
    mode: Mode = "async"
    workers: int = 1

    def environment(self) -> dict[str, str]:
        """Return the variables that `read` reads."""
        return {
            STAGE: self.stage,
            RELEASE: self.release,
            MODE: self.mode,
            WORKERS: str(self.workers),
        }

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Settings":
        """Return what the deploy has set. Raises ProviderError."""
        return cls(
            stage=environ.get(STAGE, "dev"),
            release=environ.get(RELEASE, "0"),
            mode=_mode(environ.get(MODE, "async")),
            workers=_workers(environ.get(WORKERS, "1")),
        )


def _mode(text: str) -> Mode:
    known: tuple[Mode, ...] = get_args(Mode)
    for mode in known:
        if text == mode:
            return mode
    raise ProviderError(f"{MODE} is {text!r}; it is one of {', '.join(known)}.", hint=f"{MODE}=async")


def _workers(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise ProviderError(
            f"{WORKERS} is {text!r}; it is how many processes have the model, at least 1.",
            hint=f"{WORKERS}=1",
        )
    return number
