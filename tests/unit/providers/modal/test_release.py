import dataclasses

import pytest

from preheat.plan.model import Resource
from preheat_providers.modal.release import Record, digest_of, number_of, read_record

RECORD = Record(
    name="ocr",
    stage="dev",
    number=3,
    digest=f"sha256:{'a' * 64}",
    resources=(Resource(kind="modal.Cls", name="x", properties={"cpu": 1.0, "gpu": ["L4"], "region": None}),),
    token_sha256="t",
    weights="w",
)


def test_a_record_is_read_as_it_was_written() -> None:
    assert read_record(RECORD.to_json()) == RECORD


def test_a_tag_has_the_number_and_fits_into_what_modal_takes() -> None:
    huge = dataclasses.replace(RECORD, number=10**9)
    assert number_of(RECORD.tag) == 3
    assert len(huge.tag) <= 50
    assert number_of(huge.tag) == 10**9


def test_two_deploys_of_one_number_have_two_tags() -> None:
    other = dataclasses.replace(RECORD, resources=())
    assert number_of(other.tag) == number_of(RECORD.tag)
    assert other.tag != RECORD.tag


def test_a_path_says_the_tag_and_the_digest() -> None:
    assert digest_of(RECORD.path) == (RECORD.tag, RECORD.digest)


@pytest.mark.parametrize("path", ["releases/readme.txt", "x/r1.0.json", "releases/r0.aaaaaaaaaaaaaaaa.json"])
def test_another_file_is_no_record(path: str) -> None:
    assert digest_of(path) is None


@pytest.mark.parametrize("tag", ["", "v1", "r0.0123456789abcdef", "r1.0123456789ABCDEF", "r1"])
def test_a_tag_of_somebody_else_has_no_number(tag: str) -> None:
    assert number_of(tag) is None
