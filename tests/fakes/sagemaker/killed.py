"""A deploy that kills itself with SIGKILL when a step is told: `python -m tests.fakes.sagemaker.killed`.

Arguments: the project's folder, the host of the registry, the options as JSON, and how the step begins.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.fakes.functions import Function
from tests.fakes.sagemaker.account import Account

from preheat.deploy import Pipeline
from preheat.progress import Event, Step
from preheat_providers.sagemaker.provider import SagemakerProvider

ROOT = Path(__file__).parents[3]


def killed_at(step: str, function: Function, account: Account) -> None:
    """Deploy `function` in a process of its own, which is killed at `step`."""
    arguments = [str(function.root), account.door.host, json.dumps(dict(function.options)), step]
    done = subprocess.run([sys.executable, "-m", __name__, *arguments], cwd=ROOT, stderr=subprocess.PIPE)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def main() -> None:
    """Deploy, and be killed."""
    root, host, options, step = sys.argv[1:]

    def report(event: Event) -> None:
        if isinstance(event, Step) and event.text.startswith(step):
            os.kill(os.getpid(), signal.SIGKILL)

    provider = SagemakerProvider(reach=lambda _: host, sleep=lambda _: None)
    Pipeline(provider=provider, stage="dev", report=report, options=json.loads(options)).deploy(Path(root))


if __name__ == "__main__":
    main()
