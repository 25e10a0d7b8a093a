"""Resident memory of the supervisor with a function deployed and no worker running.

Run: `python -m tests.bench.memory`.
"""

import os
import tempfile
from pathlib import Path

from tests.bench.table import show

from preheat.deploy import deploy
from preheat.progress import quiet
from preheat.project.scaffold import scaffold
from preheat.provider.registry import Registry
from preheat_providers.local.supervisor.lock import read_holder


def resident_mb(pid: int) -> float:
    """Return VmRSS of a process in MB (proc(5))."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise LookupError(f"process {pid} has no VmRSS")


def main() -> None:
    """Print the table; the ratio is to the aim of 60 MB."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PREHEAT_HOME"] = str(Path(folder) / "home")
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        project = Path(folder) / "small"
        scaffold("small", "minimal", project)
        provider = Registry.installed().get("local")
        deploy(project, provider=provider, stage="dev", report=quiet)
        try:
            holder = read_holder(Path(folder) / "home" / "supervisor.lock")
            assert holder is not None
            show(
                "Supervisor at zero workers",
                {"aim": [60.0], "supervisor": [resident_mb(holder.pid)]},
                baseline="aim",
                unit="MB",
                aims={"supervisor": "1.000"},
            )
        finally:
            provider.destroy("small", "dev", report=quiet)


if __name__ == "__main__":
    main()
