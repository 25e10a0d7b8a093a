import subprocess
import sys
from pathlib import Path

import pytest
from tests.fakes.elf import real_library, with_sections

from preheat.bundle.symbols import LEAST, without_symbols

SYMBOLS = {".debug_info": b"debug" * LEAST, ".symtab": b"names" * 1000}
ASK = (
    "import sys; sys.path.insert(0, sys.argv[1]); import orjson; print(orjson.__file__, orjson.loads('[7]'))"
)


@pytest.fixture(scope="module")
def library() -> bytes:
    return real_library().read_bytes()


@pytest.fixture
def heavy(library: bytes, tmp_path: Path) -> Path:
    """A library with what only debuggers read, as a wheel that was built with `-g` has it."""
    return written(tmp_path / "heavy.so", with_sections(library, SYMBOLS))


def written(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_a_library_without_its_symbols_loads_and_works(heavy: Path, tmp_path: Path) -> None:
    lean = without_symbols(heavy)
    assert lean is not None
    assert len(heavy.read_bytes()) - len(lean) >= len(SYMBOLS[".debug_info"])
    package = real_library().parent
    for path in package.glob("*.py"):
        written(tmp_path / "site" / "orjson" / path.name, path.read_bytes())
    placed = written(tmp_path / "site" / "orjson" / real_library().name, lean)
    done = subprocess.run(
        [sys.executable, "-I", "-c", ASK, placed.parents[1]], capture_output=True, text=True
    )
    assert done.stdout == f"{placed.with_name('__init__.py')} [7]\n", done.stderr


def test_what_is_lean_already_is_left_alone(heavy: Path) -> None:
    lean = without_symbols(heavy)
    assert lean is not None
    assert without_symbols(written(heavy, lean)) is None


def test_a_few_kilobytes_are_not_worth_a_copy(library: bytes, tmp_path: Path) -> None:
    end = len(without_symbols(written(tmp_path / "x.so", with_sections(library, SYMBOLS))) or b"")
    light = with_sections(library[:end], {".debug_info": b"x" * 1000})
    assert without_symbols(written(tmp_path / "x.so", light)) is None


def test_a_section_that_somebody_may_read_keeps_everything(library: bytes, tmp_path: Path) -> None:
    data = with_sections(library, SYMBOLS | {".model": b"weights"})
    assert without_symbols(written(tmp_path / "x.so", data)) is None


def test_what_was_appended_behind_the_sections_keeps_everything(heavy: Path) -> None:
    assert without_symbols(written(heavy, heavy.read_bytes() + b"an archive")) is None


@pytest.mark.parametrize(("name", "taken"), [("x.so.1.2", True), ("program", False), ("x.so.txt", False)])
def test_only_what_is_called_a_library_is_looked_at(heavy: Path, name: str, taken: bool) -> None:
    found = without_symbols(written(heavy.with_name(name), heavy.read_bytes()))
    assert (found is not None) == taken


@pytest.mark.parametrize("size", [0, 3, 64, 100, 4096, 200_000])
def test_what_is_damaged_is_left_alone(heavy: Path, size: int) -> None:
    assert without_symbols(written(heavy, heavy.read_bytes()[:size])) is None


@pytest.mark.parametrize("content", [b"", b"# text", b"\x7fELF", b"\x7fELF\x02\x01" + b"\xff" * 90])
def test_what_is_no_library_is_left_alone(tmp_path: Path, content: bytes) -> None:
    assert without_symbols(written(tmp_path / "x.so", content)) is None
