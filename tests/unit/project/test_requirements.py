from collections.abc import Callable
from pathlib import Path

import pytest

from preheat.errors import Located
from preheat.project.model import Project

Load = Callable[..., Project]
Mistakes = Callable[..., tuple[Located, ...]]
FILE = 'requirements = "requirements.txt"\n'


@pytest.mark.parametrize(
    "line",
    [
        "numpy",
        "numpy>=2,<3",
        "uvicorn[standard]==0.34",
        "tomli>=2; python_version < '3.11'",
        "Pre-Commit~=4.0",
    ],
)
def test_a_pep_508_line_is_kept_as_it_is(load: Load, line: str) -> None:
    assert load(f'requirements = ["{line}"]\n').requirements == (line,)


@pytest.mark.parametrize(
    ("line", "said", "fix"),
    [
        ("numpy=2.1", "is not a requirement", '"numpy==2.1",'),
        ("numpy two", "is not a requirement", None),
        ("", 'is ""; it must be not empty', '"numpy>=2",'),
        ("./local-package", "is a path or an address", '"NAME==VERSION",'),
        ("../other", "is a path or an address", '"NAME==VERSION",'),
        ("pkg-1.0-py3-none-any.whl", "is a path or an address", '"NAME==VERSION",'),
        ("/abs/pkg.whl", "is a path or an address", '"NAME==VERSION",'),
        ("pkg-1.0.tar.gz", "is a path or an address", '"NAME==VERSION",'),
        ("git+https://git.example/pkg", "is a path or an address", '"NAME==VERSION",'),
        ("pkg @ git+https://git.example/pkg", "is not a package of the index", '"pkg==VERSION",'),
        ("pkg @ file:///tmp/pkg", "is not a package of the index", '"pkg==VERSION",'),
        ("-e .", "is an option of pip", None),
        ("numpy==2.1 --hash=sha256:aa", "hashes of its own", '"numpy==2.1",'),
        ("Preheat>=0.1", "ships its runtime in every bundle", None),
    ],
)
def test_what_is_no_package_of_the_index_is_a_mistake(
    mistakes: Mistakes, line: str, said: str, fix: str | None
) -> None:
    (finding,) = mistakes(f'requirements = [\n  "numpy",\n  "{line}",\n]\n')
    assert (finding.key, finding.line) == ("requirements[1]", 5)
    assert said in finding.message
    assert finding.fix == fix


def test_a_requirements_file_is_read_without_comments_and_with_continued_lines(
    load: Load, root: Path
) -> None:
    (root / "requirements.txt").write_text(
        "# all of them\n\nnumpy>=2  # arrays\npillow \\\n  >=11\n\nuvicorn\\\n"
    )
    assert load(FILE).requirements == ("numpy>=2", "pillow >=11", "uvicorn")


def test_a_number_sign_inside_a_word_starts_no_comment(mistakes: Mistakes, root: Path) -> None:
    (root / "requirements.txt").write_text("numpy#x\n")
    (finding,) = mistakes(FILE)
    assert '"numpy#x" is not a requirement' in finding.message


def test_a_mistake_in_a_requirements_file_has_that_files_line(mistakes: Mistakes, root: Path) -> None:
    (root / "requirements.txt").write_text("numpy\n# x\npillow \\\n =1\n-r more.txt\ntorch=2.1\n")
    first, second, third = mistakes(FILE)
    assert [(f.file, f.line) for f in (first, second, third)] == [
        (root / "requirements.txt", line) for line in (3, 5, 6)
    ]
    assert third.fix == "torch==2.1"


@pytest.mark.parametrize(
    ("value", "said", "fix"),
    [
        ("nowhere.txt", "there is no such file", 'requirements = "requirements.txt"'),
        ("numpy>=2", "there is no such file", 'requirements = ["numpy>=2"]'),
        ("../requirements.txt", "leaves the project's folder", 'requirements = "requirements.txt"'),
        ("/etc/passwd", "is not relative", 'requirements = "requirements.txt"'),
        (".", "cannot be read", None),
    ],
)
def test_a_requirements_file_that_cannot_be_read_is_a_mistake(
    mistakes: Mistakes, value: str, said: str, fix: str | None
) -> None:
    (finding,) = mistakes(f'requirements = "{value}"\n')
    assert (finding.key, finding.line, finding.fix) == ("requirements", 3, fix)
    assert said in finding.message


def test_a_requirements_file_that_is_not_utf_8_is_a_mistake(mistakes: Mistakes, root: Path) -> None:
    (root / "requirements.txt").write_bytes(b"numpy # \xe9\n")
    (finding,) = mistakes(FILE)
    assert "cannot be read" in finding.message
