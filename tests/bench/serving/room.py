"""Where the benchmark keeps its things, and which processor is whose."""

import os
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
HERE = Path(__file__).parent

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
REMOVED = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "VIRTUAL_ENV", "PREHEAT_HOME")


@dataclass(frozen=True, slots=True)
class Room:
    """A folder that `make clean` removes, one processor for servers and one for the load."""

    folder: Path = REPOSITORY / ".bench"
    server_cpu: int = 0
    client_cpu: int = 1

    @property
    def model(self) -> Path:
        """The folder of minilm.onnx and tokenizer.json."""
        return self.folder / "model"

    @property
    def logs(self) -> Path:
        """What the servers printed."""
        return self.folder / "logs"

    @property
    def home(self) -> Path:
        """The home folder of peers: some leave caches and workspaces there."""
        return self.folder / "home"

    @property
    def project(self) -> Path:
        """The copy of ours/ that is served, with the model in it."""
        return self.folder / "ours"

    def environment(self, name: str) -> Path:
        """Return the folder of the virtual environment `name`."""
        return self.folder / "environments" / name

    def python(self, name: str) -> Path:
        """Return the interpreter of the virtual environment `name`."""
        return self.environment(name) / "bin" / "python"

    def variables(self) -> dict[str, str]:
        """Return the environment variables of every process that is measured: one thread each."""
        kept = {name: value for name, value in os.environ.items() if name not in REMOVED}
        return kept | {
            **dict.fromkeys(THREADS, "1"),
            "TOKENIZERS_PARALLELISM": "false",
            # Its thread hangs forked children on exit, and would count as idle processor time.
            "ORT_DISABLE_TELEMETRY": "1",
            "PREHEAT_HOME": str(self.folder / "preheat"),
        }

    def on_server_cpu(self, command: list[str]) -> list[str]:
        """Return `command` bound to the servers' processor."""
        return ["taskset", "--cpu-list", str(self.server_cpu), *command]
