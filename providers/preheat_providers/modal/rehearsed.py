"""One container without Modal: `python -S -B -P rehearsed.py DESCRIPTOR BUNDLE SETTINGS`.

Takes the steps of the generated app's hooks, and hands its ASGI application a request for each line that
comes on the descriptor (see preheat.provider.rehearsal.Driven). Never ships.
"""

import asyncio
import json
import os
import sys
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

PATH = "/invocations"


async def main(descriptor: int, bundle: Path, settings: dict[str, Any]) -> None:
    """Start the container and answer until the line closes."""
    from preheat_providers.modal.shipped.entry import start_before_snapshot

    container = start_before_snapshot(bundle, settings)
    await container.finish_after_restore()
    application = container.asgi_application(NoJobs())
    partial = b""
    loop = asyncio.get_running_loop()
    while data := await loop.run_in_executor(None, os.read, descriptor, 1 << 20):
        *lines, partial = (partial + data).split(b"\n")
        for line in lines:
            told = memoryview(json.dumps(await answer(application, json.loads(line))).encode() + b"\n")
            while told:
                told = told[os.write(descriptor, told) :]


async def answer(application: Any, asked: dict[str, Any]) -> dict[str, Any]:
    """Return what the application answers to a POST."""
    sent: list[dict[str, Any]] = []
    incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    incoming.put_nowait({"type": "http.request", "body": b64decode(asked["body"]), "more_body": False})
    headers = {"content-type": asked["content_type"], "accept": asked["accept"]}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": PATH,
        "raw_path": PATH.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 443),
    }

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await application(scope, incoming.get, send)
    types = [value.decode() for name, value in sent[0]["headers"] if name.lower() == b"content-type"]
    body = b"".join(message.get("body", b"") for message in sent)
    return {
        "status": sent[0]["status"],
        "content_type": "".join(types[:1]),
        "body": b64encode(body).decode(),
    }


class NoJobs:
    """Stands for the method that begins a job: a rehearsal submits none."""

    @property
    def aio(self) -> Any:
        """Refuse."""
        raise AssertionError("a rehearsal submits no jobs")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])))
