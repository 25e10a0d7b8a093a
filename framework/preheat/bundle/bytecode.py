"""Sources to .pyc files for the target's Python. In: a tree. Out: its byte-code, cached by content.

`uv` compiles nothing and `pip` compiles for the wrong Python; without byte-code a cold start
takes twice as long, because a read-only platform compiles every module every time.
"""

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from preheat.bundle import compiler
from preheat.bundle.cache import Cache
from preheat.bundle.digest import File, Tree, read_files
from preheat.bundle.interpreter import Interpreter
from preheat.errors import BundleError

MODULES_A_PROCESS = 40
"""Below this, starting another interpreter costs more than it gains."""


def compile_tree(tree: Tree, interpreter: Interpreter, cache: Cache) -> dict[str, File]:
    """Return the byte-code of every module in `tree`, by the path where Python looks for it."""
    outputs = {
        path: _output(path, file, interpreter, cache) for path, file in tree.items() if path.endswith(".py")
    }
    missing = [path for path, output in outputs.items() if not output.exists()]
    with cache.staging() as staging:
        _compile({path: tree[path] for path in missing}, outputs, interpreter, cache, staging)
    found = {_pyc_path(path, interpreter): output for path, output in outputs.items()}
    return {path: file for path, file in read_files(found).items() if file.bytes}


def _output(path: str, file: File, interpreter: Interpreter, cache: Cache) -> Path:
    """Return where the cache keeps it. The path counts, as tracebacks name it; so does the exact version."""
    return cache.bytecode(interpreter.version, hashlib.sha256(f"{path}\0{file.sha256}".encode()).hexdigest())


def _pyc_path(path: str, interpreter: Interpreter) -> str:
    folder, _, name = path.rpartition("/")
    return f"{folder}/__pycache__/{name[:-3]}.{interpreter.tag}.pyc".removeprefix("/")


def _compile(
    modules: Tree, outputs: dict[str, Path], interpreter: Interpreter, cache: Cache, staging: Path
) -> None:
    """Compile `modules` side by side, then move each result to its place."""
    lines = []
    staged = {}
    for number, (path, file) in enumerate(sorted(modules.items(), key=lambda item: -item[1].bytes)):
        source = staging / f"{number}.py"
        if isinstance(file.source, bytes):
            source.write_bytes(file.source)
        else:
            source = file.source
        staged[path] = staging / f"{number}.pyc"
        lines.append(json.dumps([str(source), file.sha256, str(staged[path]), path]) + "\n")
    count = min(os.cpu_count() or 1, -(-len(lines) // MODULES_A_PROCESS))
    with ExitStack() as running:
        processes = [
            running.enter_context(_started(interpreter, staging, lines[index::count], index))
            for index in range(count)
        ]
        errors = [process.communicate()[1] for process in processes]
    for process, error in zip(processes, errors, strict=True):
        if process.returncode == compiler.CHANGED:
            raise BundleError(f"{error} changed while it was being built.", hint="Build again.")
        if process.returncode != 0:
            raise BundleError(f"{interpreter.path} could not byte-compile the bundle: {error.strip()}")
    for path, output in staged.items():
        cache.publish(output, outputs[path])


@contextmanager
def _started(
    interpreter: Interpreter, staging: Path, lines: list[str], index: int
) -> Iterator["subprocess.Popen[str]"]:
    """Have a process compile `lines`, which an interrupt of the block ends."""
    work = staging / f"work-{index}"
    work.write_text("".join(lines))
    with work.open() as stdin:
        process = subprocess.Popen(
            [interpreter.path, "-I", "-S", "-X", "utf8", compiler.__file__],
            stdin=stdin,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
    with process:
        try:
            yield process
        finally:
            process.kill()
