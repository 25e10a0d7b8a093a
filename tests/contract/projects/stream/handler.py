from collections.abc import Iterator

import preheat


class Model(preheat.Handler):
    """Counts."""

    def predict(self, upto: int) -> Iterator[int]:
        yield from range(upto)

    def examples(self) -> list[int]:
        return [2]
