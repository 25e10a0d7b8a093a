import stat
from pathlib import Path

import pytest

from preheat.errors import PreheatError
from preheat.project.home import home


def test_the_variable_moves_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PREHEAT_HOME", str(tmp_path / "a" / "b"))
    assert home() == tmp_path / "a" / "b"


def test_without_the_variable_it_is_in_the_users_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PREHEAT_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert home() == tmp_path / ".preheat"


def test_an_empty_variable_counts_as_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PREHEAT_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert home() == tmp_path / ".preheat"


def test_it_is_made_for_its_owner_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PREHEAT_HOME", str(tmp_path / "home"))
    assert stat.S_IMODE(home().stat().st_mode) == 0o700


def test_a_relative_home_is_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PREHEAT_HOME", "here")
    assert home() == tmp_path / "here"


def test_a_home_that_cannot_be_made_says_what_to_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PREHEAT_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(PreheatError) as raised:
        home()
    assert str(tmp_path / "file" / "home") in raised.value.message
    assert "PREHEAT_HOME" in str(raised.value.hint)
