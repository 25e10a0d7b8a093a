import preheat


class Model(preheat.Handler):
    """Says which request an input came with."""

    @preheat.batched(max_size=4, max_wait_ms=20)
    def predict(self, numbers: list[int], calls: list[preheat.Call]) -> list[dict[str, str]]:
        answers = []
        for number, call in zip(numbers, calls, strict=True):
            answers.append({"number": str(number), "id": call.id, **call.headers})
        return answers

    def examples(self) -> list[int]:
        return [3]
