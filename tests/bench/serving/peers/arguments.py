"""The command line that every peer takes."""

import argparse
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Arguments:
    """Where to listen, what to do, where the model is, and whether requests may share a batch."""

    port: int
    work: str
    model: Path
    batching: str

    @property
    def batched(self) -> bool:
        """Whether requests share batches."""
        return self.batching != "none"


def parse() -> Arguments:
    """Return the arguments of this process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--work", choices=("noop", "embedding"), required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--batching", choices=("none", "eager", "wait"), required=True)
    given = parser.parse_args()
    return Arguments(given.port, given.work, given.model, given.batching)
