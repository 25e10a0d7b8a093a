"""What starts in a container image: `python -I -S -B -X utf8 <code>/.../shipped/container.py`.

Ships in images alone, and runs as a script: Lambda's runtime client, which imports the entry and brings it
the events. An archive needs none, as Lambda's own runtime has the client.
"""

import os
import runpy
import sys
from pathlib import Path

HANDLER = "preheat_providers.aws_lambda.shipped.entry.handler"
"""What the client imports, and calls for every event."""


def main() -> None:
    """Say where the layers lie, and become the client."""
    code = Path(__file__).parents[3]
    layers = code.parent
    sys.path[:0] = [str(code), str(layers / "dependencies")]
    from preheat_providers.aws_lambda.shipped.settings import PLACED

    # What Lambda says is the folder of its own base images, whatever this image is built on.
    os.environ["LAMBDA_TASK_ROOT"] = str(code)
    os.environ[PLACED] = str(layers / "weights")
    sys.argv[1:] = [HANDLER]
    runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
