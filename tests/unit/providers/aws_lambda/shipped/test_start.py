"""The order of a start."""

import json
import os
import subprocess
import sys
from pathlib import Path

from preheat.interface.manifest import MANIFEST
from preheat_providers.aws_lambda.shipped.entry import RUNTIME_API
from preheat_providers.aws_lambda.shipped.settings import STAGE

HANDLER = """
import sys
from preheat import Handler

IMPORTED = {name for name in sys.modules if name.startswith("preheat")}

class Model(Handler):
    def predict(self, number: int) -> int: return number
"""
ASK = """
import preheat_providers.aws_lambda.shipped.entry
import handler
print(*sorted(handler.IMPORTED))
"""


def started(folder: Path, handler: str) -> subprocess.CompletedProcess[str]:
    """Import the entry in a process of its own, and ask what was there before the handler."""
    (folder / "handler.py").write_text(handler)
    manifest = {"name": "demo", "handler": "handler:Model", "weights": {}, "limits": {}}
    (folder / MANIFEST).write_text(json.dumps(manifest))
    lambdas = {
        "LAMBDA_TASK_ROOT": str(folder),
        "AWS_LAMBDA_FUNCTION_NAME": "demo",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
        RUNTIME_API: "127.0.0.1:9",
        STAGE: "dev",
    }
    path = os.pathsep.join([str(folder), *sys.path])
    return subprocess.run(
        [sys.executable, "-c", ASK],
        env={**os.environ, **lambdas, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_users_module_is_imported_before_what_serves_it(tmp_path: Path) -> None:
    done = started(tmp_path, HANDLER)
    assert done.returncode == 0, done.stderr
    imported = done.stdout.split()
    assert "preheat.runtime.beginning" in imported
    for late in ("preheat.runtime.loader", "preheat.interface.contract", "preheat.runtime.serial"):
        assert late not in imported
    assert "preheat_providers.aws_lambda.shipped.function" not in imported


def test_a_module_that_fails_is_told_as_ever(tmp_path: Path) -> None:
    done = started(tmp_path, "1 / 0\n")
    assert done.returncode == 1
    assert '"event": "failed", "message": "Importing \'handler\' failed in handler.py, line 1' in done.stderr
    assert '"phase": "import"' in done.stderr
