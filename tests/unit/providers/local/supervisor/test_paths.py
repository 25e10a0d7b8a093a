import stat
from pathlib import Path

import pytest

from preheat.errors import ProviderError
from preheat_providers.local.supervisor.paths import HomePaths, function_key, private_file, private_folder


@pytest.mark.parametrize("name", ["", "..", "a/b", "../x", ".hidden", "a@b", "x" * 64, "a\nb"])
def test_a_name_that_could_leave_its_folder_is_refused(name: str) -> None:
    with pytest.raises(ProviderError, match="no name of a function"):
        function_key(name, "dev")


def test_a_function_is_its_name_and_stage() -> None:
    assert function_key("ocr", "dev") == "ocr@dev"


def test_a_deep_home_has_short_socket_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path.joinpath(*["a-rather-long-folder-name"] * 8)
    for runtime in ("", str(tmp_path), "/nowhere", "/" + "x" * 90):
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        assert len(str(HomePaths(deep).sockets / "a1b2-123456-zygote.sock")) < 104


def test_two_homes_have_two_socket_folders(tmp_path: Path) -> None:
    assert HomePaths(tmp_path / "a").sockets != HomePaths(tmp_path / "b").sockets


def test_private_folders_and_files_are_for_their_owner_only(tmp_path: Path) -> None:
    loose = tmp_path / "loose"
    loose.mkdir(mode=0o755)
    assert stat.S_IMODE(private_folder(loose).stat().st_mode) == 0o700
    private_file(loose / "deep" / "token", "one")
    private_file(loose / "deep" / "token", "two")
    token = loose / "deep" / "token"
    assert (stat.S_IMODE(token.stat().st_mode), token.read_text()) == (0o600, "two")
    assert [path.name for path in token.parent.iterdir()] == ["token"]


def test_a_link_instead_of_a_private_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ProviderError, match="no folder"):
        private_folder(tmp_path / "link")
