from pathlib import Path

import pytest

from preheat_providers._aws.shell import Shell

NAMED = """
name = "ocr"
handler = "handler:Model"

[provider.acme]
region = "eu-west-3"
"""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(
        "acme",
        lambda name, stage: f"{name}-{stage}",
        environment={"AWS_REGION": "us-east-1"},
        home=lambda: tmp_path,
        folder=lambda: tmp_path,
        sleep=lambda seconds: None,
    )


def test_a_function_is_in_the_region_of_its_project_and_else_of_the_environment(
    shell: Shell, tmp_path: Path
) -> None:
    assert shell.session_of("ocr", "dev").region == "us-east-1"
    (tmp_path / "preheat.toml").write_text(NAMED)
    assert shell.session_of("ocr", "dev").region == "eu-west-3"
    assert shell.session_of("others", "dev").region == "us-east-1"


def test_what_this_process_has_read_comes_before_what_the_folder_says(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "preheat.toml").write_text(NAMED)
    shell.remember("ocr", "dev", "sa-east-1")
    shell.remember("ocr", "prod", None)
    regions = [shell.session_of("ocr", stage).region for stage in ("dev", "prod", "test")]
    assert regions == ["sa-east-1", "us-east-1", "eu-west-3"]


def test_a_region_has_one_session(shell: Shell) -> None:
    assert shell.session("eu-west-3") is shell.session("eu-west-3")
    assert shell.session(None) is not shell.session("eu-west-3")


def test_prices_are_those_of_the_region_of_the_project_or_of_the_environment(shell: Shell) -> None:
    assert (shell.priced("eu-west-3"), shell.priced(None)) == ("eu-west-3", "us-east-1")
