from pathlib import Path

import pytest

from preheat_providers._aws.regions import region_in

TOML = """
name = "ocr"
[provider.aws_lambda]
region = "eu-west-1"
[stage.prod.provider.aws_lambda]
region = "eu-central-1"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "preheat.toml").write_text(TOML)
    return tmp_path


def test_a_project_in_the_folder_says_where_it_is(folder: Path) -> None:
    assert region_in(folder, "aws_lambda", "ocr", "dev") == "eu-west-1"
    assert region_in(folder, "aws_lambda", "ocr", "prod") == "eu-central-1"
    assert region_in(folder, "aws_lambda", None, None) == "eu-west-1"


def test_another_project_says_nothing(folder: Path) -> None:
    assert region_in(folder, "aws_lambda", "embeddings", "dev") is None
    assert region_in(folder, "sagemaker", "ocr", "dev") is None


@pytest.mark.parametrize("text", [None, "name = ", 'name = "ocr"\nprovider = 3', 'provider.aws_lambda = "x"'])
def test_a_folder_without_a_usable_project_is_in_nobodys_way(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "preheat.toml").write_text(text)
    assert region_in(tmp_path, "aws_lambda", None, None) is None
