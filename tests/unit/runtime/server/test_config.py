from pathlib import Path

import pytest

from preheat.runtime.server.config import Config, read_config

LAYERS = ("--dependencies", "/d", "--weights", "/w")


def read(*flags: str) -> Config:
    return read_config(Path("/code"), [*LAYERS, *flags])


def test_what_is_not_said_has_a_default() -> None:
    assert read() == Config(code=Path("/code"), dependencies=Path("/d"), weights=Path("/w"))


def test_flags_are_read() -> None:
    config = read(
        *("--host", "0.0.0.0", "--port", "0", "--workers", "3", "--queue", "7", "--drain-s", "1.5"),
        *("--token-env", "KEY", "--access-log", "--stage", "prod", "--provider", "p", "--release", "4"),
    )
    assert (config.host, config.port, config.workers, config.queue) == ("0.0.0.0", 0, 3, 7)
    assert (config.drain_s, config.token_env, config.access_log) == (1.5, "KEY", True)
    assert (config.stage, config.provider, config.release) == ("prod", "p", "4")


def test_what_platforms_ask_for_is_off_unless_it_is_said() -> None:
    plain, platform = read(), read("--ping-decides", "--whole", "--no-circuit")
    assert (plain.ping_decides, plain.whole, plain.circuit) == (False, False, True)
    assert (platform.ping_decides, platform.whole, platform.circuit) == (True, True, False)


def test_what_a_server_tells_its_own_processes_is_read() -> None:
    config = read("--listener", "5", "--fresh", "why", "--line", "6", "--slot", "1", "--folder", "/f")
    assert (config.listener, config.fresh, config.line) == (5, "why", 6)
    assert (config.slot, config.folder) == (1, Path("/f"))


def test_a_relative_folder_is_meant_from_where_the_server_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read("--weights", "w").weights == tmp_path / "w"


@pytest.mark.parametrize(
    "flags", [("--workers", "0"), ("--queue", "-1"), ("--port", "x"), ("--worker", "2"), ("extra",)]
)
def test_wrong_use_is_said(flags: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        read(*flags)
    assert left.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_the_help_shows_what_is_for_users_only(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read("--help")
    shown = capsys.readouterr().out
    assert "--workers" in shown
    assert "--line" not in shown


def test_grpc_is_for_one_process(capsys: pytest.CaptureFixture[str]) -> None:
    assert read("--grpc-port", "8001").grpc_port == 8001
    with pytest.raises(SystemExit):
        read("--grpc-port", "8001", "--workers", "2")
    assert "--grpc-port needs --workers 1" in capsys.readouterr().err
