from pathlib import Path

import pytest

from preheat_providers.local.supervisor.rotation import RotatedFile


def test_lines_are_added_after_those_of_an_earlier_process(tmp_path: Path) -> None:
    for text in (b"one\n", b"two\nthree\n"):
        file = RotatedFile(tmp_path / "x.jsonl", 1000)
        file.append(text)
        file.close()
    assert list(RotatedFile(tmp_path / "x.jsonl", 1000).lines()) == ["one\n", "two\n", "three\n"]


def test_one_old_file_is_kept_and_the_oldest_lines_go(tmp_path: Path) -> None:
    file = RotatedFile(tmp_path / "x.jsonl", 100)
    for number in range(100):
        file.append(b"line %03d\n" % number)
    kept = list(file.lines())
    assert kept[-1] == "line 099\n"
    assert 12 <= len(kept) <= 24
    there = set(tmp_path.iterdir())
    assert set(file.remove()) == there
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_private(tmp_path: Path) -> None:
    file = RotatedFile(tmp_path / "access" / "x.jsonl", 100)
    file.append(b"one\n")
    file.close()
    assert (tmp_path / "access").stat().st_mode & 0o077 == 0


def test_a_file_that_could_not_be_written_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.symlink_to("/dev/full")
    file = RotatedFile(path, 100)
    with pytest.raises(OSError, match="No space left"):
        file.append(b"lost\n")
    path.unlink()
    file.append(b"kept\n")
    file.close()
    assert path.read_bytes() == b"kept\n"
