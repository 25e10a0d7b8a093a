from pathlib import Path

import pytest
from tests.fakes.local import project
from tests.fakes.projects import write_project

from preheat.findings import Finding
from preheat.project.mistake import KeyPath, key_text
from preheat.project.positions import key_path, positioned

TOML = """[resources]
memory_mb = 512

[provider.local]
schedule = [
  { cron = "0 8 * * *", min = 1 },
  { cron = "nonsense", min = 1 },
]

[triggers.scans]
type = "object-created"

[stage.prod.scaling]
min = 2
"""


def found(root: Path, key: str, fix: str | None = None, *, stage: str = "dev") -> Finding:
    finding = Finding(message="wrong", file=root / "preheat.toml", key=key, fix=fix)
    (positioned_one,) = positioned([finding], project(root=root, stage=stage))
    return positioned_one


@pytest.mark.parametrize(
    ("key", "stage", "line"),
    [
        ("name", "dev", 1),
        ("resources.memory_mb", "dev", 4),
        ("resources.timeout_s", "dev", 3),
        ("provider.local.schedule[1]", "dev", 9),
        ("triggers.scans", "dev", 12),
        ("scaling.min", "prod", 16),
        ("scaling.min", "dev", None),
        ("provider.sagemaker.mode", "dev", None),
    ],
)
def test_a_finding_has_the_line_of_its_key_or_of_its_table(
    tmp_path: Path, key: str, stage: str, line: int | None
) -> None:
    write_project(tmp_path, TOML)
    assert found(tmp_path, key, stage=stage).line == line


@pytest.mark.parametrize(
    ("key", "fix", "pasted"),
    [
        ("provider.sagemaker.mode", 'mode = "async"', '[provider.sagemaker]\nmode = "async"'),
        (
            "resources.memory_mb",
            'mode = "async"  # [provider.sagemaker]',
            '[provider.sagemaker]\nmode = "async"',
        ),
        ("provider.modal.max", "max = 3  # in [provider.modal]", "[provider.modal]\nmax = 3"),
        ("scaling.min", "min = 1  # or more", "[scaling]\nmin = 1  # or more"),
        ("resources.memory_mb", "memory_mb = 256", "memory_mb = 256"),
        ("provider.modal.max", "zygote = 'off'  # [provider.local]", "zygote = 'off'  # [provider.local]"),
        ("name", 'name = "demo"', 'name = "demo"'),
        ("provider.sagemaker.ami", "remove ami", "remove ami"),
        ("triggers.uploads", '[triggers.uploads]\ntype = "http"', '[triggers.uploads]\ntype = "http"'),
        ("env.KEY", None, None),
    ],
)
def test_a_fix_brings_the_table_that_the_file_lacks(
    tmp_path: Path, key: str, fix: str | None, pasted: str | None
) -> None:
    write_project(tmp_path, TOML)
    assert found(tmp_path, key, fix).fix == pasted


def test_a_finding_of_another_file_or_with_a_line_stays_as_it_is(tmp_path: Path) -> None:
    write_project(tmp_path)
    findings = (
        Finding(message="wrong", file=tmp_path / "handler.py", key="handler"),
        Finding(message="wrong", file=tmp_path / "preheat.toml", line=7, key="name", fix="name = 'x'"),
        Finding(message="wrong"),
    )
    assert positioned(findings, project(root=tmp_path)) == findings


@pytest.mark.parametrize("path", [("name",), ("a", "b", 3, "c"), ("weights", "a b.c", "source")])
def test_a_key_is_read_as_it_was_written(path: KeyPath) -> None:
    assert key_path(key_text(path)) == path
