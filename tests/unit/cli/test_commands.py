import json
from pathlib import Path

import pytest
from tests.fakes.bundle import failing
from tests.fakes.command_line import CommandLine
from tests.fakes.entry_points import registry_of
from tests.fakes.projects import write_project
from tests.fakes.provider import InMemoryProvider, fails_with

from preheat.interface.message import Response


def test_init_lists_the_files_and_what_it_made_deploys(
    cli: CommandLine, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    document = cli("init", "fresh", "--json").document
    assert document["name"] == "fresh"
    assert str(tmp_path / "fresh" / "preheat.toml") in document["files"]
    assert cli("check", "fresh").code == 0
    assert cli("deploy", "fresh", "--json").document["name"] == "fresh"


def test_build_prints_the_documented_object(cli: CommandLine, root: Path) -> None:
    document = cli("build", "--json").document
    assert set(document) == {"digest", "layers", "unzipped_bytes", "path", "cached"}
    assert [set(layer) for layer in document["layers"]] == [{"name", "digest", "bytes"}]
    assert document["cached"] is False
    assert cli("build", "--json").document["cached"] is True


def test_build_sizes_lists_the_largest_first_against_the_limit(root: Path) -> None:
    cli = CommandLine(provider=InMemoryProvider("local", unzipped_limit=250_000_000))
    ledger = cli("build", "--sizes").out.splitlines()[-3:]
    assert ledger[0].split() == ["dependencies/numpy", "20.0", "MB"]
    assert "of 250 MB" in ledger[-1]
    assert cli("build", "--sizes", "--json").document["unzipped_limit"] == 250_000_000


def test_check_of_a_right_project_finds_nothing(cli: CommandLine, root: Path) -> None:
    assert cli("check", "--json").document == {"ok": True, "providers": ["local"], "findings": []}
    assert cli("check").out == "demo: nothing wrong for local\n"


def test_check_prints_file_line_and_fix_and_exits_with_1(cli: CommandLine, root: Path) -> None:
    (root / "handler.py").write_text("import preheat\n\nclass Model(preheat.Handler): ...\n")
    outcome = cli("check")
    assert outcome.code == 1
    assert outcome.out.splitlines()[0].startswith("  handler.py:3: Handler Model has no predict()")
    assert "def predict(self" in outcome.out.splitlines()[1]
    (finding,) = cli("check", "--json").document["findings"]
    assert (finding["file"], finding["line"]) == (str(root / "handler.py"), 3)


def test_check_reports_what_only_the_real_class_shows_unless_static(root: Path) -> None:
    cli = CommandLine(build=failing("predict() has no annotation.", "def predict(self, text: str) -> str:"))
    (finding,) = cli("check", "--json").document["findings"]
    assert finding["fix"] == "def predict(self, text: str) -> str:"
    assert cli("check", "--static").code == 0


def test_a_file_where_the_folder_belongs_is_wrong_use_with_the_line_to_paste(
    cli: CommandLine, root: Path
) -> None:
    write_project(root / "my model")
    outcome = cli("check", "my model/preheat.toml")
    assert outcome.code == 2
    assert "name its folder: preheat check 'my model'\n" in outcome.err


def test_check_cannot_both_run_nothing_and_try_a_snapshot(cli: CommandLine, root: Path) -> None:
    outcome = cli("check", "--static", "--snapshot")
    assert outcome.code == 2
    assert "Choose one" in outcome.err


def test_check_all_asks_every_provider_and_says_a_finding_once(root: Path) -> None:
    registry = registry_of(InMemoryProvider("local"), InMemoryProvider("cloud"))
    write_project(root, '[resources]\ngpu = "a10"\n')
    document = CommandLine(registry=registry)("check", "--provider", "all", "--json").document
    assert document["providers"] == ["cloud", "local"]
    assert [finding["message"].split()[0] for finding in document["findings"]] == ["cloud", "local"]
    assert [finding["providers"] for finding in document["findings"]] == [["cloud"], ["local"]]
    assert [finding["line"] for finding in document["findings"]] == [4, 4]
    lines = CommandLine(registry=registry)("check", "--provider", "all").out.splitlines()
    assert [line.rpartition(" ")[2] for line in lines if line.startswith("  preheat")] == [
        "(cloud)",
        "(local)",
    ]
    (root / "handler.py").write_text("class Model: ...")
    write_project(root, handler="class Model: ...")
    document = CommandLine(registry=registry)("check", "--provider", "all", "--json").document
    assert [finding["providers"] for finding in document["findings"]] == [["cloud", "local"]]
    assert CommandLine(registry=registry)("check", "--provider", "all").out.splitlines()[0].endswith(" (all)")


def test_invoke_prints_the_body_and_nothing_else(deployed: CommandLine) -> None:
    outcome = deployed("invoke", "demo", "--data", '{"a": 1}')
    assert (outcome.code, outcome.out, outcome.err) == (0, '{"a": 1}', "")


@pytest.mark.parametrize(
    ("file", "media"),
    [
        ("receipt.png", "image/png"),
        ("input.json", "application/json"),
        ("vector.npy", "application/x-npy"),
        ("what", "application/octet-stream"),
    ],
)
def test_the_media_type_is_guessed_from_the_files_name(
    deployed: CommandLine, root: Path, file: str, media: str
) -> None:
    seen = []
    deployed.provider = _answering(deployed.provider, lambda request: seen.append(request.content_type))
    (root / file).write_bytes(b"\x89")
    assert deployed("invoke", "demo", "--data", f"@{file}").code == 0
    assert deployed("invoke", "demo", "--data", f"@{file}", "--content-type", "text/csv").code == 0
    assert seen == [media, "text/csv"]


def _answering(provider: InMemoryProvider, see: object) -> InMemoryProvider:
    def answer(request: object) -> Response:
        see(request)  # type: ignore[operator]
        return Response(body=b"null")

    other = InMemoryProvider("local", answer=answer)
    other.functions = provider.functions
    return other


def test_invoke_async_prints_the_id_of_the_job(deployed: CommandLine) -> None:
    outcome = deployed("invoke", "demo", "--data", "[1]", "--async")
    (function,) = deployed.provider.functions.values()
    assert [request.body for request in function.jobs] == [b"[1]"]
    assert (outcome.code, outcome.out) == (0, function.jobs[0].id + "\n")


def test_invoke_reads_standard_input(deployed: CommandLine) -> None:
    assert deployed("invoke", "demo", "--data", "-", stdin=b"[1]").out == "[1]"


def test_a_text_that_is_no_json_is_wrong_use_with_the_right_quoting(deployed: CommandLine) -> None:
    outcome = deployed("invoke", "demo", "--data", "hello")
    assert outcome.code == 2
    assert "'\"hello\"'" in outcome.err


def test_a_missing_file_is_wrong_use(deployed: CommandLine) -> None:
    outcome = deployed("invoke", "demo", "--data", "@nowhere.png")
    assert outcome.code == 2
    assert "nowhere.png: No such file" in outcome.err


def test_an_answer_that_is_an_error_is_printed_and_ends_with_1(root: Path) -> None:
    cli = CommandLine(provider=InMemoryProvider("local", answer=fails_with(400, "text is missing")))
    cli("deploy")
    outcome = cli("invoke", "demo", "--data", "{}")
    assert outcome.code == 1
    assert json.loads(outcome.out)["detail"] == "text is missing"
    assert outcome.err == "demo answered with status 400.\n"


def test_bytes_that_are_no_text_are_kept_off_a_terminal(deployed: CommandLine, root: Path) -> None:
    (root / "a.png").write_bytes(b"\x89PNG")
    assert deployed("invoke", "demo", "--data", "@a.png").out == "\\x89PNG"
    deployed.tty = True
    outcome = deployed("invoke", "demo", "--data", "@a.png")
    assert (outcome.out, outcome.err) == ("", "4 bytes of image/png. To keep them, add: > answer\n")


def test_status_of_one_function_is_one_object(deployed: CommandLine) -> None:
    document = deployed("status", "demo", "--json").document
    assert {"name", "provider", "stage", "release", "endpoint", "ready", "workers", "requests"} <= set(
        document
    )
    assert document["details"] == {"region": "memory"}


def test_status_of_everything_is_a_list_in_an_object(cli: CommandLine, root: Path) -> None:
    assert cli("status", "--json").document == {"functions": []}
    assert "Nothing is deployed." in cli("status").out
    cli("deploy")
    assert [one["name"] for one in cli("status", "--json").document["functions"]] == ["demo"]


def test_status_shows_cold_and_warm_latencies_within_80_columns(deployed: CommandLine) -> None:
    for _ in range(2):
        deployed("invoke", "demo", "--data", "1")
    head, row = deployed("status").out.splitlines()
    assert row.split()[:9] == ["demo", "dev", "1", "asleep", "2", "812", "ms", "4.2", "ms"]
    assert head.index("ENDPOINT") == row.index("https://")
    assert max(len(head), len(row)) <= 80
    assert "812 ms median" in deployed("status", "demo").out


def test_status_finds_the_only_stage_and_asks_when_there_are_two(deployed: CommandLine) -> None:
    deployed("deploy", "--stage", "prod")
    outcome = deployed("status", "demo")
    assert outcome.code == 2
    assert "Add --stage dev" in outcome.err
    assert deployed("status", "demo", "--stage", "prod", "--json").document["stage"] == "prod"


def test_a_name_that_is_not_deployed_is_an_error(cli: CommandLine, root: Path) -> None:
    for command in (
        ["status", "gone"],
        ["logs", "gone"],
        ["invoke", "gone", "--data", "1"],
        ["releases", "gone"],
    ):
        outcome = cli(*command)
        assert (outcome.code, outcome.out) == (1, "")
        assert "gone" in outcome.err


def test_logs_are_lines_of_json_in_a_pipe_and_text_on_a_terminal(deployed: CommandLine) -> None:
    deployed("invoke", "demo", "--data", "1")
    deployed("invoke", "demo", "--data", "2")
    lines = deployed("logs", "demo").out.splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["request", "request"]
    assert len(deployed("logs", "demo", "--json").document["events"]) == 2
    deployed.tty = True
    assert "info    answered event=request status=200" in deployed("logs", "demo").out


def test_releases_rollback_and_promote(deployed: CommandLine, root: Path) -> None:
    write_project(root, "[scaling]\nmax = 8\n")
    deployed("deploy")
    assert [one["active"] for one in deployed("releases", "demo", "--json").document["releases"]] == [
        True,
        False,
    ]
    assert deployed("rollback", "demo", "--json").document["release"] == 1
    assert deployed("releases", "demo").out.splitlines()[1].startswith("●")
    assert "the newest release gets 10% of the traffic" in deployed("promote", "demo", "--canary", "10%").out
    assert deployed.provider.functions["demo", "dev"].share == 0.1
    assert deployed("promote", "demo", "--json").document["release"] == 2
    assert deployed("rollback", "demo", "7").code == 1


@pytest.mark.parametrize("share", ["0", "101%", "2", "many", "nan"])
def test_what_is_no_share_of_the_traffic_is_wrong_use(deployed: CommandLine, share: str) -> None:
    assert deployed("promote", "demo", "--canary", share).code == 2


def test_replay_and_backfill_say_how_many_they_queued(deployed: CommandLine) -> None:
    deployed.provider.functions["demo", "dev"].dead_letters = 3
    assert deployed("replay", "demo", "--json").document == {"name": "demo", "stage": "dev", "queued": 3}
    assert deployed("backfill", "demo", "scans").out == "1 delivery queued\n"


def test_destroy_asks_and_prints_a_receipt(deployed: CommandLine) -> None:
    assert deployed("destroy", "demo").code == 2
    document = deployed("destroy", "demo", "--yes", "--json").document
    assert document["removed"] == ["function demo"]
    assert document["left"] == []
    assert deployed("destroy", "demo", "--yes").code == 1


def test_destroy_fails_when_something_is_left(root: Path) -> None:
    cli = CommandLine(provider=InMemoryProvider("local", left=("port 8080",)))
    cli("deploy")
    outcome = cli("destroy", "demo", "--yes")
    assert outcome.code == 1
    assert "port 8080" in outcome.out
