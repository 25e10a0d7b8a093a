import json
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.bundle import FakeBuild, failing
from tests.fakes.command_line import CommandLine
from tests.fakes.projects import write_project
from tests.fakes.provider import InMemoryProvider

from preheat.cli.main import load
from preheat.plan.model import Cost
from preheat.progress import Amount, Notice, Report

TRIGGER = '[triggers.uploads]\ntype = "object-created"\nbucket = "scans"\noutput = "results/"\n'


def test_deploy_prints_the_documented_object(cli: CommandLine, root: Path) -> None:
    document = cli("deploy", "--json").document
    assert document.pop("seconds") >= 0
    assert document.pop("digest").startswith("sha256:")
    assert document == {
        "name": "demo",
        "provider": "local",
        "stage": "dev",
        "release": 1,
        "endpoint": "https://demo-dev.invalid",
        "changed": True,
        "token": "t0ken",
        "authority": None,
        "notes": [],
    }


def test_the_program_deploy_is_preheat_deploy(root: Path) -> None:
    cli = CommandLine(command=load("deploy"))
    assert cli(str(root), "--json").document["changed"] is True


def test_a_deploy_ends_with_the_endpoint_a_line_to_paste_and_what_to_do_next(
    cli: CommandLine, root: Path
) -> None:
    lines = cli("deploy").out.splitlines()
    assert lines[0].startswith("demo (dev) on local: release 1 is live")
    assert "  https://demo-dev.invalid" in lines
    assert "  curl https://demo-dev.invalid/invocations \\" in lines
    assert '    -H "Authorization: Bearer t0ken" \\' in lines
    assert "  preheat logs demo" in lines


def test_a_second_deploy_says_that_nothing_changed(deployed: CommandLine) -> None:
    outcome = deployed("deploy", "--json")
    assert (outcome.code, outcome.document["changed"], outcome.document["token"]) == (0, False, None)
    assert "nothing changed" in deployed("deploy").out


def test_without_a_terminal_nothing_but_the_result_is_printed(cli: CommandLine, root: Path) -> None:
    assert cli("deploy").err == ""


def test_on_a_terminal_every_stage_is_shown_with_its_time(root: Path) -> None:
    outcome = CommandLine(tty=True)("deploy")
    assert all(stage in outcome.err for stage in ("check", "bundle", "plan", "apply"))
    assert "✓" in outcome.err
    assert "✓" not in outcome.out


def test_colours_go_to_a_terminal_only_and_never_with_no_color(root: Path) -> None:
    assert "\x1b[" in CommandLine(tty=True, environ={})("deploy").out
    assert "\x1b[" not in CommandLine(tty=True)("deploy").out
    assert "\x1b[" not in CommandLine(environ={})("deploy").out


def test_a_notice_is_printed_once_even_without_a_terminal(root: Path) -> None:
    notice = Notice(
        "bundle", "no Python 3.13 here: byte-code was not compiled.", hint="uv python install 3.13"
    )
    outcome = CommandLine(build=FakeBuild(notice=notice))("deploy", "--json")
    assert outcome.document["changed"] is True
    assert outcome.err == f"note: {notice.text}\n  uv python install 3.13\n"


def test_a_plan_that_removes_something_is_not_applied_without_a_yes(cli: CommandLine, root: Path) -> None:
    write_project(root, TRIGGER)
    assert cli("deploy").code == 0
    write_project(root)
    refused = cli("deploy", "--json")
    assert refused.code == 2
    assert "--yes" in refused.document["error"]["message"]
    assert "- trigger uploads" in refused.err
    assert len(cli.provider.observe("demo", "dev")) == 2
    assert cli("deploy", "--yes").code == 0
    assert len(cli.provider.observe("demo", "dev")) == 1


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", 0), (b"n\n", 1), (b"\n", 1), (b"", 1)])
def test_on_a_terminal_it_asks_and_takes_only_yes_for_yes(root: Path, answer: bytes, code: int) -> None:
    cli = CommandLine(tty=True)
    write_project(root, TRIGGER)
    cli("deploy")
    write_project(root)
    assert cli("deploy", stdin=answer).code == code
    assert len(cli.provider.observe("demo", "dev")) == (1 if code == 0 else 2)


def test_a_failed_build_is_an_error_with_its_hint(root: Path) -> None:
    outcome = CommandLine(build=failing("numpy has no wheel.", 'requirements = ["numpy<2"]'))("deploy")
    assert outcome.code == 1
    assert outcome.err == 'error: numpy has no wheel.\n  requirements = ["numpy<2"]\n'


