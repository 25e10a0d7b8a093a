"""Small projects on disk."""

from pathlib import Path

HANDLER = """import preheat


class Model(preheat.Handler):
    def predict(self, text: str) -> str:
        return text.upper()
"""


def write_project(root: Path, toml: str = "", *, name: str = "demo", handler: str = HANDLER) -> Path:
    """Write a project called `name` into `root` and return `root`; `toml` is added to its preheat.toml."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "preheat.toml").write_text(f'name = "{name}"\nhandler = "handler:Model"\n{toml}')
    (root / "handler.py").write_text(handler)
    return root
