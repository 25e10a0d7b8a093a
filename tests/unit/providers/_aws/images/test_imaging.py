from preheat_providers._aws.images.imaging import tag_of


def test_a_tag_is_of_the_digest_and_never_moves() -> None:
    assert tag_of(f"sha256:{'ab' * 32}") == "ab" * 16
