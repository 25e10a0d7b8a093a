"""A code layer as the bundle lays it out: what ships of Preheat, a handler, the manifest, byte-code."""

import atexit
import compileall
import py_compile
import shutil
import textwrap
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from preheat.interface.manifest import MANIFEST, Limits, Manifest

ROOT = Path(__file__).parents[2]


@cache
def _runtime() -> Path:
    into = Path(mkdtemp(prefix="preheat-code-"))
    atexit.register(shutil.rmtree, into)
    framework = ROOT / "framework" / "preheat"
    for part in ("interface", "runtime"):
        shutil.copytree(
            framework / part,
            into / "preheat" / part,
            ignore=shutil.ignore_patterns("__pycache__", "surface", "inference", "grpc", "metrics.py"),
        )
    for module in ("__init__.py", "errors.py"):
        shutil.copy(framework / module, into / "preheat" / module)
    local = into / "preheat_providers" / "local"
    local.mkdir(parents=True)
    for relative in ("__init__.py", "local/__init__.py", "local/entry.py"):
        shutil.copy(
            ROOT / "providers" / "preheat_providers" / relative, into / "preheat_providers" / relative
        )
    compile_code(into)
    return into


def make_code_layer(
    into: Path,
    source: str,
    *,
    handler: str = "app:Model",
    limits: Limits | None = None,
    weights: Mapping[str, str] | None = None,
) -> Path:
    """Make a code layer in `into` whose handler is the class `Model` of app.py, which is `source`."""
    shutil.copytree(_runtime(), into, dirs_exist_ok=True)
    (into / "app.py").write_text(textwrap.dedent(source))
    manifest = Manifest(name="demo", handler=handler, limits=limits or Limits(), weights=weights or {})
    (into / MANIFEST).write_text(manifest.to_json())
    return into


def add_handlers(code: Path) -> Path:
    """Add the ready-made handlers to a code layer."""
    source = ROOT / "handlers" / "preheat_handlers"
    shutil.copytree(source, code / "preheat_handlers", ignore=shutil.ignore_patterns("__pycache__"))
    return code


def compile_code(folder: Path) -> None:
    """Compile `folder` in place, as a bundle is."""
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    assert compileall.compile_dir(folder, quiet=1, invalidation_mode=unchecked)
