"""Animals that show what a container does: each hook says so on standard output."""

import asyncio
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import preheat

IN_A_CONTAINER = "MODAL_TASK_ID"


def say(what: str) -> None:
    sys.stdout.write(f"zoo: {what}\n")
    sys.stdout.flush()


def call(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.recv(1)  # nothing comes; it ends when the other side hangs up


class Tiger(preheat.Handler):
    """Does what it is told."""

    def setup(self, ctx: preheat.Context) -> None:
        self.thread = threading.get_ident()
        self.release = ctx.release
        say(f"setup of release {ctx.release} at {ctx.stage}")
        if os.environ.get("ZOO_FAILS") == "setup" and IN_A_CONTAINER in os.environ:
            raise RuntimeError("the cage is empty")

    def restore(self, ctx: preheat.Context) -> None:
        say("restore")
        if os.environ.get("ZOO_FAILS") == "restore" and IN_A_CONTAINER in os.environ:
            raise RuntimeError("the tiger does not wake up")

    def teardown(self, ctx: preheat.Context) -> None:
        say("teardown")

    def examples(self) -> list[Any]:
        return [{"do": "say", "what": "warm up"}]

    def predict(self, order: dict[str, Any]) -> dict[str, Any]:
        match order:
            case {"do": "say", "what": what}:
                say(f"says {what}")
                return {"said": what}
            case {"do": "echo", "what": what}:
                return {"what": what}
            case {"do": "sleep", "seconds": seconds}:
                say("sleeps")
                time.sleep(seconds)
                return {"slept": seconds}
            case {"do": "call", "port": port}:
                call(port)
                return {"called": port}
            case {"do": "fail"}:
                say("fails")
                raise RuntimeError("no tiger does that")
            case {"do": "tell"}:
                return {
                    "same_thread": threading.get_ident() == self.thread,
                    "task": os.environ.get(IN_A_CONTAINER),
                    "secret": os.environ.get("ZOO_SECRET"),
                    "plain": os.environ.get("ZOO_PLAIN"),
                    "release": self.release,
                }
            case _:
                raise ValueError("A tiger can say, echo, sleep, call, fail and tell.")


class Shoal(preheat.Handler):
    """Answers with the size of the batch that it swims in."""

    def examples(self) -> list[int]:
        return [0]

    @preheat.batched(max_size=4, max_wait_ms=50)
    def predict(self, numbers: list[int]) -> list[dict[str, int]]:
        time.sleep(0.4)
        return [{"number": number, "together": len(numbers)} for number in numbers]


class Parrot(preheat.Handler):
    """Says every word again, one after another; it calls where one is a port before it says that."""

    def teardown(self, ctx: preheat.Context) -> None:
        say("teardown")

    def examples(self) -> list[str]:
        return ["polly"]

    def predict(self, text: str) -> Iterator[dict[str, str]]:
        try:
            for word in text.split():
                if word.isdigit():
                    call(int(word))
                yield {"word": word}
                time.sleep(0.3)
        except GeneratorExit:
            say("was interrupted")
            raise


class Heron(preheat.Handler):
    """Answers nobody before as many have come as they say."""

    def setup(self, ctx: preheat.Context) -> None:
        self.here = 0
        self.full = asyncio.Event()

    def examples(self) -> list[int]:
        return [1]

    async def predict(self, wanted: int) -> dict[str, int]:
        self.here += 1
        if self.here == wanted:
            self.here = 0
            self.full.set()
            self.full = asyncio.Event()
        else:
            await self.full.wait()
        return {"together": wanted}
