import re
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.command_line import CommandLine
from tests.fakes.projects import write_project
from tests.fakes.rehearsing import LaidBuild, RehearsingProvider
from tests.fakes.starts import RESULT

from preheat.cli import coldstart_views
from preheat.cli.coldstart_check import finding_of
from preheat.cli.coldstart_views import BAR_CELLS, bar, verdict
from preheat.coldstart.model import Comparison, Phase, Saving, Spread, Verdict
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
        "coldstart", with_budget(project, "ratio = 1000.0"), *QUICK, "--json", "--svg", str(picture)
    )
    assert outcome.code == 0, outcome.err
    document = outcome.document
    assert document["runs"] == 3
    assert document["budget"]["kept"]
    assert document["phases"][0]["name"] == "interpreter"
    assert picture.read_text().startswith("<svg")


@pytest.mark.runtime
def test_a_budget_that_is_not_kept_fails_with_the_numbers(preheat: CommandLine, project: Path) -> None:
    outcome = preheat("coldstart", with_budget(project, "p95_ms = 0.5"), *QUICK)
    assert outcome.code == 1
    assert re.search(r"coldstart\.p95_ms = 0 ms is not kept: measured \d+ ms", outcome.out)


@pytest.mark.runtime
def test_a_check_fails_at_the_line_of_the_budget(preheat: CommandLine, project: Path) -> None:
    outcome = preheat("check", "--coldstart", with_budget(project, "ratio = 0.01"), "--json")
    assert outcome.code == 1
    (finding,) = outcome.document["findings"]
    assert re.match(
        r"coldstart\.ratio = 0\.01 is not kept: measured \d+\.\d\d \(.* p95 .*\)\.", finding["message"]
    )
    assert (finding["line"], finding["key"]) == (4, "coldstart.ratio")


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


def test_a_picture_needs_a_folder_to_lie_in(preheat: CommandLine, project: Path, tmp_path: Path) -> None:
    outcome = preheat("coldstart", str(project), "--svg", str(tmp_path / "no" / "picture.svg"))
    assert outcome.code == 2
    assert "there is no folder" in outcome.err


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


def test_a_reader_sees_what_changed_since_a_release() -> None:
    before = Comparison(
        release=3,
        digest="sha256:11",
        total_ms=Spread(80.0, 90.0),
        rss_bytes=1_000_000,
        ratio=1.25,
        phases=(Phase(name="setup", start_ms=0.0, ms=60.0),),
    )
    text = "\n".join(coldstart_views.result(replace(RESULT, comparison=before)))
    assert "1.25 ×" in text
    assert re.search(r"setup +60 ms +80 ms +\+20\.0 ms", text)


def test_bars_lie_where_their_time_was() -> None:
    late = bar(Phase(name="x", start_ms=50.0, ms=50.0), 100.0)
    assert late == " " * (BAR_CELLS // 2) + "█" * (BAR_CELLS // 2)
    assert bar(Phase(name="x", start_ms=0.0, ms=0.001), 100.0) == "▏"


@pytest.mark.parametrize(("measured", "said"), [(2.0, "is kept"), (4.0, "is not kept")])
def test_a_budget_is_told_with_what_was_measured(measured: float, said: str) -> None:
    (line,) = verdict(Verdict(key="ratio", limit=3.0, measured=measured))
    assert f"coldstart.ratio = 3.00 {said}: measured {measured:.2f}" in line
