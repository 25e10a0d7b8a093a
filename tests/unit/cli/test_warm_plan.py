"""`preheat warm plan`: from a trace to a table and a choice in preheat.toml."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.command_line import CommandLine, Outcome
from tests.fakes.provider import InMemoryProvider

from preheat.findings import Finding
from preheat.project.model import Project
from preheat.provider.protocol import Pool
from preheat.provider.warm_options import Demand, Rates, WarmOption
from preheat_providers.local import warming
from preheat_providers.local.options import read_options

RATES = Rates(worker_s=1e-5)


class PricedProvider(InMemoryProvider):
    """A provider in memory that offers to stop at once, to stay for ten minutes, or to run always."""

    def __init__(self, name: str, rates: Rates = RATES) -> None:
        super().__init__(name)
        self._paid = rates

    def warm_options(self, project: Project, demand: Demand) -> tuple[WarmOption, ...]:
        def one(name: str, least: int, idle_s: float) -> WarmOption:
            pool = Pool(min=least, idle_s=round(idle_s))
            settings = self.warm_settings(project, pool)
            return WarmOption(
                name=name, rates=self._paid, basis="test", settings=settings, least=least, idle_s=idle_s
            )

        counts = (one(f"min {count}", count, 60) for count in demand.levels)
        return (one("nothing", 0, 0), one("idle", 0, 600), *counts)

    def warm_settings(self, project: Project, pool: Pool) -> Mapping[str, Any]:
        return warming.warm_settings(read_options(project.provider.get("local", {})), pool)

    def check(self, project: Project) -> tuple[Finding, ...]:
        return (Finding(message="Two is the most."),) if project.scaling.min > 2 else ()


@pytest.fixture
def trace(root: Path) -> Path:
    file = root / "arrivals.csv"
    moments = (f"{1_767_571_200 + each * 300}\n" for each in range(500))
    file.write_text("timestamp\n" + "".join(moments))
    return file


def plan(*arguments: str) -> Outcome:
    return CommandLine(provider=PricedProvider("local"))("warm", "plan", *arguments)


def test_every_option_is_shown_with_what_it_costs_and_saves(trace: Path) -> None:
    shown = plan("--trace", str(trace), "--cold-ms", "900")
    assert shown.code == 0, shown.err
    assert "500 requests, 2026-01-05 00:00 to" in shown.out
    rows = {line.split("  ")[1].strip(): line for line in shown.out.splitlines() if "test" in line}
    assert "100.00%" in rows["nothing"]
    assert "0.20%" in rows["idle"]
    assert "0.00%" in rows["min 1"]
    assert "100 ms, or give --service-ms" in shown.out


def test_the_json_has_choices_settings_and_the_frontier(trace: Path) -> None:
    found = plan("--trace", str(trace), "--cold-ms", "900", "--service-ms", "50", "--json").document
    assert found["trace"]["requests"] == 500
    first = found["choices"][0]
    assert (first["name"], first["cold_share"], first["frontier"]) == ("nothing", 1.0, True)
    assert first["added_ms"] == pytest.approx({"p50": 900, "p95": 900, "p99": 900, "mean": 900})
    assert first["settings"] == {"scaling.min": 0, "scaling.idle_s": 0}
    assert found["chosen"] is None


def test_the_cheapest_that_meets_the_aim_is_written(trace: Path, root: Path) -> None:
    done = plan("--trace", str(trace), "--cold-ms", "900", "--p99-ms", "100", "--write")
    assert done.code == 0, done.err
    assert "[scaling]\nmin = 0\nidle_s = 600\n" in (root / "preheat.toml").read_text()
    assert "The cheapest that meets it: idle" in done.out
    assert "preheat deploy --provider local" in done.out


@pytest.mark.parametrize("cold_ms", ["300", "900.1"])
def test_an_aim_of_a_whole_start_is_met(trace: Path, cold_ms: str) -> None:
    done = plan("--trace", str(trace), "--cold-ms", cold_ms, "--p99-ms", cold_ms)
    assert done.code == 0, done.err
    assert "The cheapest that meets it: nothing" in done.out


def test_what_is_written_leaves_comments_and_every_other_value(trace: Path, root: Path) -> None:
    file = root / "preheat.toml"
    before = "# ours\n" + file.read_text() + "\n[scaling]  # see the wiki\nmin = 2\nmax = 4  # the budget\n"
    file.write_text(before)
    done = plan("--trace", str(trace), "--cold-ms", "900", "--p99-ms", "100", "--write")
    assert done.code == 0, done.err
    assert file.read_text() == before.replace("min = 2", "min = 0") + "idle_s = 600\n"


def test_for_another_stage_it_is_written_there(trace: Path, root: Path) -> None:
    asked = ("--trace", str(trace), "--cold-ms", "900", "--p99-ms", "100", "--write", "--stage", "prod")
    assert plan(*asked).code == 0
    assert "[stage.prod.scaling]\nmin = 0\nidle_s = 600\n" in (root / "preheat.toml").read_text()


def test_where_nobody_pays_no_price_is_shown(trace: Path) -> None:
    free = CommandLine(provider=PricedProvider("local", rates=Rates()))
    shown = free("warm", "plan", "--trace", str(trace), "--cold-ms", "900")
    assert "A MONTH" not in shown.out
    assert "WORKER-HOURS" in shown.out
    assert "A MONTH" in plan("--trace", str(trace), "--cold-ms", "900").out


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "bad.csv is empty"),
        ("time\nsoon\n", "line 2: 'soon' is no moment"),
        ("a,b\n1,2\n", "has the columns a, b, and none of moments"),
        ("time\n0\n1795255200\n", "3,650 are the most that is replayed"),
    ],
)
def test_a_trace_that_cannot_be_read_says_what_is_wrong(root: Path, text: str, what: str) -> None:
    (root / "bad.csv").write_text(text)
    refused = plan("--trace", "bad.csv", "--cold-ms", "900")
    assert (refused.code, what in refused.err) == (1, True), refused.err
    missing = plan("--trace", "none.csv", "--cold-ms", "900")
    assert (missing.code, "none.csv cannot be read: No such file" in missing.err) == (1, True)


def test_what_was_done_to_a_trace_is_said(root: Path) -> None:
    rows = [f"2026-01-0{day} {hour:02d}:00:00" for day in (2, 1) for hour in range(24)]
    (root / "mixed.csv").write_text("time\n" + "\n".join(rows))
    shown = plan("--trace", "mixed.csv", "--cold-ms", "900", "--timezone", "Europe/Berlin")
    assert "2025-12-31 23:00 to 2026-01-02 22:00 UTC" in shown.out
    assert "1 of 48 arrivals came before the line above them" in shown.out
    assert "read as Europe/Berlin" in shown.out


def test_an_aim_that_nothing_meets_writes_nothing(trace: Path, root: Path) -> None:
    before = (root / "preheat.toml").read_text()
    refused = plan("--rate", "2/h", "--cold-ms", "900", "--service-ms", "7e6", "--p99-ms", "1", "--write")
    assert (refused.code, "comes nearest" in refused.err) == (1, True)
    assert (root / "preheat.toml").read_text() == before


def test_what_the_platform_refuses_is_left_out_and_said(root: Path) -> None:
    shown = plan("--rate", "30/min", "--service-ms", "3000", "--cold-ms", "900")
    assert "is left out: Two is the most." in shown.out


def test_a_measured_cold_start_is_read(trace: Path, root: Path) -> None:
    file = root / "cold.json"
    file.write_text(json.dumps({"total_ms": {"p50": 700, "p95": 700}}))
    found = plan("--trace", str(trace), "--coldstart", str(file), "--json").document
    assert found["choices"][0]["added_ms"]["p50"] == pytest.approx(700)


def test_made_up_traffic_repeats_by_its_seed(root: Path) -> None:
    made = [plan("--rate", "20/h", "--bursty", "--cold-ms", "900", "--json").document for _ in range(2)]
    other = plan("--rate", "20/h", "--bursty", "--cold-ms", "900", "--seed", "1", "--json").document
    assert made[0] == made[1] != other


def test_the_frontier_is_drawn(trace: Path, root: Path) -> None:
    assert plan("--trace", str(trace), "--cold-ms", "900", "--plot", "warm.svg").code == 0
    assert "demo on local" in (root / "warm.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("--cold-ms", "900"), "--trace FILE or --rate"),
        (("--rate", "1/h", "--trace", "a", "--cold-ms", "9"), "--trace FILE or --rate"),
        (("--rate", "1/h"), "--cold-ms MS or --coldstart"),
        (("--rate", "1/h", "--cold-ms", "9", "--coldstart", "f"), "--cold-ms MS or --coldstart"),
        (("--trace", "a", "--bursty", "--cold-ms", "9"), "--bursty goes with --rate"),
        (("--rate", "1/h", "--cold-ms", "9", "--write"), "--write needs --p99-ms"),
        (("--trace", "a", "--cold-ms", "9", "--timezone", "Mars"), "no time zone 'Mars'"),
        (("--rate", "1/h", "--cold-ms", "0"), "--cold-ms"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(
    root: Path, arguments: tuple[str, ...], what: str
) -> None:
    refused = plan(*arguments)
    assert (refused.code, what in refused.err) == (2, True), refused.err


def test_a_provider_that_says_nothing_of_it_is_refused(root: Path) -> None:
    refused = CommandLine()("warm", "plan", "--rate", "1/h", "--cold-ms", "9")
    assert (refused.code, "does not say how it keeps workers warm" in refused.err) == (1, True)
