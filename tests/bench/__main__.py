"""The benchmarks in turn, or those that are named: `python -m tests.bench [NAME...]`, `make bench`."""

import sys
from importlib import import_module

ALL = (
    *("build", "packaging", "cold", "memory", "cold_function", "adapter", "container", "image"),
    *("modal_adapter", "modal_deploy", "tuning"),
)

named = sys.argv[1:] or ALL
if unknown := sorted({*named} - {*ALL}):
    sys.exit(f"There is no benchmark {', '.join(unknown)}; there are {', '.join(ALL)}.")
for name in named:
    import_module(f"tests.bench.{name}").main()
