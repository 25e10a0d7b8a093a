import tomllib
from pathlib import Path

import pytest

from preheat.errors import ProjectError
from preheat.project.assemble import merged
from preheat.project.editing import write_settings

TEXT = """\
# Our model.
name = "demo"   # as on the invoice
handler = "handler:Model"

[scaling]       # see the wiki
max = 4         # the budget

[stage.prod.scaling]
min = 1  # never cold
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "preheat.toml").write_text(TEXT)
    return tmp_path


def written(root: Path, settings: dict[str, object], stage: str = "dev") -> str:
    return write_settings(root, stage, settings, check=lambda _: None).read_text()


def test_a_value_changes_and_every_comment_stays(root: Path) -> None:
    assert written(root, {"scaling.max": 9}) == TEXT.replace("max = 4 ", "max = 9 ")


def test_a_new_key_joins_its_table(root: Path) -> None:
    text = written(root, {"scaling.min": 2})
    assert "[scaling]       # see the wiki\nmax = 4         # the budget\nmin = 2\n" in text


def test_a_new_table_is_made(root: Path) -> None:
    text = written(root, {"provider.modal.snapshot": "cpu", "provider.modal.region": ["eu"]})
    assert '[provider.modal]\nsnapshot = "cpu"\nregion = ["eu"]\n' in text
    assert text.startswith(TEXT.rstrip())


def test_a_key_is_removed_and_one_that_is_not_there_makes_no_table(root: Path) -> None:
    text = written(root, {"scaling.max": None, "provider.modal.region": None})
    assert "max" not in text
    assert "provider" not in text


def test_a_stage_is_left_none_of_a_list_that_the_rest_of_the_file_has(root: Path) -> None:
    hours = 'schedule = [{cron = "0 8 * * *", min = 1}]\n'
    (root / "preheat.toml").write_text(TEXT + f"\n[provider.local]\n{hours}")
    text = written(root, {"provider.local.schedule": None, "provider.local.tls": None}, stage="prod")
    assert hours in text
    assert "[stage.prod.provider.local]\nschedule = []\n" in text
    assert merged(tomllib.loads(text), "prod")["provider"]["local"] == {"schedule": []}


def test_a_stage_keeps_its_values_apart(root: Path) -> None:
    text = written(root, {"scaling.max": 9}, stage="prod")
    assert "min = 1  # never cold\nmax = 9\n" in text
    assert "max = 4         # the budget" in text


def test_a_stage_of_its_own_is_made(root: Path) -> None:
    assert "[stage.test.scaling]\nmin = 1\n" in written(root, {"scaling.min": 1}, stage="test")


def test_what_the_default_stage_sets_itself_is_changed_there(root: Path) -> None:
    (root / "preheat.toml").write_text(TEXT + "\n[stage.dev.scaling]\nmax = 2\n")
    text = written(root, {"scaling.max": 9})
    assert "max = 4         # the budget" in text
    assert text.endswith("[stage.dev.scaling]\nmax = 9\n")


def test_a_list_of_tables_is_written(root: Path) -> None:
    hours = [{"cron": "0 8 * * *", "timezone": "UTC", "min": 1}]
    assert '{cron = "0 8 * * *", timezone = "UTC", min = 1}' in written(
        root, {"provider.local.schedule": hours}
    )


def test_what_is_refused_afterwards_leaves_the_file_as_it_was(root: Path) -> None:
    def refuse(folder: Path) -> None:
        assert "max = 0" in (folder / "preheat.toml").read_text()
        raise ProjectError("no")

    with pytest.raises(ProjectError, match="no"):
        write_settings(root, "dev", {"scaling.max": 0}, check=refuse)
    assert (root / "preheat.toml").read_text() == TEXT
    assert [each.name for each in root.iterdir()] == ["preheat.toml"]


def test_a_value_is_no_table(root: Path) -> None:
    with pytest.raises(ProjectError, match="name is no table"):
        written(root, {"name.first": 1})
