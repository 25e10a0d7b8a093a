import pytest

from preheat.errors import ProviderError
from preheat.provider.protocol import Groundwork
from preheat_providers._aws.bootstrap.trust import subject_of


@pytest.mark.parametrize(
    ("branch", "environment", "subject"),
    [
        (None, None, "repo:acme/models:*"),
        ("main", None, "repo:acme/models:ref:refs/heads/main"),
        ("release/2", None, "repo:acme/models:ref:refs/heads/release/2"),
        (None, "prod", "repo:acme/models:environment:prod"),
        (None, "prod:eu", "repo:acme/models:environment:prod%3Aeu"),
    ],
)
def test_a_run_is_trusted_by_its_repository_and_its_branch_or_environment(
    branch: str | None, environment: str | None, subject: str
) -> None:
    groundwork = Groundwork(repository="acme/models", branch=branch, environment=environment)
    assert subject_of(groundwork) == subject


def test_without_a_repository_nobody_is_trusted() -> None:
    assert subject_of(Groundwork()) is None


@pytest.mark.parametrize(
    "groundwork",
    [
        Groundwork(repository="acme/*"),
        Groundwork(repository="acme/models", branch="*"),
        Groundwork(repository="acme/models", environment="pro?"),
    ],
)
def test_a_wildcard_trusts_nobody(groundwork: Groundwork) -> None:
    with pytest.raises(ProviderError, match="more than one thing"):
        subject_of(groundwork)
