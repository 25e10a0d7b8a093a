"""What starts in the container: `python -I -S -B -X utf8 <code>/.../shipped/entry.py serve`.

Ships. Run as a script, like the server's own entry, which it becomes.
"""

import gc
import os
import sys
from pathlib import Path
from typing import NoReturn


def main() -> NoReturn:
    """Read what SageMaker says, and become the server."""
    gc.disable()  # what a start allocates stays; the server enables it again
    if not sys.flags.isolated:
        sys.exit("Start it isolated: python -I -S -B -X utf8 entry.py serve")
    code = Path(__file__).parents[3]
    sys.path.insert(0, str(code))
    from preheat.errors import PreheatError
    from preheat.runtime.log import log_to_stderr
    from preheat.runtime.server.entry import become
    from preheat_providers.sagemaker.shipped.starting import config_of

    try:
        config = config_of(code, sys.argv[1:], os.environ)
    except PreheatError as error:
        log_to_stderr({"level": "error", "event": "failed", "message": error.message, "hint": error.hint})
        sys.exit(1)
    become(config)


if __name__ == "__main__":
    main()
