from hypothesis import given
from hypothesis import strategies as st

from preheat_providers.aws_lambda.template.names import (
    describe,
    described,
    logical_id,
    object_prefix,
    schedule_name,
    secret_parameter,
    stack_name,
)

PLAIN = st.from_regex(r"[a-z][a-z0-9-]{0,47}", fullmatch=True)
VARIABLE = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,30}", fullmatch=True)
DIGEST, KEY = f"sha256:{'0f' * 32}", f"preheat/{'n' * 48}/{'s' * 7}/{'a' * 64}.zip"


def test_a_version_says_its_digest_and_its_archive_in_256_characters() -> None:
    text = describe(DIGEST, KEY)
    assert len(text) <= 256
    assert described(text) == (DIGEST, KEY)


def test_a_description_of_somebody_else_describes_nothing() -> None:
    assert described("made by hand") is None
    assert described("") is None


def test_objects_of_one_function_lie_below_no_other_ones() -> None:
    assert not object_prefix("ocr-big", "dev").startswith(object_prefix("ocr", "dev"))
    assert not object_prefix("ocr", "dev2").startswith(object_prefix("ocr", "dev"))


@given(st.sets(PLAIN, min_size=2, max_size=8))
def test_two_triggers_never_share_a_logical_id(triggers: set[str]) -> None:
    kinds = ("UploadQueue", "UploadPolicy", "Schedule")
    ids = [logical_id(kind, trigger) for kind in kinds for trigger in triggers]
    assert len(set(ids)) == len(ids)
    assert all(each.isalnum() and len(each) <= 255 for each in ids)


def test_dashes_that_would_be_lost_tell_logical_ids_apart() -> None:
    assert logical_id("Schedule", "new-scans") == "ScheduleNewScans"
    assert len({logical_id("Schedule", name) for name in ("a1", "a-1", "a-1-", "a--1", "a-")}) == 5


@given(st.sets(VARIABLE, min_size=2, max_size=8))
def test_two_secrets_never_share_a_parameter(variables: set[str]) -> None:
    parameters = {secret_parameter(variable) for variable in variables}
    assert len(parameters) == len(variables)
    assert all(each.isalnum() and each.isascii() for each in parameters)


def test_characters_that_no_parameter_has_tell_secrets_apart() -> None:
    assert len({secret_parameter(variable) for variable in ("AB", "A_B", "_AB", "AB_")}) == 4


@given(PLAIN, PLAIN, PLAIN)
def test_a_schedule_is_called_by_its_trigger_whole_in_64_characters(
    name: str, stage: str, trigger: str
) -> None:
    called = schedule_name(stack_name(name, stage), trigger)
    assert len(called) <= 64
    assert called.rpartition(".")[2] == trigger


def test_schedules_of_two_functions_that_are_cut_stay_apart() -> None:
    functions = [stack_name("x" * 48, stage) for stage in ("dev", "prod")]
    names = {schedule_name(function, "t" * 40) for function in functions}
    assert {len(name) for name in names} == {64}
    assert len(names) == 2
