import preheat


class Model(preheat.Handler):
    """Counts the letters of a text, and refuses what has none."""

    def predict(self, text: str) -> int:
        if not text:
            raise preheat.BadInput("There is nothing to count.")
        print("counting", len(text))  # noqa: T201 - the tests look for it in the logs
        return len(text)

    def examples(self) -> list[str]:
        return ["abc"]
