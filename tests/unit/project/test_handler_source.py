from pathlib import Path

import pytest

from preheat.project.handler_source import look_at_handler
from preheat.project.model import Project

GOOD = """
import preheat

class Model(preheat.Handler):
    def predict(self, text: str) -> str:
        return text
"""


def project(root: Path, source: str, *, handler: str = "handler:Model") -> Project:
    (root / "handler.py").write_text(source)
    return Project(root=root, stage="dev", name="demo", handler=handler)


@pytest.mark.parametrize(
    "source",
    [
        GOOD,
        GOOD.replace("import preheat", "import preheat as p").replace("preheat.H", "p.H"),
        GOOD.replace("import preheat", "from preheat import Handler as H").replace("preheat.Handler", "H"),
        GOOD.replace("def predict", "async def predict"),
        "from elsewhere import Model",
        "from elsewhere import *",
        "from elsewhere import Base\nclass Model(Base): pass",
        "Model = make()",
        GOOD.replace("Model", "Base") + "\nclass Model(Base): pass",
        "import preheat\nclass Model(preheat.Handler):\n    predict = make()",
        "if True:\n    import preheat\n    class Model(preheat.Handler):\n        def predict(self, a): ...",
    ],
)
def test_what_may_be_right_is_not_a_finding(tmp_path: Path, source: str) -> None:
    assert look_at_handler(project(tmp_path, source)) == ()


def test_a_missing_predict_is_found_at_its_class_with_the_line_to_paste(tmp_path: Path) -> None:
    source = "import preheat\n\nclass Model(preheat.Handler):\n    pass\n"
    (finding,) = look_at_handler(project(tmp_path, source))
    assert (finding.file, finding.line) == (tmp_path / "handler.py", 3)
    assert finding.message == "Handler Model has no predict(). It is called for every request."
    assert finding.fix is not None
    assert "def predict(self" in finding.fix


def test_a_class_without_a_base_is_told_to_derive_from_handler(tmp_path: Path) -> None:
    (finding,) = look_at_handler(project(tmp_path, "class Model:\n    def predict(self, a): ..."))
    assert finding.fix == "class Model(preheat.Handler):"


@pytest.mark.parametrize(
    ("wrong", "right"), [("set_up", "setup"), ("tear_down", "teardown"), ("example", "examples")]
)
def test_a_misspelt_method_is_found_where_it_is(tmp_path: Path, wrong: str, right: str) -> None:
    source = GOOD + f"\n    def {wrong}(self, ctx): ...\n"
    (finding,) = look_at_handler(project(tmp_path, source))
    assert finding.message == f"Model.{wrong}() is never called; {right}() is."
    assert finding.line == len(source.splitlines())
    assert finding.fix == f"    def {right}(self, ctx):"


def test_a_method_beside_the_one_it_resembles_is_the_users_own(tmp_path: Path) -> None:
    source = GOOD + "\n    def setup(self, ctx): ...\n    def set_up(self): ...\n    def reset(self): ...\n"
    assert look_at_handler(project(tmp_path, source)) == ()


def test_a_wrong_class_name_is_answered_with_the_nearest_class(tmp_path: Path) -> None:
    (finding,) = look_at_handler(project(tmp_path, GOOD, handler="handler:Modell"))
    assert finding.message == "handler = 'handler:Modell': handler.py defines no class 'Modell'."
    assert finding.fix == 'handler = "handler:Model"'


def test_a_class_within_another_is_left_to_the_real_check(tmp_path: Path) -> None:
    assert look_at_handler(project(tmp_path, GOOD, handler="handler:Models.First")) == ()


def test_a_module_of_another_package_is_left_to_the_real_check(tmp_path: Path) -> None:
    assert look_at_handler(project(tmp_path, GOOD, handler="preheat_handlers.onnx:Onnx")) == ()


def test_a_package_is_looked_at_where_it_defines_the_class(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text(GOOD)
    assert look_at_handler(project(tmp_path, GOOD, handler="app:Model")) == ()
    assert look_at_handler(project(tmp_path, GOOD, handler="app:Modle")) != ()


def test_a_syntax_error_is_found_at_its_line(tmp_path: Path) -> None:
    (finding,) = look_at_handler(project(tmp_path, "import preheat\nclass Model(\n"))
    assert finding.line == 2
    assert finding.message.startswith("This is not Python: ")


@pytest.mark.parametrize("content", [b'name = "\xff"\n', b"\0"])
def test_a_file_that_is_no_text_is_a_finding(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "handler.py").write_bytes(content)
    found = look_at_handler(Project(root=tmp_path, stage="dev", name="demo", handler="handler:Model"))
    assert len(found) == 1


def test_the_file_is_read_and_never_run(tmp_path: Path) -> None:
    assert look_at_handler(project(tmp_path, "raise SystemExit(1)\n" + GOOD)) == ()
