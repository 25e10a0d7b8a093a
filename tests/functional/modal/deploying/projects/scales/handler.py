import os
from pathlib import Path

import preheat


class Model(preheat.Handler):
    """Weighs its weights."""

    def setup(self, ctx: preheat.Context) -> None:
        self.grams = sum(
            path.stat().st_size for path in Path(ctx.weights["grams"]).rglob("*") if path.is_file()
        )

    def predict(self, question: str) -> str:
        return f"{question}: {self.grams}, {len(os.environ['HUB_TOKEN'])}"

    def examples(self) -> list[str]:
        return ["how much"]
