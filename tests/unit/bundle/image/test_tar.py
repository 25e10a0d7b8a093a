import io
import os
import tarfile
from pathlib import Path

import pytest

from preheat.bundle.image.tar import tar_stream
from preheat.bundle.zip.packing import Member
from preheat.errors import BundleError

LONG = "/".join(["folder" * 8] * 5) + "/naïve.txt"


def member(path: str, data: bytes = b"x", *, executable: bool = False) -> Member:
    return Member(path=path, source=data, size=len(data), executable=executable)


def packed(*members: Member, folders: tuple[str, ...] = ()) -> bytes:
    return b"".join(tar_stream(members, folders))


def test_an_archive_holds_the_files_and_the_folders_that_lead_to_them() -> None:
    data = packed(member("b/run", b"#!", executable=True), member("a", b"A" * 513), member(LONG))
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        entries = {entry.name: entry for entry in archive}
        assert list(entries) == sorted(entries)
        assert (entries["b"].isdir(), oct(entries["b"].mode)) == (True, "0o755")
        assert [oct(entries[name].mode) for name in ("a", "b/run")] == ["0o644", "0o755"]
        assert {(each.mtime, each.uid, each.gid, each.uname) for each in entries.values()} == {(0, 0, 0, "")}
        content = archive.extractfile("a")
        assert content is not None
        assert content.read() == b"A" * 513
        assert LONG in entries


def test_the_order_and_the_times_of_files_do_not_count(tmp_path: Path) -> None:
    made = []
    for name, old in (("one", 0), ("two", 1_000_000_000)):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (old, old))
        made.append(Member(path="a", source=tmp_path / name, size=1))
    assert packed(made[0], member("b")) == packed(member("b"), made[1])


def test_folders_that_no_file_needs_can_be_asked_for() -> None:
    with tarfile.open(fileobj=io.BytesIO(packed(folders=("opt/weights",)))) as archive:
        assert archive.getnames() == ["opt", "opt/weights"]


@pytest.mark.parametrize("paths", [("a", "a"), ("a", "a/b"), ("a/b", "a")])
def test_two_things_of_one_name_are_refused(paths: tuple[str, str]) -> None:
    with pytest.raises(BundleError, match="in the image"):
        packed(*map(member, paths))


@pytest.mark.parametrize("announced", [0, 2])
def test_a_file_that_changes_meanwhile_is_refused(announced: int) -> None:
    with pytest.raises(BundleError, match="changed while it was being packed"):
        packed(Member(path="a", source=b"x", size=announced))


def test_a_folder_that_is_there_is_left_as_it_is() -> None:
    data = b"".join(tar_stream([member("usr/lib/x/y")], there={"usr", "usr/lib"}))
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert archive.getnames() == ["usr/lib/x", "usr/lib/x/y"]
