"""The GPUs of Modal as data, and what is wrong with a request for one: Modal's client checks none.

https://modal.com/docs/guide/gpu, read on 2026-11-21; memory per GPU is NVIDIA's own figure.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

SOURCE = "https://modal.com/docs/guide/gpu"
READ = "2026-11-21"


@dataclass(frozen=True, slots=True)
class Gpu:
    """One kind: its memory in GB, and how many a container can have."""

    memory_gb: int
    most: int = 8


GPUS = {
    "T4": Gpu(16),
    "L4": Gpu(24),
    "A10": Gpu(24, most=4),
    "L40S": Gpu(48),
    "A100": Gpu(40),
    "A100-40GB": Gpu(40),
    "A100-80GB": Gpu(80),
    "RTX-PRO-6000": Gpu(96),
    "H100": Gpu(80),
    "H100!": Gpu(80),
    "H200": Gpu(141),
    "B200": Gpu(180),
    "B200+": Gpu(180),
}
"""`H100!` is never an H200 in its place, and `B200+` may be a B300."""

ANY = ("T4", "L4", "A10")
"""What `any` asks for, in this order: the ones that cost least."""

FORM = re.compile(r"(?P<name>[^:]+)(?::(?P<count>[1-9][0-9]*))?")


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many GPUs of one kind."""

    name: str
    count: int

    @property
    def text(self) -> str:
        """The request as Modal takes it."""
        return self.name if self.count == 1 else f"{self.name}:{self.count}"


def read_gpu(text: str) -> Wanted | None:
    """Return what `text` asks for, in capitals as Modal has them, or None where it is no request."""
    match = FORM.fullmatch(text.strip().upper())
    return Wanted(match["name"], int(match["count"] or 1)) if match else None


def gpu_problem(text: str) -> tuple[str, str] | None:
    """Return what is wrong with `text`, to follow it in a sentence, and what to ask for instead."""
    wanted = read_gpu(text)
    if is_any(text):
        return None
    if wanted is None:
        return (
            "which is no GPU: its name, then : and a number for more than one",
            "L4",
        )
    known = GPUS.get(wanted.name)
    if known is None:
        near = _nearest(wanted.name)
        return f"which Modal does not have: it has {', '.join(GPUS)} ({SOURCE}, {READ})", near
    if wanted.count > known.most:
        return f"and a container has at most {known.most} of {wanted.name}", f"{wanted.name}:{known.most}"
    return None


def is_any(text: str) -> bool:
    """Say whether `text` asks for whatever GPU there is."""
    return text.strip().lower() == "any"


def most_gpus(texts: Sequence[str]) -> int:
    """Return the largest number of GPUs that one of `texts` asks for."""
    return max((wanted.count for text in texts if (wanted := read_gpu(text))), default=0)


def _nearest(name: str) -> str:
    same = [known for known in GPUS if name.startswith(known) or known.startswith(name)]
    return next(iter(get_close_matches(name, GPUS, n=1, cutoff=0.5) or same), "L4")
