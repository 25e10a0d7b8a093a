"""Deploys one generated app, in a process of its own: `python program.py FILE APP ENVIRONMENT TAG STRATEGY`.

Modal's client keeps what it is told in globals, writes to the terminal, and imports the file. Here all of
that ends with the process. What it writes goes to standard error; the last line of standard output is
JSON: `{"ok": true}`, or `{"ok": false, "kinds": [...], "said": "..."}` of what it raised.
"""

import importlib.util
import json
import os
import sys
from pathlib import Path

OUTCOME = 1
"""Standard output, as it was when the process began."""


def deploy(file: Path, app: str, environment: str, tag: str, strategy: str) -> None:
    """Import `file` and deploy the app in it."""
    import modal

    sys.path.insert(0, str(file.parent))
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    with modal.enable_output():
        module.app.deploy(name=app, environment_name=environment or None, tag=tag, strategy=strategy)


def main(arguments: list[str]) -> int:
    """Deploy, and say how that went."""
    file, app, environment, tag, strategy = arguments
    outcome = os.fdopen(os.dup(OUTCOME), "w")
    os.dup2(2, OUTCOME)
    try:
        deploy(Path(file), app, environment, tag, strategy)
    except Exception as error:  # noqa: BLE001 - the boundary of this process: the other side raises it again
        kinds = [each.__name__ for each in type(error).__mro__ if issubclass(each, Exception)]
        outcome.write(json.dumps({"ok": False, "kinds": kinds, "said": str(error)}) + "\n")
        outcome.close()
        return 1
    outcome.write(json.dumps({"ok": True}) + "\n")
    outcome.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
