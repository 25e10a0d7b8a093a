import asyncio
from pathlib import Path

import pytest
from tests.fakes.specs import make_spec

from preheat.project.model import Resources
from preheat_providers.local.supervisor.process import Launch


def launch(root: Path, **overrides: object) -> Launch:
    return Launch(
        spec=make_spec(root, **overrides),
        release=3,
        secrets={"KEY": "hunter2"},
        control=root / "control.sock",
        sockets=root,
        tmp=root / "tmp",
    )


def test_no_secret_is_on_the_command_line_or_in_the_configuration(tmp_path: Path) -> None:
    made = launch(tmp_path)
    assert "hunter2" not in str(made.command())
    assert "hunter2" not in str(made.config("w1", zygote=True))
    assert made.environment("w1")["KEY"] == "hunter2"


def test_the_interpreter_is_isolated(tmp_path: Path) -> None:
    assert launch(tmp_path).command()[1:4] == ["-I", "-S", "-B"]


def test_threads_follow_the_share_of_processors_unless_the_project_says_otherwise(tmp_path: Path) -> None:
    assert launch(tmp_path, resources=Resources(cpu=0.5)).environment("w")["OMP_NUM_THREADS"] == "1"
    assert launch(tmp_path, resources=Resources(cpu=4)).environment("w")["OPENBLAS_NUM_THREADS"] == "4"
    assert launch(tmp_path).environment("w")["TOKENIZERS_PARALLELISM"] == "false"
    assert launch(tmp_path, env={"OMP_NUM_THREADS": "9"}).environment("w")["OMP_NUM_THREADS"] == "9"


def test_nothing_of_the_shell_leaks_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "SHELL_SECRET", "LD_PRELOAD"):
        monkeypatch.setenv(name, "x")
        assert name not in launch(tmp_path).environment("w")


def test_the_configuration_arrives_on_standard_input(tmp_path: Path) -> None:
    made = launch(tmp_path)
    entry = tmp_path / "code" / "preheat_providers" / "local" / "entry.py"
    entry.parent.mkdir(parents=True)
    entry.write_text("import json, os, sys; print(json.load(sys.stdin)['id'], os.getcwd())")

    async def main() -> tuple[bytes, int]:
        process = await made.start("w1", zygote=False, output=asyncio.subprocess.PIPE)
        output, _ = await process.communicate()
        return output, await process.wait()

    output, code = asyncio.run(main())
    assert output.decode().split() == ["w1", str(made.scratch("w1"))]
    assert code == 0
