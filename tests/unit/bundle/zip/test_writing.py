import hashlib
import io
import random
import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preheat.bundle.zip.packing import LARGEST, Member, pack
from preheat.bundle.zip.records import DEFLATED, STORED
from preheat.bundle.zip.writing import write_zip
from preheat.errors import BundleError

TEXT = b"the same line again and again\n" * 2000
NOISE = random.Random(1).randbytes(3 << 20)
GOLDEN = "577053c506327233f27a4cd3fc52cfc712738866b3bb96dca9179fe676a9f588"


def member(path: str, content: bytes = b"", *, executable: bool = False) -> Member:
    return Member(path=path, source=content, size=len(content), executable=executable)


def on_disk(folder: Path, **contents: bytes) -> list[Member]:
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [Member(path=name, source=folder / name, size=len(each)) for name, each in contents.items()]


def written(members: Sequence[Member], *, threads: int = 2) -> bytes:
    into = io.BytesIO()
    size = write_zip(members, into, threads=threads)
    assert size == len(into.getvalue())
    return into.getvalue()


def test_python_and_unzip_read_what_was_written(tmp_path: Path) -> None:
    contents = {"text": TEXT, "noise": NOISE, "empty": b"", "tiny": b"x"}
    (tmp_path / "out.zip").write_bytes(written(on_disk(tmp_path, **contents)))
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == contents
        assert archive.namelist() == sorted(contents)
    tested = subprocess.run(["unzip", "-t", tmp_path / "out.zip"], capture_output=True, text=True)
    assert "No errors detected" in tested.stdout, tested.stderr


def test_order_threads_and_file_times_do_not_change_a_byte(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    contents = {f"f{number}": random.Random(number).randbytes(999) + TEXT for number in range(40)}
    first = written(on_disk(one, **contents), threads=1)
    for path in sorted(other.iterdir()):
        path.chmod(0o600)
    second = written(list(reversed(on_disk(other, **contents))), threads=4)
    assert first == second


def test_the_bytes_are_those_of_every_other_machine() -> None:
    """Made with and without SSE4.2, AVX2 and AVX-512. Where a new compressor changes it, raise FORMAT."""
    words = random.Random(2).choices([b"tensor ", b"weight ", b"layer ", b"bias\n", b"\0\1\2"], k=50_000)
    mixed = b"".join(words) + NOISE[:50_000] + bytes(50_000)
    made = written([member("a", mixed), member("b", NOISE), member("run", b"#!", executable=True)])
    assert hashlib.sha256(made).hexdigest() == GOLDEN


def test_what_does_not_shrink_is_stored_and_what_does_is_not(tmp_path: Path) -> None:
    text, noise, empty = on_disk(tmp_path, text=TEXT, noise=NOISE, empty=b"")
    assert pack(text).entry.method == DEFLATED
    assert pack(text).entry.packed_bytes < len(TEXT) / 10
    assert pack(noise).entry.method == STORED
    assert pack(noise).data is None
    assert pack(empty).entry.method == STORED


def test_a_file_larger_than_memory_allows_is_stored(tmp_path: Path) -> None:
    with (tmp_path / "zeros").open("wb") as file:
        file.truncate(LARGEST + 1)
    packed = pack(Member(path="zeros", source=tmp_path / "zeros", size=LARGEST + 1))
    assert (packed.entry.method, packed.entry.packed_bytes, packed.data) == (STORED, LARGEST + 1, None)


def test_progress_counts_every_byte_once() -> None:
    sizes: list[int] = []
    write_zip([member("a", TEXT), member("b", NOISE)], io.BytesIO(), progress=sizes.append)
    assert sizes == [len(TEXT), len(NOISE)]


@pytest.mark.parametrize("content", [TEXT, NOISE])
def test_a_file_that_changed_after_it_was_listed_is_an_error(content: bytes, tmp_path: Path) -> None:
    (found,) = on_disk(tmp_path, file=content)
    (tmp_path / "file").write_bytes(content + b"more")
    with pytest.raises(BundleError, match="changed while it was being packed"):
        written([found])


def test_a_file_that_changes_between_packing_and_writing_is_an_error(tmp_path: Path) -> None:
    (found,) = on_disk(tmp_path, noise=NOISE)

    class Changing(io.BytesIO):
        def write(self, data: Any, /) -> int:
            (tmp_path / "noise").write_bytes(NOISE[::-1])
            return super().write(data)

    with pytest.raises(BundleError, match="changed while it was being packed"):
        write_zip([found], Changing())


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["a", "b", "a"], "Two files of the bundle would be a in the archive"),
        (["a/b", "a"], "a would be both a file and a folder"),
        (["x/a/b/c", "x/a"], "x/a would be both a file and a folder"),
    ],
)
def test_paths_that_clash_are_an_error(paths: list[str], message: str) -> None:
    with pytest.raises(BundleError, match=message):
        written([member(path) for path in paths])


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8", exclude_characters="/\0\\"), min_size=1, max_size=40).filter(
            lambda name: name not in (".", "..")
        ),
        st.binary(max_size=500) | st.binary(min_size=1, max_size=4).map(lambda part: part * 400),
        max_size=8,
    )
)
def test_any_files_come_back(contents: dict[str, bytes]) -> None:
    made = written([member(path, content) for path, content in contents.items()])
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert archive.testzip() is None
        assert {info.filename: archive.read(info) for info in archive.infolist()} == contents
