import pytest

from preheat.runtime.objects.uploads import Upload, sink_of

SCANS = Upload(name="scans", bucket="up", prefix="in/", suffix=".png", output="out/text")


@pytest.mark.parametrize(
    ("bucket", "key", "wanted"),
    [
        ("up", "in/a.png", True),
        ("down", "in/a.png", False),
        ("up", "out/in/a.png", False),
        ("up", "in/a.jpg", False),
    ],
)
def test_an_object_is_wanted_by_its_bucket_its_prefix_and_its_suffix(
    bucket: str, key: str, wanted: bool
) -> None:
    assert SCANS.wants(bucket, key) is wanted


@pytest.mark.parametrize(
    ("output", "sink"),
    [("out", ("out", "")), ("out/", ("out", "")), ("out/a/b", ("out", "a/b/")), ("out/a//", ("out", "a/"))],
)
def test_the_prefix_of_results_is_empty_or_ends_in_a_slash(output: str, sink: tuple[str, str]) -> None:
    assert sink_of(output) == sink


def test_a_trigger_is_what_its_document_wrote() -> None:
    assert Upload.of(SCANS.document()) == SCANS
    assert SCANS.sink == ("out", "text/")
