import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from tests.fakes.command_line import CommandLine

from preheat.cli import reference
from preheat.cli.main import COMMANDS, load
from preheat.cli.options import Command

DOCS = Path(__file__).parents[3] / "docs" / "cli.md"
HEAVY = ["asyncio", "boto3", "fastapi", "httpx", "jsonschema", "numpy", "pydantic", "rich", "uvicorn"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_examples(name: str) -> None:
    outcome = CommandLine()(name, "--help")
    command = load(name)
    assert isinstance(command, Command)
    assert command.name == name
    assert outcome.code == 0
    assert command.examples
    assert all(example in outcome.out for example in command.examples)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_does(name: str) -> None:
    options = [parameter for parameter in load(name).params if isinstance(parameter, click.Option)]
    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_the_examples_are_of_their_command(name: str) -> None:
    command = load(name)
    assert isinstance(command, Command)
    assert all(f"preheat {name}" in example or example.startswith(name) for example in command.examples)


def test_the_help_lists_every_command_without_importing_it() -> None:
    shown = CommandLine()("--help").out
    assert all(f"  {name} " in shown for name in COMMANDS)


def test_the_page_of_the_command_line_is_what_the_commands_say() -> None:
    assert DOCS.read_text() == reference.page(), "run: python -m preheat.cli.reference > docs/cli.md"


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["completion", "zsh"]])
def test_a_start_imports_no_heavy_package(args: list[str]) -> None:
    code = (
        "import sys\n"
        "from preheat.cli.main import main\n"
        f"main({args!r})\n"
        f"print('heavy:', sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "heavy: []"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_the_program(shell: str) -> None:
    outcome = CommandLine()("completion", shell)
    assert outcome.code == 0
    assert "_PREHEAT_COMPLETE" in outcome.out
    assert "_DEPLOY_COMPLETE" in outcome.out


def test_completion_offers_the_commands() -> None:
    words = {"_PREHEAT_COMPLETE": "bash_complete", "COMP_WORDS": "preheat de", "COMP_CWORD": "1"}
    code = "from preheat.cli.main import main; main([])"
    command = [sys.executable, "-c", code]
    environ = {**os.environ, **words}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    assert done.stdout.split() == ["plain,deploy", "plain,destroy"]


def test_completion_offers_the_options_of_the_program_deploy() -> None:
    words = {"_DEPLOY_COMPLETE": "bash_complete", "COMP_WORDS": "deploy --up", "COMP_CWORD": "1"}
    command = [sys.executable, "-c", "from preheat.cli.main import deploy_main; deploy_main([])"]
    environ = {**os.environ, **words}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    assert done.stdout.split() == ["plain,--upgrade"]
