from pathlib import Path

import pytest

from preheat.project.model import Project
from preheat.snapshots.place import place_in

SOURCE = """
import parts.cache
LIMIT = 3

class Part:
    def __init__(self):
        made = 1
    made = 2

class Model:
    begun: int = 1
    def setup(self, ctx):
        self.client = 1
        self.client = 2
    def restore(self, ctx): ...
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "app.py").write_text(SOURCE)
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "cache.py").write_text("\n\nHOT = {}\n")
    return Project(root=tmp_path, stage="dev", name="demo", handler="app:Model")


@pytest.mark.parametrize(
    ("path", "file", "line"),
    [
        ("self.client", "app.py", 13),
        ("self.client['a'].b", "app.py", 13),
        ("self.begun", "app.py", 11),
        ("app.Part.made", "app.py", 8),
        ("self.none", "app.py", None),
        ("app.LIMIT", "app.py", 3),
        ("parts.cache.HOT['a']", "cache.py", 3),
        ("restore", "app.py", 15),
    ],
)
def test_a_path_is_placed_at_the_line_that_first_sets_it(
    project: Project, path: str, file: str, line: int | None
) -> None:
    finding = place_in(project, path, "why", "how")
    assert finding.file is not None
    assert (finding.file.name, finding.line, finding.message, finding.fix) == (file, line, "why", "how")


def test_what_is_in_no_file_of_the_project_has_no_place(project: Project) -> None:
    finding = place_in(project, "torch.cuda.is_available", "why", None)
    assert (finding.file, finding.line) == (None, None)
