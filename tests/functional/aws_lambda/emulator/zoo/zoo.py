"""Small handlers, one for each way to be called; the first is the project's."""

import errno
import os
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import preheat


@dataclass
class Query:
    text: str
    times: int = 1


class Shout(preheat.Handler):
    """Says it louder."""

    def predict(self, query: Query) -> dict[str, str]:
        match query.text:
            case "raise":
                raise RuntimeError("the password is hunter2")
            case "refuse":
                raise preheat.BadInput("Not this one.")
            case "sleep":
                time.sleep(60)
            case "exit":
                os._exit(3)
            case "gorge":
                return {"text": str(len(b"x" * 1_000_000 * query.times))}
        return {"text": query.text.upper() * query.times}

    def examples(self) -> list[Query]:
        return [Query("hello")]


class Squares(preheat.Handler):
    @preheat.batched(max_size=4, max_wait_ms=20)
    def predict(self, numbers: list[int]) -> list[int]:
        return [number * number for number in numbers]


class Round(preheat.Handler):
    def predict(self, file: preheat.File) -> preheat.File:
        return preheat.File(file.data[::-1], file.media_type)


class Slow(preheat.Handler):
    async def predict(self, text: str) -> str:
        return text[::-1]


class Counts(preheat.Handler):
    def predict(self, upto: int) -> Iterator[int]:
        for number in range(upto):
            if number == 1000:
                time.sleep(60)
            yield number


class CountsSlowly(preheat.Handler):
    async def predict(self, upto: int) -> AsyncIterator[int]:
        for number in range(upto):
            yield number


class Keeps(preheat.Handler):
    @preheat.cached(entries=4)
    def predict(self, text: str) -> str:
        return text


class Long(preheat.Handler):
    """Answers with as many bytes as it is asked for, of a kind that JSON makes longer or not."""

    def predict(self, query: Query) -> str:
        return query.text * query.times


class Reads(preheat.Handler):
    def setup(self, ctx: preheat.Context) -> None:
        self.word = ctx.weights["word"].read_text()

    def predict(self, text: str) -> str:
        return text + self.word


class Writes(preheat.Handler):
    """Says what becomes of a file beside this one, in the current folder, beside the weights, and in /tmp."""

    def setup(self, ctx: preheat.Context) -> None:
        self.folders = [Path(__file__).parent, Path(), ctx.weights["word"].parent, ctx.tmp]

    def predict(self, name: str) -> list[str]:
        return [self.written(folder / name) for folder in self.folders]

    def written(self, path: Path) -> str:
        try:
            path.touch(exist_ok=False)
        except OSError as error:
            return errno.errorcode[error.errno or 0]
        path.unlink()
        return "written"


class Fails(preheat.Handler):
    def setup(self, ctx: preheat.Context) -> None:
        raise FileNotFoundError(f"no model for {ctx.name}@{ctx.stage}")

    def predict(self, text: str) -> str:
        return text


class Exits(preheat.Handler):
    def setup(self, ctx: preheat.Context) -> None:
        raise SystemExit("no licence")

    def predict(self, text: str) -> str:
        return text


class Restores(preheat.Handler):
    """Says what ran, in order."""

    def setup(self, ctx: preheat.Context) -> None:
        self.steps = [f"setup {ctx.provider} {ctx.release}"]

    def restore(self, ctx: preheat.Context) -> None:
        self.steps.append("restore")

    def predict(self, text: str) -> list[str]:
        return [*self.steps, text]

    def examples(self) -> list[str]:
        self.steps.append("warm-up")
        return ["warm"]


class FailsInRestore(Restores):
    def restore(self, ctx: preheat.Context) -> None:
        raise ConnectionError("the feature store is away")
