from importlib.metadata import distribution
from pathlib import Path

import pytest

from preheat.bundle.image.elf import needed_libraries


def test_the_libraries_that_a_module_needs_are_read() -> None:
    files = [Path(str(file.locate())) for file in distribution("orjson").files or () if file.suffix == ".so"]
    assert "libc.so.6" in needed_libraries(files[0])


@pytest.mark.parametrize("data", [b"", b"# text", b"\x7fELF", b"\x7fELF\x02\x01" + bytes(10) + b"\xff" * 100])
def test_what_is_no_library_needs_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.so").write_bytes(data)
    assert needed_libraries(tmp_path / "x.so") == ()
