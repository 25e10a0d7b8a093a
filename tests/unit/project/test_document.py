from collections.abc import Callable
from pathlib import Path

import pytest

from preheat.errors import Located, ProjectError
from preheat.project.document import read_document

Mistakes = Callable[..., tuple[Located, ...]]


def refusal(root: Path, content: bytes) -> Located:
    (root / "preheat.toml").write_bytes(content)
    with pytest.raises(ProjectError) as raised:
        read_document(root)
    (finding,) = raised.value.findings
    return finding


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b'name = "a"\n\nhandler "b"\n', 3),
        (b'name = "a"\nname = "b"\n', 2),
        (b"[scaling]\nmin = 1\n[scaling]\nmax = 2\n", 3),
        (b'name = "a"\nlist = [1,\n', 2),
        (b"list = [\r\n  1 2]\r\n", 2),
    ],
)
def test_a_syntax_error_has_its_line(root: Path, content: bytes, line: int) -> None:
    finding = refusal(root, content)
    assert finding.line == line
    assert finding.message.startswith("This is not TOML: ")


def test_a_file_that_is_not_utf_8_says_where_and_how_to_convert_it(root: Path) -> None:
    finding = refusal(root, 'name = "a"\nhandler = "é"\n'.encode("latin1"))
    assert finding.line == 2
    assert "0xe9" in finding.message
    assert "iconv" in str(finding.fix)


def test_a_byte_order_mark_is_no_mistake(root: Path) -> None:
    (root / "preheat.toml").write_bytes(b'\xef\xbb\xbfname = "a"\n')
    assert read_document(root).values == {"name": "a"}


def test_a_folder_without_preheat_toml_offers_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as raised:
        read_document(tmp_path)
    assert raised.value.findings[0].message == f"There is no preheat.toml in {tmp_path}."
    assert str(raised.value.findings[0].fix).startswith("preheat init")


def test_a_folder_in_the_place_of_the_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "preheat.toml").mkdir()
    with pytest.raises(ProjectError, match="cannot be used") as raised:
        read_document(tmp_path)
    assert "directory" in raised.value.findings[0].message


def test_a_file_of_megabytes_is_refused_before_it_is_parsed(root: Path) -> None:
    assert "larger than 1 MB" in refusal(root, b"#" * (1024 * 1024 + 1)).message


@pytest.mark.parametrize("levels", [70, 5000])
@pytest.mark.parametrize("form", ["list", "dotted", "inline"])
def test_deep_nesting_is_refused(root: Path, form: str, levels: int) -> None:
    content = {
        "list": "a = " + "[" * levels + "]" * levels,
        "dotted": ".".join(["a"] * levels) + " = 1",
        "inline": "a = " + "{a = " * levels + "1" + "}" * levels,
    }[form]
    assert "levels deep" in refusal(root, content.encode()).message


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_a_number_that_is_not_finite_is_a_mistake(mistakes: Mistakes, value: str) -> None:
    (finding,) = mistakes(f"[resources]\ncpu = {value}\n")
    assert (finding.key, finding.line) == ("resources.cpu", 4)
    assert "finite" in finding.message


def test_a_date_is_a_mistake_with_the_string_to_paste(mistakes: Mistakes) -> None:
    (finding,) = mistakes(
        '[triggers.t]\ntype = "schedule"\ncron = "0 3 * * *"\ninput = { day = 2024-02-01 }\n'
    )
    assert (finding.key, finding.line) == ("triggers.t.input.day", 6)
    assert finding.fix == 'day = "2024-02-01"'


def test_a_nul_character_is_a_mistake(mistakes: Mistakes) -> None:
    (finding,) = mistakes('[env]\nA = "x\\u0000y"\n')
    assert (finding.key, finding.line) == ("env.A", 4)
