"""Projects and options as templates are made from them, and readers of what was made."""

import json
import re
from pathlib import Path
from typing import Any

from preheat.project.model import HttpTrigger, ObjectCreated, Project, QueueTrigger, Schedule, Trigger
from preheat_providers.aws_lambda.options import Options
from preheat_providers.aws_lambda.target import ArchiveName
from preheat_providers.aws_lambda.template.document import template_of
from preheat_providers.aws_lambda.template.wanted import Wanted

DIGEST = f"sha256:{'ab' * 32}"
KEYS: dict[ArchiveName, str] = {
    "function": f"preheat/ocr/dev/{'1' * 64}.zip",
    "libraries": f"preheat/ocr/dev/{'2' * 64}.zip",
    "weights": f"preheat/ocr/dev/{'3' * 64}.zip",
}
IMAGE = f"preheat/ocr/dev/function@sha256:{'4' * 64}"
UPLOAD = ObjectCreated(name="scans", bucket="uploads", prefix="in/", suffix=".png", output="results/text")
QUEUE = QueueTrigger(name="pictures", queue="team-pictures")
TICK = Schedule(name="nightly", cron="30 2 * * *", timezone="Europe/Berlin", input={"text": "hello"})
EVERY_TRIGGER = (UPLOAD, QUEUE, TICK)


def project(*triggers: Trigger, **fields: Any) -> Project:
    """A project called `ocr` at the stage `dev`."""
    http = fields.pop("http", HttpTrigger())
    about: dict[str, Any] = {"root": Path("/p"), "stage": "dev", "name": "ocr", "handler": "handler:Model"}
    return Project(**{**about, **fields}, triggers=(http, *triggers))


def wanted(
    *triggers: Trigger,
    options: Options | None = None,
    keys: dict[ArchiveName, str] | None = None,
    digest: str = DIGEST,
    image: str | None = None,
    secrets_mark: str | None = None,
    **fields: Any,
) -> Wanted:
    """What a template of that project is made from; `fields` are the project's. An `image` has no keys."""
    archives = KEYS if image is None else {}
    return Wanted(
        project=project(*triggers, **fields),
        options=options or Options(),
        keys=archives if keys is None else keys,
        image=image,
        digest=digest,
        environment={"OMP_NUM_THREADS": "1"},
        secrets_mark=secrets_mark,
    )


def template(*triggers: Trigger, **more: Any) -> dict[str, Any]:
    """The template of that, through JSON as CloudFormation keeps it."""
    document: dict[str, Any] = json.loads(json.dumps(template_of(wanted(*triggers, **more))))
    return document


def properties(made: dict[str, Any], logical_id: str) -> dict[str, Any]:
    """The properties of one resource."""
    found: dict[str, Any] = made["Resources"][logical_id]["Properties"]
    return found


def of_kind(made: dict[str, Any], kind: str) -> dict[str, Any]:
    """The properties of each resource of a kind, such as `Lambda::Function`."""
    return {
        name: each["Properties"] for name, each in made["Resources"].items() if each["Type"] == f"AWS::{kind}"
    }


def statements(made: dict[str, Any], role: str = "Role") -> dict[str, dict[str, Any]]:
    """The statements of a role by their ids."""
    (policy,) = properties(made, role)["Policies"]
    return {each["Sid"]: each for each in policy["PolicyDocument"]["Statement"]}


def substituted(text: str, **names: str) -> str:
    """What CloudFormation makes of the text of `Fn::Sub`."""
    known = {
        "AWS::Partition": "aws",
        "AWS::Region": "eu-central-1",
        "AWS::AccountId": "111122223333",
        **names,
    }

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        return f"${{{name[1:]}}}" if name.startswith("!") else known[name]

    return re.sub(r"\$\{([^}]*)\}", value, text)


def iam_matches(pattern: str, text: str) -> bool:
    """Whether IAM takes `text` for `pattern`: `*` and `?` are wildcards, `${*}` is none."""
    parts = re.findall(r"\$\{[*?$]\}|.", pattern, re.DOTALL)
    wild = {"*": ".*", "?": "."}
    expression = "".join(
        wild.get(part) or re.escape(part[2] if part.startswith("${") else part) for part in parts
    )
    return re.fullmatch(expression, text, re.DOTALL) is not None


def eventbridge_matches(matchers: list[Any], text: str) -> bool:
    """Whether EventBridge takes `text` for one of `matchers`; for an empty list, which is left out, too."""
    return not matchers or any(_one_matches(matcher, text) for matcher in matchers)


def _one_matches(matcher: Any, text: str) -> bool:
    match matcher:
        case str():
            return text == matcher
        case {"prefix": str(prefix)}:
            return text.startswith(prefix)
        case {"suffix": str(suffix)}:
            return text.endswith(suffix)
        case {"wildcard": str(pattern)}:
            assert "**" not in re.sub(r"\\.", "", pattern), "EventBridge refuses two wildcards in a row"
            parts = re.findall(r"\\.|.", pattern, re.DOTALL)
            expression = "".join(".*" if part == "*" else re.escape(part[-1]) for part in parts)
            return re.fullmatch(expression, text, re.DOTALL) is not None
    raise AssertionError(f"no matcher of EventBridge: {matcher}")
