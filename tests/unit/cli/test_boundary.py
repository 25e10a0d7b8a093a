import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import click
import pytest
from tests.fakes.command_line import CommandLine

from preheat.cli.boundary import interruptible
from preheat.cli.entry import Terminated
from preheat.cli.options import as_json
from preheat.errors import NotDeployed, ProjectError
from preheat.findings import Finding


def command_that(act: Callable[[], None]) -> click.Command:
    return as_json(click.command("act")(act))


def raising(error: BaseException) -> CommandLine:
    def act() -> None:
        raise error

    return CommandLine(command=command_that(act))


def test_an_error_is_its_message_and_the_line_to_paste_on_standard_error() -> None:
    outcome = raising(NotDeployed("demo is not deployed.", hint="preheat deploy"))()
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == "error: demo is not deployed.\n  preheat deploy\n"


def test_an_error_lists_its_findings_with_place_and_fix() -> None:
    finding = Finding(message="unknown key 'memry_mb'", line=4, key="resources", fix="memory_mb = 512")
    outcome = raising(ProjectError("preheat.toml is wrong.", findings=[finding]))()
    assert outcome.err == "error: preheat.toml is wrong.\n  unknown key 'memry_mb'\n      memory_mb = 512\n"


def test_with_json_an_error_is_one_object_too() -> None:
    outcome = raising(NotDeployed("demo is not deployed.", hint="preheat deploy"))("--json")
    assert outcome.code == 1
    assert outcome.document["error"] == {
        "type": "NotDeployed",
        "message": "demo is not deployed.",
        "hint": "preheat deploy",
        "findings": [],
    }
    assert outcome.err != ""


def test_what_nobody_expected_is_one_line_and_the_way_to_the_traceback() -> None:
    outcome = raising(ZeroDivisionError("by zero"))()
    assert outcome.code == 1
    assert "ZeroDivisionError: by zero" in outcome.err
    assert "PREHEAT_DEBUG=1" in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("error", [NotDeployed("gone"), ZeroDivisionError("by zero")])
def test_the_traceback_comes_on_request(error: Exception) -> None:
    cli = raising(error)
    cli.environ = {"PREHEAT_DEBUG": "1"}
    assert "Traceback (most recent call last)" in cli().err


def test_an_interrupt_ends_with_130_and_says_what_remains() -> None:
    def act() -> None:
        with interruptible(lambda: "The cache stays."):
            raise KeyboardInterrupt

    outcome = CommandLine(command=command_that(act))()
    assert outcome.code == 130
    assert outcome.err.strip() == "Interrupted. The cache stays."
    assert raising(KeyboardInterrupt())().code == 130


@pytest.mark.parametrize("block", [nullcontext, partial(interruptible, lambda: "The cache stays.")])
def test_sigterm_ends_as_an_interrupt_does_but_with_143(
    block: Callable[[], AbstractContextManager[None]],
) -> None:
    def act() -> None:
        with block():
            raise Terminated

    outcome = CommandLine(command=command_that(act))()
    assert outcome.code == 143
    assert outcome.err.strip().startswith("Interrupted.")


def test_wrong_use_ends_with_2_and_names_the_help() -> None:
    outcome = CommandLine()("status", "--stag", "dev")
    assert outcome.code == 2
    assert "--stage" in outcome.err
    assert "preheat status --help" in outcome.err


def test_a_mistyped_command_is_answered_with_the_nearest_one() -> None:
    outcome = CommandLine()("depoly")
    assert outcome.code == 2
    assert "There is no command 'depoly'. Did you mean 'deploy'?" in outcome.err


def test_a_mistyped_provider_is_answered_with_the_nearest_one() -> None:
    outcome = CommandLine()("status", "--provider", "locl")
    assert (outcome.code, outcome.err.splitlines()[-1]) == (1, "  --provider local")


def test_a_reader_who_went_away_is_no_traceback() -> None:
    read, write = os.pipe()
    os.close(read)
    code = "import sys; from preheat.cli.main import main; sys.exit(main(['--help']))"
    done = subprocess.run([sys.executable, "-c", code], stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize("wrong", [["--nope"], ["--provider"], ["one", "two"]])
@pytest.mark.parametrize("first", [True, False])
def test_with_json_wrong_use_is_one_object_too(wrong: list[str], first: bool) -> None:
    outcome = CommandLine()("status", *(["--json", *wrong] if first else [*wrong, "--json"]))
    assert outcome.code in {1, 2}
    assert outcome.document["error"]["message"]


def test_a_name_that_looks_like_an_option_is_none() -> None:
    assert CommandLine()("status", "--", "--json").out == ""
