"""Byte-compile modules. Runs as a script in the target's Python: standard library only.

In: one JSON array a line on stdin: [source, sha256, output, name in tracebacks]. Out: the output
files; an empty one stands for a source that does not compile, as templates and test data do not.
Unchecked hash-based files (PEP 552) hold no time, so they are the same bytes on every machine.
"""

import hashlib
import importlib.util
import json
import marshal
import sys
import warnings

UNCHECKED_HASH = 0b01
CHANGED = 3
"""Exit code: a source is no longer what the build hashed."""


def main() -> int:
    """Compile every line of stdin."""
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        path, digest, output, name = json.loads(line)
        with open(path, "rb") as file:  # noqa: PTH123 - importing pathlib costs as much as ten modules
            source = file.read()
        if hashlib.sha256(source).hexdigest() != digest:
            sys.stderr.write(path)
            return CHANGED
        with open(output, "wb") as file:  # noqa: PTH123
            file.write(compiled(source, name))
    return 0


def compiled(source: bytes, name: str) -> bytes:
    """Return the content of the .pyc file of `source`, or nothing if it is no Python of this version."""
    try:
        code = compile(source, name, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return b""
    header = importlib.util.MAGIC_NUMBER + UNCHECKED_HASH.to_bytes(4, "little")
    return header + importlib.util.source_hash(source) + marshal.dumps(code)


if __name__ == "__main__":
    sys.exit(main())
