import pytest
from tests.fakes.aws.permissions import allowed, deploying, here

OURS = [here("ecr", f"repository/preheat/ocr/dev{rest}") for rest in ("", "/function")]


@pytest.mark.parametrize(
    "action",
    ["ecr:PutImage", "ecr:BatchDeleteImage", "ecr:SetRepositoryPolicy", "ecr:DeleteRepository"],
)
def test_the_images_of_functions_and_endpoints_are_the_deployers_and_those_of_others_are_not(
    action: str,
) -> None:
    assert all(allowed(deploying(), action, repository) for repository in OURS)
    assert not allowed(deploying(), action, here("ecr", "repository/shop"))


def test_a_login_is_for_the_whole_registry() -> None:
    assert allowed(deploying(), "ecr:GetAuthorizationToken", "*")
