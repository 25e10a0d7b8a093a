import os
import stat
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

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


NOBODY = 65534
by_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to another user")


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose path is short enough for $XDG_RUNTIME_DIR, which names it."""
    with TemporaryDirectory(prefix="ph-") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


def test_the_folder_for_sockets_and_the_one_it_lies_in_become_private(tmp_path: Path, runtime: Path) -> None:
    (runtime / "preheat").mkdir()
    (runtime / "preheat").chmod(0o777)
    sockets = HomePaths(tmp_path).make_sockets()
    assert sockets.parent == runtime / "preheat"
    assert [stat.S_IMODE(each.stat().st_mode) for each in (sockets.parent, sockets)] == [0o700, 0o700]
    assert HomePaths(tmp_path).make_sockets() == sockets


@pytest.mark.parametrize("target", ["elsewhere", "nowhere", None])
def test_what_is_no_folder_is_refused_as_the_place_of_sockets(
    tmp_path: Path, runtime: Path, target: str | None
) -> None:
    (runtime / "elsewhere").mkdir()
    place = runtime / "preheat"
    place.touch() if target is None else place.symlink_to(runtime / target)
    with pytest.raises(ProviderError, match=rf"{place} .*is no folder") as refused:
        HomePaths(tmp_path).make_sockets()
    assert "export XDG_RUNTIME_DIR=" in str(refused.value.hint)
    assert list((runtime / "elsewhere").iterdir()) == []


@by_root
@pytest.mark.parametrize("whose", ["leaf", "parent"])
def test_a_folder_for_sockets_that_another_user_could_replace_is_refused(
    tmp_path: Path, runtime: Path, whose: str
) -> None:
    paths = HomePaths(tmp_path)
    sockets = paths.make_sockets()
    os.chown(sockets if whose == "leaf" else sockets.parent, NOBODY, NOBODY)
    with pytest.raises(ProviderError, match="belongs to another user"):
        paths.make_sockets()


def test_a_runtime_folder_that_others_may_write_is_not_used(tmp_path: Path, runtime: Path) -> None:
    runtime.chmod(0o770)
    assert HomePaths(tmp_path).sockets.parent == Path(f"/tmp/preheat-{os.getuid()}")


@by_root
def test_a_runtime_folder_of_another_user_is_not_used(tmp_path: Path, runtime: Path) -> None:
    os.chown(runtime, NOBODY, NOBODY)
    assert HomePaths(tmp_path).sockets.parent == Path(f"/tmp/preheat-{os.getuid()}")
