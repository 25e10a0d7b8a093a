"""The value of a secret is in the function's own settings, which AWS encrypts, and nowhere else."""

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.aws.cloud import BUCKET, Cloud
from tests.fakes.functions import Function, Functions

PREHEAT = str(Path(sys.executable).parent / "preheat")
VALUE, OTHER = "correct-horse-battery", "staple-and-another"
SECRETS = '\n[secrets]\nAPI_KEY = "env:KEPT_QUIET"\n'


@pytest.fixture
def keeper(functions: Functions) -> Function:
    """A function with a secret, not deployed."""
    function = functions.fresh("plain")
    toml = function.root / "preheat.toml"
    toml.write_text(toml.read_text() + SECRETS)
    function.edit("handler.py", "import preheat", "import os\n\nimport preheat")
    function.edit("handler.py", 'return f"{VERSION} {name}"', "return str(len(os.environ['API_KEY']))")
    function.edit("handler.py", 'return ["hello"]', "return []")
    return function


def said(function: Function, value: str, home: Path, *arguments: str) -> str:
    """Return all that a command writes."""
    done = subprocess.run(
        [PREHEAT, *arguments, "--provider", "lambda"],
        cwd=function.root,
        env={**os.environ, "KEPT_QUIET": value, "PREHEAT_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def stored(cloud: Cloud, stack: str) -> Iterator[tuple[str, str]]:
    """Yield what the account has of a stack, beside the settings of its function: a place, and the text."""
    client = cloud.client("cloudformation")
    for stage in ("Original", "Processed"):
        yield f"template {stage}", json.dumps(client.get_template(StackName=stack, TemplateStage=stage))
    yield "stack", str(client.describe_stacks(StackName=stack))
    yield "events", str(client.describe_stack_events(StackName=stack))
    yield "resources", str(client.describe_stack_resources(StackName=stack))
    for each in client.list_change_sets(StackName=stack)["Summaries"]:
        change_set = client.describe_change_set(ChangeSetName=each["ChangeSetId"], StackName=stack)
        # CloudFormation shows a NoEcho parameter of a change set as asterisks, MiniStack as it is.
        yield each["ChangeSetName"], str({**change_set, "Parameters": None})
    functions = cloud.client("lambda")
    for version in functions.list_versions_by_function(FunctionName=stack)["Versions"]:
        yield f"version {version['Version']}", str({**version, "Environment": None})
    for key, body in cloud.objects(BUCKET).items():
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            for name in archive.namelist():
                yield f"{key}: {name}", archive.read(name).decode(errors="replace")
    logs = cloud.client("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        yield group["logGroupName"], str(logs.filter_log_events(logGroupName=group["logGroupName"]))


def test_a_secret_is_written_nowhere(keeper: Function, cloud: Cloud, tmp_path: Path) -> None:
    stack = f"preheat-{keeper.name}-{keeper.stage}"
    texts: dict[str, str] = {}

    def run(value: str, *arguments: str) -> str:
        texts[" ".join([*arguments, value])] = text = said(keeper, value, tmp_path, *arguments)
        return text

    for value in (VALUE, OTHER):
        run(value, "plan")
        run(value, "plan", "--json")
        run(value, "plan", "--template")
        run(value, "deploy", "--yes")
        answer = run(value, "invoke", keeper.name, "--data", '"you"')
        assert answer.strip().strip('"') == str(len(value))
    for command in ("status", "logs", "releases"):
        run(OTHER, command, keeper.name, "--json")
    texts |= dict(stored(cloud, stack))
    texts |= {
        str(path.relative_to(tmp_path)): path.read_text(errors="replace")
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    for value in (VALUE, OTHER):
        assert [place for place, text in texts.items() if value in text] == []
    environment = cloud.client("lambda").get_function_configuration(FunctionName=stack)["Environment"]
    assert environment["Variables"]["API_KEY"] == OTHER, "and there it is"
