import preheat

VERSION = "first"


class Model(preheat.Handler):
    """Says which version it is."""

    def predict(self, name: str) -> str:
        return f"{VERSION} {name}"

    def examples(self) -> list[str]:
        return ["hello"]
