import json

from tests.fakes.lambda_templates import EVERY_TRIGGER, KEYS, TICK, UPLOAD, project, template

from preheat.plan.diff import diff
from preheat.project.model import ObjectCreated, QueueTrigger, Schedule, Trigger
from preheat_providers._aws.templates.reading import permission_list, text_of
from preheat_providers.aws_lambda.options import Options
from preheat_providers.aws_lambda.template.reading import resources_of
from preheat_providers.aws_lambda.template.variables import own_variables

EVERYTHING = Options(jobs=True, tracing=True, weights="s3", warm="provisioned", provisioned_max=4)


def test_a_template_does_not_differ_from_itself() -> None:
    made = template(*EVERY_TRIGGER, options=EVERYTHING, secrets={"A_B": "env:X"}, secrets_mark="m")
    assert diff(resources_of(made), resources_of(json.loads(json.dumps(made)))) == ()


def test_a_change_of_code_alone_touches_its_key_and_the_version() -> None:
    keys = {**KEYS, "function": "preheat/ocr/dev/new.zip"}
    before = resources_of(template(*EVERY_TRIGGER, options=EVERYTHING))
    after = resources_of(template(*EVERY_TRIGGER, options=EVERYTHING, keys=keys, digest="sha256:cd"))
    changes = {change.name: [field.path for field in change.fields] for change in diff(after, before)}
    assert changes == {"Function": ["Code.S3Key"], "Version": ["Description"]}


def test_a_rotated_secret_is_a_change_that_does_not_show_it() -> None:
    before = resources_of(template(secrets={"A_B": "env:X"}, secrets_mark="one"))
    (change,) = diff(resources_of(template(secrets={"A_B": "env:X"}, secrets_mark="two")), before)
    assert [(field.path, field.after) for field in change.fields] == [("SecretsMark", "two")]


def test_permissions_that_come_and_go_are_changes_by_name() -> None:
    changes = diff(resources_of(template(UPLOAD)), resources_of(template()))
    granted = {change.name for change in changes if change.kind == "permission"}
    assert "s3:GetObject on arn:${AWS::Partition}:s3:::uploads/in/*.png" in granted
    assert "sqs:SendMessage on ${UploadQueueScans.Arn} by events.amazonaws.com" in granted
    back = diff(resources_of(template()), resources_of(template(UPLOAD)))
    revoked = {change.name for change in back if change.action == "delete"}
    assert granted <= revoked


def test_permissions_say_who_may_where_it_is_not_the_function() -> None:
    found = [str(each) for each in permission_list(template(TICK))]
    assert "lambda:InvokeFunctionUrl on ${Alias} by *" in found
    assert "lambda:InvokeFunction on ${Alias} by * through the Function URL" in found
    assert any(each.endswith("by ${SchedulerRole}") for each in found)
    assert "logs:PutLogEvents on ${LogGroup.Arn}" in found


def test_references_are_read_as_text() -> None:
    value = {"a": [{"Ref": "X"}, {"Fn::GetAtt": ["X", "Arn"]}, {"Fn::Sub": "${X}/${!*}"}], "b": 1}
    assert text_of(value) == {"a": ["${X}", "${X.Arn}", "${X}/${*}"], "b": 1}


def test_a_large_project_fits_into_one_request() -> None:
    triggers: tuple[Trigger, ...] = (
        *(
            ObjectCreated(name=f"scans-of-{n}", bucket="uploads", prefix=f"in/{n}/", output=f"results/{n}")
            for n in range(10)
        ),
        *(QueueTrigger(name=f"pictures-{n}", queue=f"team-pictures-{n}") for n in range(5)),
        *(Schedule(name=f"nightly-{n}", cron=f"{n} 2 * * *") for n in range(10)),
    )
    made = template(*triggers, options=EVERYTHING, env={f"VARIABLE_{n}": "x" * 50 for n in range(20)})
    assert len(json.dumps(made, separators=(",", ":")).encode()) < 51_200


def test_our_variables_are_counted_without_the_projects_and_with_what_references_become() -> None:
    made = project(*EVERY_TRIGGER, env={"LEVEL": "info"}, secrets={"A_B": "env:X"})
    found = own_variables(made, Options(jobs=True), {"OMP_NUM_THREADS": "1"})
    assert {"LEVEL", "A_B"}.isdisjoint(found)
    assert found["OMP_NUM_THREADS"] == "1"
    assert len(found["PREHEAT_IDEMPOTENCY_TABLE"]) >= 64
    assert len(found["PREHEAT_TOKEN_SHA256"]) >= 64