def test_an_interrupt_before_apply_says_that_nothing_was_deployed(root: Path) -> None:
    cli = CommandLine(build=FakeBuild(fail=KeyboardInterrupt()))
    outcome = cli("deploy")
    assert outcome.code == 130
    assert "Nothing was deployed" in outcome.err


def test_an_interrupt_during_apply_says_how_to_finish(root: Path) -> None:
    class Interrupted(InMemoryProvider):
        def apply(self, *args: object, report: Report, **kwargs: object) -> object:  # type: ignore[override]
            report(Amount("upload", "archive", 1, 1, "bytes"))
            raise KeyboardInterrupt

    outcome = CommandLine(provider=Interrupted("local"))("deploy")
    assert outcome.code == 130
    assert "The same command again finishes it." in outcome.err


def test_tls_is_an_option_of_the_local_provider(cli: CommandLine, root: Path) -> None:
    assert cli("deploy", "--tls").code == 0
    assert cli.provider.observe("demo", "dev")[0].properties["options"] == {"tls": True}
    assert cli("deploy", "--tls", "--provider", "lambda").code == 2


def test_upgrade_reaches_the_build(cli: CommandLine, root: Path) -> None:
    cli("deploy", "--upgrade")
    assert cli.build.upgraded


def test_a_folder_that_does_not_exist_is_wrong_use(cli: CommandLine, root: Path) -> None:
    assert cli("deploy", "nowhere").code == 2


def test_plan_shows_fields_by_their_paths(deployed: CommandLine, root: Path) -> None:
    write_project(root, "[scaling]\nmax = 8\n")
    document = deployed("plan", "--json").document
    fields = document["changes"][0]["fields"]
    assert {"path": "scaling.max", "before": 4, "after": 8} in fields
    assert "~ function demo" in deployed("plan").out
    assert len(deployed.provider.applied) == 1


def test_plan_exits_with_2_only_when_asked_and_something_would_change(cli: CommandLine, root: Path) -> None:
    assert cli("plan").code == 0
    assert cli("plan", "--exit-code").code == 2
    cli("deploy")
    assert cli("plan", "--exit-code").code == 0
    assert "nothing to change" in cli("plan").out


PRICE = Cost(name="requests", usd=0.00025, unit="1000 requests", basis="1,024 MB for 100 ms")


def test_a_plan_shows_what_it_costs_and_what_was_counted(cli: CommandLine, root: Path) -> None:
    idle = Cost(name="two kept ready", usd=1234.5, unit="month", basis="730 hours", chosen=False)
    cli.provider.prices = (PRICE, idle)
    assert cli("plan", "--json").document["costs"] == [
        {
            "name": "requests",
            "usd": 0.00025,
            "unit": "1000 requests",
            "basis": "1,024 MB for 100 ms",
            "chosen": True,
        },
        {
            "name": "two kept ready",
            "usd": 1234.5,
            "unit": "month",
            "basis": "730 hours",
            "chosen": False,
        },
    ]
    requests, kept = cli("plan").out.splitlines()[-2:]
    assert requests.split()[:2] == ["●", "requests"]
    assert "$0.00025  per 1,000 requests  1,024 MB for 100 ms" in requests
    assert "$1,234.50  per month" in kept
    assert "●" not in kept


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ("month", "per month"),
        ("hour", "per hour"),
        ("time", "each time"),
        ("1000 requests", "per 1,000 requests"),
    ],
)
def test_a_cost_says_what_it_is_paid_for(cli: CommandLine, root: Path, unit: Any, said: str) -> None:
    cli.provider.prices = (Cost(name="one", usd=2.0, unit=unit, basis="counted"),)
    assert f"$2.00  {said}  counted" in cli("plan").out


def test_a_plan_without_changes_still_shows_what_it_costs(deployed: CommandLine) -> None:
    deployed.provider.prices = (PRICE,)
    assert "$0.00025" in deployed("plan").out


def test_the_template_is_all_that_is_printed_and_needs_no_platform(cli: CommandLine, root: Path) -> None:
    outcome = cli("plan", "--template")
    assert json.loads(outcome.out)["Resources"].keys() == {"demo"}
    assert cli("plan", "--template").out == outcome.out
    assert cli.provider.functions == {}
