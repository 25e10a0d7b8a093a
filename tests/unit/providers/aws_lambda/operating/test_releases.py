from preheat.provider.protocol import Release
from preheat_providers.aws_lambda.observing import NEWEST, traffic_of
from preheat_providers.aws_lambda.operating.alias import Alias
from preheat_providers.aws_lambda.operating.releases import NOT_OURS, Version, release_list
from preheat_providers.aws_lambda.template.names import Described

CREATED = "2026-11-21T09:00:00Z"


def version(number: int, described: Described | None = None) -> Version:
    described = described or Described(f"sha256:{number}", "preheat/ocr/dev/k.zip")
    return Version(number=number, described=described, created=CREATED)


VERSIONS = (version(5), version(4, NOT_OURS), version(3))


def test_a_release_is_a_version_and_says_what_share_it_gets() -> None:
    found = release_list(VERSIONS, Alias(version=3, canary=5, share=0.1))
    assert found[0] == Release(
        number=5, digest="sha256:5", created=CREATED, active=False, note="gets 10% of the traffic"
    )
    assert [release.active for release in found] == [False, False, True]


def test_a_version_that_somebody_else_published_is_named_as_such() -> None:
    assert release_list(VERSIONS, Alias(version=5))[1].note == "not published by preheat"


def test_the_traffic_is_said_for_a_plan() -> None:
    assert traffic_of(Alias(version=5), VERSIONS) == NEWEST
    assert traffic_of(Alias(version=3), VERSIONS) == "all to release 3"
    split = traffic_of(Alias(version=3, canary=5, share=0.25), VERSIONS)
    assert split == "25% to release 5, the rest to release 3"
