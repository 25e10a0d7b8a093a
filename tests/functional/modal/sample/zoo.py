"""A hand-written app with a little of everything: what the control plane is tested with."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import modal

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

image = (
    modal.Image.debian_slim(python_version="{}.{}".format(*sys.version_info))
    .uv_pip_install("iniconfig==2.1.0", uv_version="0.9.5")
    .env({"ZOO": "open"})
    .add_local_dir(Path(__file__).parent / "animals", "/root/animals")
)
app = modal.App("zoo", image=image, tags={"digest": "sha256-1"})
weights = modal.Volume.from_name("weights", create_if_missing=True)


async def answer(send: Send, status: int, *pieces: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"x-zoo", b"1")]})
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


@app.cls(
    min_containers=0,
    max_containers=3,
    scaledown_window=120,
    enable_memory_snapshot=True,
    timeout=60,
    volumes={"/weights": weights.read_only()},
    secrets=[modal.Secret.from_name("keys", required_keys=["KEY"])],
)
@modal.concurrent(max_inputs=4)
class Zoo:
    @modal.enter(snap=True)
    def load(self) -> None:
        sys.stdout.write("zoo: load\n")
        self.order = ["load"]
        self.active = self.peak = 0

    @modal.enter(snap=False)
    def connect(self) -> None:
        sys.stdout.write("zoo: connect\n")
        self.order.append("connect")

    @modal.exit()
    def leave(self) -> None:
        sys.stdout.write("zoo: leave\n")

    @modal.asgi_app()
    def web(self) -> Callable[[Message, Receive, Send], Awaitable[None]]:
        return self.serve

    @modal.asgi_app(label="guarded-zoo", requires_proxy_auth=True)
    def guarded(self) -> Callable[[Message, Receive, Send], Awaitable[None]]:
        return self.serve

    @modal.method()
    def double(self, number: int) -> int:
        return 2 * number

    @modal.method()
    def seen(self) -> dict[str, Any]:
        import iniconfig

        return {
            "order": self.order,
            "iniconfig": Path(iniconfig.__file__).as_posix(),
            "animals": sorted(path.name for path in Path("/root/animals").iterdir()),
            "weights": Path("/weights/model.bin").read_bytes()[:5],
            "environment": {name: os.environ.get(name) for name in ("ZOO", "KEY", "MODAL_TOKEN_SECRET")},
            "project": Path(__file__).as_posix(),
            "roots": sorted(path.name for path in Path("/").iterdir()),
        }

    @modal.method()
    def fail(self) -> None:
        raise ValueError("no such animal")

    async def serve(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        self.active += 1
        self.peak = max(self.peak, self.active)
        match scope["path"]:
            case "/echo":
                body, more = b"", True
                while more:
                    message = await receive()
                    body, more = body + message["body"], message.get("more_body", False)
                await answer(send, 201, body)
            case "/stream":
                await answer(send, 200, b"one\n", b"two\n", b"three\n")
            case "/wait":
                await asyncio.sleep(float(scope["query_string"]))
                await answer(send, 200, b"waited")
            case "/gather":
                while self.peak < int(scope["query_string"]):
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.1)  # for more to come than should
                await answer(send, 200, b"%d" % self.peak)
            case path:
                await answer(send, 404, path.encode())
        self.active -= 1


attempts = 0


@app.function(retries=modal.Retries(max_retries=2, initial_delay=0.0, backoff_coefficient=1.0))
def third_time() -> int:
    global attempts
    attempts += 1
    if attempts < 3:
        raise RuntimeError(f"attempt {attempts}")
    return attempts


@app.function(schedule=modal.Cron("*/5 * * * *", timezone="Europe/Paris"))
def tick() -> None:
    sys.stdout.write("tick\n")


@app.function()
def sleep(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


@app.function()
def die(really: bool) -> str:
    if really:
        os.kill(os.getpid(), signal.SIGKILL)
    return "alive"


@app.function(timeout=1)
def late() -> None:
    time.sleep(20)


@app.cls()
class Broken:
    @modal.enter()
    def load(self) -> None:
        raise RuntimeError("the weights are not there")

    @modal.method()
    def predict(self) -> None:
        raise AssertionError("never reached")


@app.function()
def needs_numpy() -> str:
    import numpy as np

    return str(np.__version__)
