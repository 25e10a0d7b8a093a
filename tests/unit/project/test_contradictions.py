from collections.abc import Callable
from pathlib import Path

import pytest

from preheat.errors import Located
from preheat.project.model import Project

Load = Callable[..., Project]
Mistakes = Callable[..., tuple[Located, ...]]


def handler(reference: str) -> str:
    return f'name = "demo"\nhandler = "{reference}"\n'


@pytest.mark.parametrize(("key", "line"), [("min", 4), ("warm", 5)])
def test_more_workers_than_the_most_are_refused(mistakes: Mistakes, key: str, line: int) -> None:
    values = {"min": 0, "warm": 0} | {key: 5}
    (finding,) = mistakes(f"[scaling]\nmin = {values['min']}\nwarm = {values['warm']}\nmax = 4\n")
    assert (finding.key, finding.line, finding.fix) == (f"scaling.{key}", line, "max = 5")


def test_as_many_workers_as_the_most_are_fine(load: Load) -> None:
    assert load("[scaling]\nmin = 4\nwarm = 4\nmax = 4\n").scaling.warm == 4


def test_a_start_has_a_budget_of_one_kind(mistakes: Mistakes, load: Load) -> None:
    (finding,) = mistakes("[coldstart]\np95_ms = 200\nratio = 3.0\n")
    assert (finding.key, finding.line) == ("coldstart.ratio", 5)
    assert "a budget of both kinds" in finding.message
    assert load("[coldstart]\nratio = 3.0\n").coldstart.ratio == 3.0


def test_a_variable_cannot_be_both_plain_and_secret(mistakes: Mistakes) -> None:
    (finding,) = mistakes('[env]\nTOKEN = "x"\n[secrets]\nTOKEN = "env:TOKEN"\n')
    assert (finding.key, finding.line) == ("env.TOKEN", 4)


@pytest.mark.parametrize("name", ["PATH", "PYTHONPATH", "PYTHON", "PREHEAT_HOME", "HOME", "TMPDIR"])
@pytest.mark.parametrize("table", ["env", "secrets"])
def test_a_variable_that_preheat_sets_itself_is_refused(mistakes: Mistakes, table: str, name: str) -> None:
    (finding,) = mistakes(f'[{table}]\n{name} = "env:X"\n')
    assert (finding.key, finding.line, finding.fix) == (f"{table}.{name}", 4, f'MODEL_{name} = "env:X"')


@pytest.mark.parametrize("name", ["PATHS", "MY_PATH", "MODEL_HOME", "PYTORCH_CUDA_ALLOC_CONF"])
def test_a_variable_with_a_similar_name_is_free(load: Load, name: str) -> None:
    assert load(f'[env]\n{name} = "x"\n').env == {name: "x"}


def test_a_secret_from_a_variable_names_a_possible_one(mistakes: Mistakes) -> None:
    (finding,) = mistakes('[secrets]\nTOKEN = "env:sk-live 123"\n')
    assert (finding.key, finding.fix) == ("secrets.TOKEN", 'TOKEN = "env:TOKEN"')
    assert "sk-live" not in finding.message


@pytest.mark.parametrize("reference", ["env:TOKEN", "file:/run/secrets/token", "aws-secret:name/of/it"])
def test_secrets_are_references_of_any_scheme(load: Load, reference: str) -> None:
    assert load(f'[secrets]\nTOKEN = "{reference}"\n').secrets == {"TOKEN": reference}


def test_a_handler_in_a_module_that_is_not_there_names_the_nearest(mistakes: Mistakes) -> None:
    (finding,) = mistakes(head=handler("handlr:Model"))
    assert (finding.key, finding.line, finding.fix) == ("handler", 2, 'handler = "handler:Model"')


@pytest.mark.parametrize("reference", ["preheat_handlers.function:text.words", "handler:Models.First"])
def test_a_handler_may_be_a_function_or_a_class_within_another(load: Load, reference: str) -> None:
    assert load(head=handler(reference)).handler == reference


@pytest.mark.parametrize("file", ["pkg/model.py", "pkg/model/__init__.py"])
def test_a_handler_may_be_in_a_package_of_the_project(load: Load, root: Path, file: str) -> None:
    (root / file).parent.mkdir(parents=True)
    (root / file).touch()
    assert load(head=handler("pkg.model:Model")).handler == "pkg.model:Model"


def test_a_handler_in_a_package_of_the_project_that_lacks_it_is_refused(
    mistakes: Mistakes, root: Path
) -> None:
    (root / "pkg").mkdir()
    (finding,) = mistakes('requirements = ["numpy"]\n', head=handler("pkg.model:Model"))
    assert "pkg/model.py" in finding.message


def test_a_handler_may_come_with_a_requirement(load: Load) -> None:
    assert load('requirements = ["their-models"]\n', head=handler("their_models:Model")).handler


def test_an_unknown_ready_made_handler_is_refused(mistakes: Mistakes) -> None:
    (finding,) = mistakes(
        'requirements = ["numpy"]\n', head=handler("preheat_handlers.nothing_like_it:Model")
    )
    assert "nothing_like_it.py in preheat_handlers" in finding.message
