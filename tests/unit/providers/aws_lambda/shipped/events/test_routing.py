"""What a function with triggers imports and makes, each in a process of its own, and what it refuses."""

import json
import subprocess
import sys
from dataclasses import dataclass

import pytest
from tests.fakes.lambda_events import Context, Event, s3_event, s3_record, scheduled, sqs_event, sqs_message
from tests.fakes.lambda_function import function_of

import preheat
from preheat_providers.aws_lambda.shipped.looping import Loop
from preheat_providers.aws_lambda.shipped.settings import Queue, Settings, Tick, Triggers, Upload
from preheat_providers.aws_lambda.shipped.shapes import UnknownEvent

TICKS = Triggers(ticks=(Tick(name="nightly"),))
QUEUES = Triggers(queues=(Queue(name="work", queue="inputs"),))
UPLOADS = Triggers(uploads=(Upload(name="scans", bucket="in", output="out/"),))
EVENTS = "preheat_providers.aws_lambda.shipped.events."
ALWAYS = {"client", "once", "report", "routing", "work"}
SCRIPT = """
import json, os, sys
import boto3

class Noted(boto3.Session):
    made = []

    def client(self, name, **options):
        self.made.append(name)
        return super().client(name, **options)

boto3.DEFAULT_SESSION = Noted(region_name="us-east-1")
from preheat_providers.aws_lambda.shipped.events.routing import Events, import_for
from preheat_providers.aws_lambda.shipped.settings import Settings

settings = Settings.read(os.environ)
import_for(settings.triggers)
before = set(sys.modules)
Events("demo", settings, None, limit=1)
modules = sorted(sys.modules)
late = [name for name in modules if name not in before and name.startswith("preheat")]
print(json.dumps({"modules": modules, "clients": Noted.made, "late": late}))
"""


@dataclass(frozen=True)
class Made:
    """What was imported when Events were made, which clients there are, and what of ours came at the end."""

    modules: set[str]
    clients: list[str]
    late: list[str]

    @property
    def kinds(self) -> set[str]:
        """Our own modules for events."""
        return {name.removeprefix(EVENTS) for name in self.modules if name.startswith(EVENTS)}

    @property
    def powertools(self) -> set[str]:
        """The utilities of aws-lambda-powertools, by name."""
        parts = [
            name.split(".") for name in self.modules if name.startswith("aws_lambda_powertools.utilities.")
        ]
        return {part[2] for part in parts}


def made(triggers: Triggers) -> Made:
    settings = Settings(stage="dev", triggers=triggers, table="deliveries")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**settings.environment(), "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return Made(set(found["modules"]), found["clients"], found["late"])


def test_a_function_with_schedules_alone_imports_and_makes_nothing_for_uploads_or_messages() -> None:
    found = made(TICKS)
    assert found.kinds == {*ALWAYS, "ticks"}
    assert found.powertools == {"idempotency", "jmespath_utils"}
    assert found.clients == ["dynamodb"]


@pytest.mark.parametrize(
    ("triggers", "kinds", "clients"),
    [
        (QUEUES, {"messages"}, ["dynamodb"]),
        (UPLOADS, {"messages", "uploads"}, ["dynamodb", "s3"]),
    ],
    ids=["queues", "uploads"],
)
def test_what_takes_events_is_imported_where_a_trigger_brings_them(
    triggers: Triggers, kinds: set[str], clients: list[str]
) -> None:
    found = made(triggers)
    assert found.kinds == ALWAYS | kinds
    assert found.clients == clients


@pytest.mark.parametrize("triggers", [TICKS, QUEUES, UPLOADS], ids=["ticks", "queues", "uploads"])
def test_a_snapshot_has_all_of_ours_that_events_need(triggers: Triggers) -> None:
    assert made(triggers).late == []


class Shout(preheat.Handler):
    def predict(self, text: str) -> str:
        return text.upper()


@pytest.mark.parametrize(
    ("triggers", "event", "kind"),
    [
        (TICKS, s3_event(s3_record("in", "a.json")), "s3"),
        (TICKS, sqs_event(sqs_message("a")), "sqs"),
        (QUEUES, s3_event(s3_record("in", "a.json")), "s3"),
        (UPLOADS, scheduled("nightly"), "schedule"),
    ],
)
def test_an_event_of_a_kind_that_no_trigger_brings_is_refused_by_name(
    triggers: Triggers, event: Event, kind: str, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    function = function_of(Shout, loop, triggers=triggers)
    with pytest.raises(
        UnknownEvent, match=f"An event of the kind {kind} came, and this function has no triggers for"
    ):
        function.handle(event, Context())
