import re

import pytest

from preheat.project.names import is_name
from preheat_providers.aws_lambda.template import names as of_lambda
from preheat_providers.sagemaker.template.names import (
    ENDPOINT_NAME_CHARACTERS,
    endpoint_name,
    image_stack_name,
    object_prefix,
    repository_name,
    stack_name,
)

REPOSITORY = re.compile(r"(?=.{2,256}$)(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*")
"""https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html"""


@pytest.mark.parametrize("name", ["ocr", "a--b", "a-", "x9-9--"])
def test_images_lie_where_ecr_can_have_them(name: str) -> None:
    assert REPOSITORY.fullmatch(repository_name(name, name))


def test_no_stack_is_that_of_the_same_function_on_lambda() -> None:
    """One would replace the other, with all that is in it."""
    ours = {stack_name("ocr", "dev"), image_stack_name("ocr", "dev")}
    assert len(ours) == 2
    assert of_lambda.stack_name("ocr", "dev") not in ours


@pytest.mark.parametrize(("name", "stage"), [("ocr", "dev"), ("ocr", "endpoint")])
def test_no_object_is_in_the_folder_that_lambda_empties_nor_the_other_way_round(
    name: str, stage: str
) -> None:
    ours, theirs = object_prefix(name, stage), of_lambda.object_prefix(name, stage)
    assert not ours.startswith(theirs)
    assert not theirs.startswith(ours)
    assert not is_name(ours.split("/")[2])  # so no other function of Lambda has that folder


def test_an_endpoint_has_a_name_of_sagemaker() -> None:
    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", endpoint_name("a--b", "prod-2"))
    assert ENDPOINT_NAME_CHARACTERS == 63
