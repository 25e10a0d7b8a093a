from tests.fakes.lambda_templates import EVERY_TRIGGER, IMAGE, KEYS, TICK, UPLOAD, template

from preheat_providers._aws.templates.anatomy import alarm_names, upload_buckets
from preheat_providers.aws_lambda.operating.anatomy import (
    code_key,
    dead_letter_queues,
    is_image,
    keeps_failed_calls,
    keeps_ready,
)
from preheat_providers.aws_lambda.options import Options


def test_the_buckets_of_triggers_are_read_back() -> None:
    assert upload_buckets(template(UPLOAD)) == (UPLOAD.bucket,)
    assert upload_buckets(template(TICK)) == ()


def test_the_alarms_of_a_function_are_those_of_its_template() -> None:
    assert {"preheat-ocr-dev-errors", "preheat-ocr-dev-throttles"} <= set(alarm_names(template()))
    assert f"preheat-ocr-dev-{UPLOAD.name}-dead-letters" in alarm_names(template(UPLOAD))


def test_where_the_code_lies_is_read_back_as_versions_say_it() -> None:
    assert (code_key(template()), is_image(template())) == (KEYS["function"], False)
    made = template(image=IMAGE)
    assert (code_key(made), is_image(made)) == (IMAGE, True)


def test_dead_letters_know_the_queue_they_come_from() -> None:
    assert dead_letter_queues(template(UPLOAD)) == {"UploadDeadLettersScans": "UploadQueueScans"}
    assert dead_letter_queues(template()) == {}


def test_calls_that_nobody_waits_for_are_kept_when_they_fail() -> None:
    assert keeps_failed_calls(template(*EVERY_TRIGGER))
    assert keeps_failed_calls(template(options=Options(jobs=True)))
    assert not keeps_failed_calls(template(UPLOAD))


def test_what_is_kept_ready_is_fixed_or_follows_its_use() -> None:
    assert keeps_ready(template(options=Options(warm="provisioned")))
    assert keeps_ready(template(options=Options(warm="provisioned", provisioned_max=4)))
    assert not keeps_ready(template(options=Options(warm="schedule")))
