"""Which changes need the stack, and which do not."""

from tests.fakes.lambda_templates import IMAGE, KEYS, UPLOAD, template

from preheat.plan.diff import diff
from preheat.plan.model import Change, Plan, Resource
from preheat_providers.aws_lambda.observing import TELLS, changes_code_alone, desired_resources
from preheat_providers.aws_lambda.options import Options
from preheat_providers.aws_lambda.template.images import images_template_of


def planned(*changes: Change) -> Plan:
    return Plan(
        name="ocr",
        stage="dev",
        provider="aws_lambda",
        digest="sha256:cd",
        changes=changes,
        unzipped_bytes=0,
        unzipped_limit=None,
        sizes={},
    )


NEW_CODE = {"keys": {**KEYS, "function": "preheat/ocr/dev/new.zip"}, "digest": "sha256:cd"}


def test_new_code_needs_no_stack() -> None:
    after, before = desired_resources(template(**NEW_CODE)), desired_resources(template())
    assert changes_code_alone(planned(*diff(after, before)))


def test_a_new_image_needs_no_stack() -> None:
    new = {"image": IMAGE.replace("4", "5"), "digest": "sha256:cd"}
    after, before = desired_resources(template(**new)), desired_resources(template(image=IMAGE))
    changes = diff(after, before)
    assert "Code.ImageUri" in {field.path for change in changes for field in change.fields}
    assert changes_code_alone(planned(*changes))


def test_a_repository_of_images_is_made_by_the_stack() -> None:
    made = template(image=IMAGE)
    after, before = desired_resources(made, images_template_of("ocr", "dev")), desired_resources(made)
    (change,) = diff(after, before)
    assert (change.action, change.kind) == ("create", "AWS::ECR::Repository")
    assert not changes_code_alone(planned(change))


def test_traffic_that_went_elsewhere_needs_no_stack() -> None:
    after = desired_resources(template())
    before = [
        Resource(
            kind=each.kind, name=each.name, properties={**each.properties, "Traffic": "all to release 1"}
        )
        if each.name == "Alias"
        else each
        for each in after
    ]
    (change,) = diff(after, before)
    assert changes_code_alone(planned(change))


def test_new_code_with_another_setting_goes_by_the_stack() -> None:
    before = desired_resources(template())
    after = desired_resources(template(**NEW_CODE, options=Options(log_days=7)))
    assert not changes_code_alone(planned(*diff(after, before)))


def test_another_library_goes_by_the_stack() -> None:
    before = desired_resources(template())
    after = desired_resources(template(keys={**KEYS, "libraries": "preheat/ocr/dev/l.zip"}))
    assert not changes_code_alone(planned(*diff(after, before)))


def test_what_appears_or_goes_is_done_by_the_stack() -> None:
    more, less = desired_resources(template(UPLOAD)), desired_resources(template())
    assert not changes_code_alone(planned(*diff(more, less)))
    assert not changes_code_alone(planned(*diff(less, more)))


def test_a_permission_that_is_granted_is_never_passed_over() -> None:
    granted = Change(action="create", kind="permission", name="s3:GetObject on *")
    assert not changes_code_alone(planned(granted))


def test_a_trigger_wants_its_bucket_to_tell_of_uploads() -> None:
    rules = [each for each in desired_resources(template(UPLOAD)) if each.kind == "AWS::Events::Rule"]
    assert [rule.properties[TELLS] for rule in rules] == [True]
