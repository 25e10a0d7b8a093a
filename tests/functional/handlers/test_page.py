"""The examples of docs/handlers.md, made, loaded and asked as the page says, answer as it says."""

import asyncio
import json
import re
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.code_layer import add_handlers, make_code_layer
from tests.fakes.supervisor import FakeSupervisor
from tests.fakes.torch_programs import ROOT, run_with_torch, torch_packages

from preheat.interface.threads import library_environment
from preheat.project.config import load_project

PAGE = (ROOT / "docs" / "handlers.md").read_text()
torch = [pytest.mark.index, pytest.mark.xdist_group("torch")]


@dataclass(frozen=True)
class Section:
    """The files of an example, what it is asked, and what it answers."""

    files: dict[str, str]
    asked: Any
    answer: Any


def section(title: str) -> Section:
    """Read the first example below the heading `title`."""
    text = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    files = dict(re.findall(r"```\w+\n# ([\w.]+)\n(.*?)```", text, re.DOTALL))
    (console,) = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    found = re.search(r"\$ preheat invoke \S+ --data '(.*)'\n(.*)", console)
    assert found is not None
    return Section(files, json.loads(found[1]), json.loads(found[2]))


@pytest.mark.runtime
@pytest.mark.parametrize(
    "title", ["ONNX", "scikit-learn", pytest.param("transformers", marks=torch), "A function"]
)
def test_an_example_answers_as_the_page_says(title: str, tmp_path: Path) -> None:
    example = section(title)
    for name, text in example.files.items():
        (tmp_path / name).write_text(text)
    packages = Path(sysconfig.get_path("platlib"))
    if title == "transformers":
        packages = torch_packages()
        assert run_with_torch(ROOT / "examples" / "recipes" / "tiny.py", tmp_path / "model").returncode == 0
    elif "make_model.py" in example.files:
        subprocess.run([sys.executable, "make_model.py"], cwd=tmp_path, check=True)
    project = load_project(tmp_path, "dev", provider_schemas={})
    weights = {each.name: each.source.removeprefix("file:") for each in project.weights}
    code = make_code_layer(tmp_path / "code", "", handler=project.handler, weights=weights)
    (code / "text.py").write_text(example.files.get("text.py", ""))
    answer = asyncio.run(served(add_handlers(code), packages, tmp_path, example.asked))
    assert rounded(answer) == rounded(example.answer)


async def served(code: Path, packages: Path, weights: Path, asked: Any) -> Any:
    async with FakeSupervisor() as supervisor:
        places = {"dependencies": str(packages), "weights": str(weights)}
        await supervisor.start(code, env=library_environment(1), memory_mb=4096, **places)
        await supervisor.event("w1", "ready")
        answer = await supervisor.ask("w1", asked)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)


def rounded(value: Any) -> Any:
    """Return `value` with its numbers to four places: the last digits are the processor's own."""
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return round(value, 4) if isinstance(value, float) else value


def test_every_block_of_python_on_the_page_runs() -> None:
    for block in re.findall(r"```python\n(?!# )(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "docs/handlers.md", "exec"), {"__name__": "page"})


def test_every_handler_is_on_the_page() -> None:
    folder = ROOT / "handlers" / "preheat_handlers"
    names = {path.stem for path in folder.glob("[a-z]*.py")} | {
        path.parent.name for path in folder.glob("[a-z]*/__init__.py")
    }
    inner = {"rows"}
    assert names - inner == set(re.findall(r"^\| \[`preheat_handlers\.(\w+):", PAGE, re.MULTILINE))
