"""Imports a function as Lambda's runtime does, hands it one event, and writes the body of its answer."""

import importlib
import json
import sys

event_file, module, attribute = sys.argv[1:]


class Context:
    aws_request_id = "0f6e3a2c-6f1d-4a65-9e57-6a3d2f9f3c11"
    memory_limit_in_mb = 1769

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


with open(event_file) as file:  # noqa: PTH123 - pathlib is a part of what some of them import
    event = json.load(file)
handler = getattr(importlib.import_module(module), attribute)
sys.stdout.write(handler(event, Context())["body"] + "\n")
sys.stdout.flush()
