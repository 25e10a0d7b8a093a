import re
from dataclasses import replace
from pathlib import Path

import click
import pytest
from tests.fakes.command_line import CommandLine
from tests.fakes.projects import write_project
from tests.fakes.rehearsing import LaidBuild, RehearsingProvider
from tests.fakes.starts import RESULT

from preheat.cli import coldstart_views
from preheat.cli.coldstart_check import finding_of
from preheat.cli.coldstart_views import BAR_CELLS, bar, verdict
from preheat.coldstart.model import Comparison, Import, Phase, Saving, Spread, Verdict
from preheat.deploy import Pipeline
from preheat.progress import quiet
from preheat.project.config import load_project

QUICK = ("-n", "3", "--cache", "warm", "--cores", "all", "--no-savings")


@pytest.fixture
def provider() -> RehearsingProvider:
    return RehearsingProvider()


@pytest.fixture
def preheat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: RehearsingProvider) -> CommandLine:
    monkeypatch.setenv("PREHEAT_HOME", str(tmp_path / "home"))
    return CommandLine(provider=provider, build=LaidBuild(tmp_path / "layers"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "project")


def with_budget(project: Path, line: str) -> str:
    with (project / "preheat.toml").open("a") as file:
        file.write(f"[coldstart]\n{line}\n")
    return str(project)


@pytest.mark.runtime
def test_a_measurement_is_one_json_object_and_a_picture(
    preheat: CommandLine, project: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "coldstart.svg"
    outcome = preheat(
        "coldstart", with_budget(project, "ratio = 1000.0"), *QUICK, "--json", "--plot", str(picture)
    )
    assert outcome.code == 0, outcome.err
    document = outcome.document
    assert document["runs"] == 3
    assert [(each["cache"], each["cores"]) for each in document["conditions"]] == [("warm", "all")]
    assert document["budget"]["kept"]
    assert document["phases"][0]["name"] == "interpreter"
    assert "demo on local" in picture.read_text()


@pytest.mark.runtime
def test_a_budget_that_is_not_kept_fails_with_the_numbers(preheat: CommandLine, project: Path) -> None:
    outcome = preheat("coldstart", with_budget(project, "p95_ms = 0.5"), *QUICK)
    assert outcome.code == 1
    assert re.search(r"coldstart\.p95_ms = 0\.5 is not kept: measured \d+\.\d ms", outcome.out)


@pytest.mark.runtime
def test_a_check_fails_at_the_line_of_the_budget(preheat: CommandLine, project: Path) -> None:
    outcome = preheat("check", "--coldstart", with_budget(project, "ratio = 0.01"), "--json")
    assert outcome.code == 1
    (finding,) = outcome.document["findings"]
    assert re.match(
        r"coldstart\.ratio = 0\.01 is not kept: measured \d+\.\d\d \(.* p95 .*\)\.", finding["message"]
    )
    assert (finding["line"], finding["key"]) == (4, "coldstart.ratio")


@pytest.mark.runtime
def test_a_check_that_passes_says_how_far_it_was_from_failing(preheat: CommandLine, project: Path) -> None:
    outcome = preheat("check", "--coldstart", with_budget(project, "ratio = 1000.0"))
    assert outcome.code == 0, outcome.err
    assert "nothing wrong for local" in outcome.out
    assert re.search(r"coldstart\.ratio = 1000 is kept: measured \d+\.\d\d", outcome.err)


def test_a_check_without_a_budget_says_what_one_could_be(project: Path) -> None:
    found = finding_of(RESULT, load_project(project, "dev", provider_schemas={}))
    assert found is not None
    assert "There is no budget to check" in found.message
    assert found.fix == "[coldstart]\nratio = 3.0"


def test_a_budget_that_is_kept_is_no_finding(project: Path) -> None:
    kept = replace(RESULT, verdict=Verdict(key="ratio", limit=3.0, measured=2.5))
    assert finding_of(kept, load_project(project, "dev", provider_schemas={})) is None


def test_a_check_that_only_reads_measures_nothing(preheat: CommandLine, project: Path) -> None:
    outcome = preheat("check", "--coldstart", "--static", str(project))
    assert outcome.code == 2
    assert "--coldstart" in outcome.err


def test_a_release_that_is_not_there_is_told_with_those_that_are(
    preheat: CommandLine, project: Path, provider: RehearsingProvider
) -> None:
    pipeline = Pipeline(provider=provider, stage="dev", report=quiet, build=preheat.build)
    pipeline.deploy(project)
    outcome = preheat("coldstart", str(project), *QUICK, "--compare", "7")
    assert outcome.code == 1
    assert "demo (dev) has no release 7; there is 1." in outcome.err
    outcome = preheat("coldstart", str(project), *QUICK, "--compare", "1")
    assert "The layers of release 1 of demo are no longer in the cache." in outcome.err


def test_releases_that_run_elsewhere_are_not_compared_with(
    preheat: CommandLine, project: Path, provider: RehearsingProvider
) -> None:
    provider.capabilities = replace(provider.capabilities, runs_from_cache=False)
    outcome = preheat("coldstart", str(project), *QUICK, "--compare", "1")
    assert outcome.code == 1
    assert "run elsewhere" in outcome.err


def test_a_provider_whose_entry_cannot_be_started_is_refused_before_a_build(project: Path) -> None:
    preheat = CommandLine()
    outcome = preheat("coldstart", str(project))
    assert outcome.code == 1
    assert "Nothing of provider 'local' can be started on this machine." in outcome.err
    assert not preheat.build.targets


@pytest.mark.parametrize(
    ("file", "said"),
    [("no/picture.svg", "There is no folder"), ("picture.jpeg", "must end in .svg, .png, .pdf")],
)
def test_a_picture_that_could_not_be_drawn_is_refused_before_a_build(
    project: Path, tmp_path: Path, file: str, said: str
) -> None:
    preheat = CommandLine()
    outcome = preheat("coldstart", str(project), "--plot", str(tmp_path / file))
    assert outcome.code == 2
    assert said in outcome.err
    assert not preheat.build.targets


def test_one_start_is_no_measurement(preheat: CommandLine, project: Path) -> None:
    assert preheat("coldstart", str(project), "-n", "1").code == 2


def test_a_reader_sees_totals_phases_and_savings() -> None:
    saving = Saving(what="import boto3", how="import it in predict", ms=40.0)
    text = "\n".join(coldstart_views.result(replace(RESULT, savings=(saving,))))
    for part in ("100 ms", "p95 120 ms", "2.50 ×", "not here: the queue", "onnxruntime.InferenceSession"):
        assert part in text
    assert "40 ms" in text
    assert "(40 % of 100 ms)" in text
    assert "import it in predict" in text


def test_a_reader_sees_that_nothing_is_to_be_saved_only_where_that_was_tried() -> None:
    said = "none of what was tried makes it 2 % shorter"
    assert said in "\n".join(coldstart_views.result(replace(RESULT, savings=())))
    assert "savings" not in "\n".join(coldstart_views.result(RESULT))


@pytest.mark.parametrize(("read_bytes", "told"), [(0, True), (4096, False), (None, False)])
def test_a_reader_sees_that_a_cold_start_was_none(read_bytes: int | None, told: bool) -> None:
    figures = tuple(replace(each, read_bytes=read_bytes) for each in RESULT.figures)
    text = "\n".join(coldstart_views.result(replace(RESULT, figures=figures)))
    assert ("nothing came from disk" in text) == told


def test_a_reader_sees_what_one_package_asks_of_another() -> None:
    inner = Import(name="numpy._core", ms=20.0, self_ms=2.0, asked_by="numpy")
    text = click.unstyle("\n".join(coldstart_views.result(replace(RESULT, imports=(*RESULT.imports, inner)))))
    assert re.search(r"30 ms +numpy +by app", text)
    assert "numpy._core" not in text
    assert "and 1 more over 1 ms: --json" in text


def test_a_reader_sees_what_changed_since_a_release() -> None:
    before = Comparison(
        release=3,
        digest="sha256:11",
        total_ms=Spread(80.0, 90.0),
        rss_bytes=1_000_000,
        ratio=1.25,
        phases=(
            Phase(name="onnxruntime.InferenceSession", start_ms=0.0, ms=50.0, within="import"),
            Phase(name="onnxruntime.InferenceSession", start_ms=50.0, ms=7.0, within="import"),
            Phase(name="setup", start_ms=0.0, ms=60.0),
            Phase(name="restore", start_ms=0.0, ms=5.0),
        ),
    )
    text = click.unstyle("\n".join(coldstart_views.result(replace(RESULT, comparison=before))))
    assert "1.25 ×" in text
    assert re.search(r"setup +60 ms +80 ms +\+20\.0 ms", text)
    assert re.search(r"restore +5\.0 ms +- +-5\.0 ms", text)
    assert re.search(r"  onnxruntime\.InferenceSession +50 ms +70 ms +\+20\.0 ms", text)
    assert re.search(r"  onnxruntime\.InferenceSession +7\.0 ms +- +-7\.0 ms", text)


def test_bars_lie_where_their_time_was() -> None:
    late = bar(Phase(name="x", start_ms=50.0, ms=50.0), 100.0)
    assert late == " " * (BAR_CELLS // 2) + "█" * (BAR_CELLS // 2)
    assert bar(Phase(name="x", start_ms=0.0, ms=0.001), 100.0) == "▏"


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Verdict(key="ratio", limit=3.0, measured=2.0), "coldstart.ratio = 3 is kept: measured 2.00"),
        (Verdict(key="ratio", limit=3.0, measured=3.01), "coldstart.ratio = 3 is not kept: measured 3.01"),
        (
            Verdict(key="p95_ms", limit=250, measured=250.0),
            "coldstart.p95_ms = 250 is kept: measured 250.0 ms",
        ),
        (Verdict(key="p95_ms", limit=0.5, measured=250.1), "p95_ms = 0.5 is not kept: measured 250.1 ms"),
    ],
)
def test_a_budget_is_told_with_what_was_measured(found: Verdict, said: str) -> None:
    (line,) = verdict(found)
    assert said in line
