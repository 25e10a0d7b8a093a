"""`preheat tune`: what it refuses before it tries anything, and what it shows."""

from dataclasses import replace
from pathlib import Path

import click
import pytest
from tests.fakes.command_line import CommandLine
from tests.fakes.projects import write_project
from tests.fakes.tuning import off_by, outcome, tuned_of

from preheat.cli.tune_views import document, lines
from preheat.project.config import load_project
from preheat.project.model import Project
from preheat.tuning.experiment import Failure
from preheat.tuning.variants import DEFAULT, Variant, candidates

ANSWER_FIRST = next(each for each in candidates((), fuse=False) if each.name == "extended, answer first")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = write_project(tmp_path / "demo", '[weights.model]\nsource = "file:m.onnx"\n')
    (root / "m.onnx").write_bytes(b"")
    return load_project(root, "dev", provider_schemas={})


def shown(project: Project, variant: Variant = ANSWER_FIRST, *, wrote: bool = False, **more: object) -> str:
    (origin,) = project.weights
    found = tuned_of(project, variant, made=project.root, origin=origin, **more)  # type: ignore[arg-type]
    written = project.root / "tuned" / "model" if wrote else None
    return click.unstyle("\n".join(lines(found, written, wrote=wrote)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--plot", "tuned.jpeg"], "must end in .svg, .png, .pdf"),
        (["--tolerance", "2"], "0<=x<=1"),
        (["--quantize", "int3"], "int8-per-channel"),
        (["--objective", "fast"], "throughput"),
        (["--rounds", "0"], "1<=x<=100"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    cli: CommandLine, root: Path, arguments: list[str], message: str
) -> None:
    outcome = cli("tune", *arguments)
    assert outcome.code == 2
    assert message in outcome.err


def test_static_needs_inputs_to_calibrate_with(cli: CommandLine, root: Path) -> None:
    outcome = cli("tune", "--quantize", "static")
    assert outcome.code == 1
    assert "--calibration calibration.npz" in outcome.err


def test_a_project_without_a_model_is_told_so(cli: CommandLine, root: Path) -> None:
    outcome = cli("tune", "--json")
    assert outcome.code == 1
    assert "no ONNX model under [weights]" in outcome.document["error"]["message"]


def test_the_winner_is_shown_beside_the_default(project: Project) -> None:
    text = shown(project)
    assert "For cold: extended, answer first, of the default's session 0.10, cold start 0.15" in text
    assert "steady state 0.50, size 0.90" in text


def test_without_write_the_lines_to_write_are_shown(project: Project) -> None:
    text = shown(project)
    assert '[weights.model]\n  source = "file:tuned/model"' in text
    assert "open_session" not in text


def test_after_write_it_says_where(project: Project) -> None:
    text = shown(project, wrote=True)
    assert f"Written to {project.root}/tuned/model" in text
    assert ".preheatignore" in text


def test_a_handler_that_opens_the_model_itself_gets_the_line_to_change(project: Project) -> None:
    text = shown(project, by_loader=False)
    assert "in handler.py:7" in text
    assert 'self.session = open_session(ctx.weights["model"], cpus=ctx.cpus)' in text


def test_answers_that_change_by_bits_behind_the_first_are_owned_up_to(project: Project) -> None:
    assert "off by up to 3e-07" in shown(project, swap=off_by(3e-7))
    assert "--tolerance 0" in shown(project, swap=off_by(3e-7))


def test_what_cannot_be_had_is_told_with_its_reason(project: Project) -> None:
    assert "int4 cannot be had: no such kernel" in shown(
        project, failures=[Failure("int4", "no such kernel")]
    )


def test_what_loses_too_much_is_shown_as_rejected_with_its_reason(project: Project) -> None:
    (origin,) = project.weights
    found = tuned_of(project, ANSWER_FIRST, made=project.root, origin=origin)
    lossy = outcome("int8", rejected="cosine 0.9400 is below 0.99")
    found = replace(found, outcomes=(*found.outcomes, lossy))
    (row,) = [line for line in lines(found, None, wrote=False) if "int8" in line]
    assert "rejected: cosine 0.9400 is below 0.99" in click.unstyle(row)
    assert document(found, None)["variants"][-1]["rejected"] == "cosine 0.9400 is below 0.99"


def test_where_nothing_is_better_nothing_is_to_be_done(project: Project) -> None:
    text = shown(project, DEFAULT)
    assert text.endswith("nothing is better than the model as it is.")


def test_the_document_holds_the_figures_and_the_manifest(project: Project) -> None:
    (origin,) = project.weights
    found = tuned_of(project, ANSWER_FIRST, made=project.root, origin=origin, swap=off_by(float("inf")))
    result = document(found, None)
    assert (result["chosen"], result["written"]) == ("extended, answer first", None)
    assert [variant["name"] for variant in result["variants"]] == ["default", "extended, answer first"]
    assert result["variants"][1]["swap"]["max_abs"] is None  # JSON has no infinity
    assert result["manifest"]["variant"] == "extended, answer first"
