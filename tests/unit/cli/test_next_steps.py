import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from preheat.cli.next_steps import arguments, curl_line
from preheat.provider.protocol import Deployment

JSON = "application/json"


def deployment(*, token: str | None = None, stage: str = "dev", provider: str = "local") -> Deployment:
    return Deployment(
        name="demo",
        provider=provider,
        stage=stage,
        release=1,
        digest="sha256:0",
        endpoint="http://127.0.0.1:1/",
        changed=True,
        token=token,
    )


def pasted(line: str) -> list[str]:
    """Return the arguments that a shell makes of `line`."""
    command = ["bash", "-c", f"TOKEN=mine; curl() {{ printf '%s\\n' \"$@\"; }}; {line}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def test_the_line_to_paste_survives_a_shell() -> None:
    contract = {"input_media": [JSON], "examples": [{"text": "it's $HOME"}]}
    line = curl_line(deployment(token="abc"), contract=contract, auth="token")
    assert pasted(line) == [
        "http://127.0.0.1:1/invocations",
        "-H",
        "Authorization: Bearer abc",
        "-H",
        "Content-Type: application/json",
        "-d",
        '{"text": "it\'s $HOME"}',
    ]


def test_a_token_that_is_not_known_is_left_to_the_shell() -> None:
    assert "Authorization: Bearer mine" in pasted(curl_line(deployment(), contract={}, auth="token"))
    assert "-H 'Content-Type" in curl_line(deployment(), contract={}, auth="none")
    assert "Authorization" not in curl_line(deployment(), contract={}, auth="none")


def test_a_token_that_this_machine_keeps_is_read_from_there(tmp_path: Path) -> None:
    file = tmp_path / "it's mine" / "demo@dev"
    file.parent.mkdir()
    file.write_text("kept\n")
    known = replace(deployment(), token_file=str(file))
    assert "Authorization: Bearer kept" in pasted(curl_line(known, contract={}, auth="token"))
    assert "Authorization: Bearer new" in pasted(
        curl_line(replace(known, token="new"), contract={}, auth="token")
    )


@pytest.mark.parametrize(
    ("contract", "expected"),
    [
        ({"input_media": ["image/*", JSON], "examples": [{"data": "aGk="}]}, "--data-binary @image.png"),
        ({"input_media": ["application/octet-stream", JSON], "examples": []}, "--data-binary @FILE"),
        ({"input_media": [JSON], "examples": ["x" * 500]}, "-d @input.json"),
        ({}, "-d @input.json"),
    ],
)
def test_an_input_that_does_not_fit_a_line_comes_from_a_file(
    contract: Mapping[str, Any], expected: str
) -> None:
    assert expected in curl_line(deployment(), contract=contract, auth="none")


def test_the_next_commands_name_the_provider_and_stage_where_they_are_not_the_default() -> None:
    assert arguments(deployment()) == "demo"
    assert arguments(deployment(stage="prod", provider="modal")) == "demo --provider modal --stage prod"


def test_a_local_authority_is_trusted_by_the_line_to_paste() -> None:
    trusted = replace(deployment(), authority="/home/ann lee/ca.pem")
    line = curl_line(trusted, contract={}, auth="none")
    assert pasted(line)[1:3] == ["--cacert", "/home/ann lee/ca.pem"]
