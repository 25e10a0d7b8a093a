import zipfile
from pathlib import Path

import pytest

from preheat.bundle.zip.records import STORED, Entry, central_record, end_records, local_header

GIB = 1 << 30


def entry(path: str, size: int, crc: int = 0) -> Entry:
    return Entry(path=path, mode=0o644, method=STORED, crc=crc, packed_bytes=size, bytes=size)


def write_sparse(path: Path, entries: list[Entry]) -> None:
    """Write an archive whose stored content is holes, so that sizes of many gigabytes cost nothing."""
    directory = bytearray()
    with path.open("wb") as file:
        for each in entries:
            offset = file.tell()
            file.write(local_header(each))
            file.seek(each.packed_bytes, 1)
            directory += central_record(each, offset)
        start = file.tell()
        file.write(directory + end_records(len(entries), start=start, size=len(directory)))


@pytest.mark.parametrize("size", [(1 << 32) - 2, (1 << 32) - 1, 1 << 32, 9 * GIB])
def test_sizes_and_places_beyond_32_bits_are_read_back(size: int, tmp_path: Path) -> None:
    write_sparse(tmp_path / "zip", [entry("large", size), entry("behind", 0)])
    with zipfile.ZipFile(tmp_path / "zip") as archive:
        large, behind = archive.infolist()
        assert (large.file_size, large.compress_size) == (size, size)
        assert behind.header_offset == size + len(local_header(entry("large", size)))
        assert archive.read(behind) == b""
        with archive.open(large) as content:
            assert content.read(3) == bytes(3)


def test_fields_of_64_bits_appear_only_where_they_are_needed() -> None:
    last, first = entry("x", (1 << 32) - 2), entry("x", (1 << 32) - 1)
    assert [len(local_header(each)) for each in (last, first)] == [30 + 1, 30 + 1 + 4 + 16]
    assert [len(central_record(each, 0)) for each in (last, first)] == [46 + 1, 46 + 1 + 4 + 16]
    assert len(central_record(entry("x", 0), (1 << 32) - 1)) == 46 + 1 + 4 + 8
    assert b"PK\6\6" not in end_records(65_534, start=100, size=100)
    assert b"PK\6\6" in end_records(65_535, start=100, size=100)


def test_more_entries_than_16_bits_count_are_read_back(tmp_path: Path) -> None:
    count = 65_536
    write_sparse(tmp_path / "zip", [entry(f"{number:x}", 0) for number in range(count)])
    with zipfile.ZipFile(tmp_path / "zip") as archive:
        assert len(archive.namelist()) == count


def test_a_name_that_is_not_ascii_is_marked_as_utf_8(tmp_path: Path) -> None:
    write_sparse(tmp_path / "zip", [entry("modèle/größe.onnx", 0), entry("plain", 0)])
    with zipfile.ZipFile(tmp_path / "zip") as archive:
        assert archive.namelist() == ["modèle/größe.onnx", "plain"]
        assert [info.flag_bits & 0x800 for info in archive.infolist()] == [0x800, 0]


def test_every_entry_says_what_it_is_and_nothing_of_when(tmp_path: Path) -> None:
    script = Entry(path="run", mode=0o755, method=STORED, crc=0, packed_bytes=0, bytes=0)
    write_sparse(tmp_path / "zip", [script])
    with zipfile.ZipFile(tmp_path / "zip") as archive:
        (info,) = archive.infolist()
    assert info.date_time == (1980, 1, 1, 0, 0, 0)
    assert info.external_attr >> 16 == 0o100755
    assert info.create_system == 3
