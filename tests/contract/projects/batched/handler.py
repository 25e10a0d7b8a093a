import preheat


class Model(preheat.Handler):
    """Squares numbers, several at a time."""

    @preheat.batched(max_size=4, max_wait_ms=20)
    def predict(self, numbers: list[int]) -> list[int]:
        return [number * number for number in numbers]

    def examples(self) -> list[int]:
        return [3]
