"""Texts that came while the last ones were decoded, decoded together: each step of the model is for all.

A group ends with its longest text; who came meanwhile is in the next one. On a GPU, where a step takes as
long for many rows as for one, this is most of the throughput.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from decoder import Decoder
from numpy.typing import NDArray

Choose = Callable[[NDArray[np.float32]], int]


@dataclass(slots=True, eq=False)
class Text:
    """One text on its way: how many tokens it may still get, and who waits for them; None is the end."""

    tokens: Sequence[int]
    left: int
    choose: Choose
    into: asyncio.Queue[int | Exception | None] = field(default_factory=asyncio.Queue)


class Groups:
    """Decodes with `decoder`, at most `together` texts at a time; the token `end` ends a text."""

    def __init__(self, decoder: Decoder, *, together: int, end: int) -> None:
        self._decoder = decoder
        self._together = together
        self._end = end
        self._waiting: deque[Text] = deque()
        self._running: asyncio.Task[None] | None = None

    async def follow(self, tokens: Sequence[int], *, most: int, choose: Choose) -> AsyncIterator[int]:
        """Yield what follows `tokens`, each token as it comes, `most` of them at most."""
        text = Text(tokens, most, choose)
        self._waiting.append(text)
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        try:
            while (token := await text.into.get()) is not None:
                if isinstance(token, Exception):
                    raise token
                yield token
        finally:
            text.left = 0  # whoever has left is not decoded for

    async def _run(self) -> None:
        while self._waiting:
            group = [self._waiting.popleft() for _ in range(min(self._together, len(self._waiting)))]
            try:
                await self._decode([text for text in group if text.left])
            except Exception as exc:  # noqa: BLE001 - each of those who wait raises it in its own request
                for text in group:
                    text.into.put_nowait(exc)

    async def _decode(self, group: Sequence[Text]) -> None:
        if not group:
            return
        rows = self._decoder.start([text.tokens for text in group])
        while True:
            logits = await asyncio.to_thread(rows.step)
            chosen = [self._hand_out(text, row) for text, row in zip(group, logits, strict=True)]
            if not any(text.left for text in group):
                return
            rows.append(chosen)

    def _hand_out(self, text: Text, logits: NDArray[np.float32]) -> int | None:
        """Give `text` its next token and return it; None when it is done."""
        if not text.left:
            return None
        token = text.choose(logits)
        text.left = 0 if token == self._end else text.left - 1
        if token != self._end:
            text.into.put_nowait(token)
        if not text.left:
            text.into.put_nowait(None)
        return token if text.left else None
