"""The table of AWS's errors: each is recognised by its recorded message, and says what to do."""

import re

import pytest
from botocore import exceptions as botocore_exceptions
from tests.fakes.aws_errors import RECORDED, Recorded, handler

from preheat_providers._aws.errors import codes_in, explain
from preheat_providers._aws.known import KNOWN, Known

BY_NAME = {known.name: known for known in KNOWN}


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded.name)
def test_a_recorded_message_is_explained_by_its_own_entry(recorded: Recorded) -> None:
    known = BY_NAME[recorded.name]
    codes = {recorded.code or "", *codes_in(recorded.message)}
    fix = explain(recorded.code, recorded.message)
    assert fix is not None
    assert fix == (known.read(recorded.message) or known.coded(codes))
    assert recorded.says.lower() in f"{fix.why} {fix.hint}".lower()


def test_every_entry_has_a_recorded_message() -> None:
    assert {recorded.name for recorded in RECORDED} == set(BY_NAME)
    assert len(BY_NAME) == len(KNOWN) >= 30


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.name)
def test_an_entry_can_be_recognised_and_its_codes_are_its_alone(known: Known) -> None:
    assert known.codes or known.pattern
    for code in known.codes:
        assert explain(code, "") == known.coded({code})


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.name)
def test_only_a_pattern_fills_the_places_of_a_text(known: Known) -> None:
    groups = set(re.compile(known.pattern).groupindex) if known.pattern else set()
    places = set(re.findall(r"\{(\w+)\}", known.why + known.hint))
    assert places <= groups
    assert not (places and known.codes), "a code alone would leave the places empty"


def test_codes_that_name_exceptions_of_botocore_name_ones_that_exist() -> None:
    named = {code for known in KNOWN for code in known.codes if code.endswith("Error") and code[0].isupper()}
    theirs = {code for code in named if hasattr(botocore_exceptions, code)}
    assert named - theirs == {"InternalError", "InternalServerError", "ServiceInternalError"}


def test_the_text_of_a_message_counts_more_than_its_code() -> None:
    fix = explain("AccessDenied", handler("Rate exceeded", code="AlreadyExists"))
    assert fix == BY_NAME["too many requests"].coded({"Throttling"})


def test_a_code_in_the_text_of_a_reason_is_found() -> None:
    assert explain(None, handler("No", code="NotStabilized")) == BY_NAME["did not become ready"].coded(
        {"NotStabilized"}
    )
    older = "Nothing (Service: AWSLambda; Status Code: 503; Error Code: ServiceException; Request ID: 1)"
    assert explain(None, older) == BY_NAME["AWS fails"].coded({"ServiceException"})


def test_what_nobody_knows_is_not_explained() -> None:
    assert explain("TeapotException", "I am a teapot") is None


def test_what_a_message_leaves_out_is_not_made_up() -> None:
    fix = explain("AccessDenied", "You are not authorized to perform: ec2:RunInstances")
    assert fix is not None
    assert fix.hint == "allow ec2:RunInstances on the resource to whoever deploys"
