"""`python -m preheat_providers.local.supervisor HOME READY_FD`: run the supervisor of one home.

The descriptor gets one JSON object when orders are taken, or when that has failed, and is closed.
"""

import asyncio
import json
import logging
import os
import sys
from pathlib import Path

from preheat.errors import PreheatError
from preheat_providers.local.supervisor.paths import HomePaths
from preheat_providers.local.supervisor.service import Service


def main() -> int:
    """Run until told to stop; return the exit code."""
    home, ready = Path(sys.argv[1]), int(sys.argv[2])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    os.umask(0o077)

    def tell(message: dict[str, object]) -> None:
        with os.fdopen(ready, "w") as pipe:
            json.dump(message, pipe)

    async def serve() -> None:
        await Service(HomePaths(home), on_ready=lambda: tell({"ready": True})).run()

    try:
        asyncio.run(serve())
    except PreheatError as error:
        logging.getLogger("preheat.supervisor").error("%s", error.message)
        tell({"error": type(error).__name__, "message": error.message, "hint": error.hint})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
