"""What starts first in a container: `python -I -S -B -X utf8 <code>/preheat/runtime/server/entry.py --help`.

Ships in every bundle for a target that names it as its entry. Run as a script, so that nothing but the
standard library can be imported before the layers are on the path.
"""

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from preheat.runtime.server.config import Config


def main() -> NoReturn:
    """Put the layers on the path, and become the server that the arguments ask for."""
    gc.disable()  # what a start allocates stays: looking through it is lost time, until the model is ready
    if not sys.flags.isolated:  # else this folder is searched first, and `import http` finds ours
        sys.exit("Start it isolated: python -I -S -B -X utf8 entry.py ...")
    code = Path(__file__).parents[3]
    sys.path.insert(0, str(code))
    from preheat.runtime.server.config import read_config

    become(read_config(code, sys.argv[1:]))


def become(config: "Config") -> NoReturn:
    """Put the layer of packages on the path, behind that of the code, and be the server."""
    sys.path.insert(1, str(config.dependencies))
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    from preheat.runtime.server.run import serve

    serve(config)


if __name__ == "__main__":
    main()
