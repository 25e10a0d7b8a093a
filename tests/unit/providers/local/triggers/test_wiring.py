from pathlib import Path

import pytest

from preheat.errors import ProviderError
from preheat.project.model import ObjectCreated
from preheat_providers.local.options import Options
from preheat_providers.local.triggers.wiring import routes


def created(name: str, bucket: str, output: str, prefix: str = "") -> ObjectCreated:
    return ObjectCreated(name=name, bucket=bucket, prefix=prefix, output=output)


def test_a_bucket_is_a_folder_of_the_home_unless_the_project_says_otherwise(tmp_path: Path) -> None:
    options = Options(
        buckets={"results": "s3://real-results", "far": str(tmp_path / "far")}, s3_endpoint="http://e"
    )
    first, second = routes(
        [created("a", "uploads", "results/x"), created("b", "far", "out")], options, tmp_path
    )
    assert first.source.location == str(tmp_path / "buckets" / "uploads")
    assert (first.sink.place.name, first.sink.place.location) == ("real-results", "s3://real-results")
    assert (first.sink.place.endpoint, first.sink.prefix) == ("http://e", "x/")
    assert second.source.location == str(tmp_path / "far")


@pytest.mark.parametrize("output", ["uploads", "uploads/results", "alias/results", "inside/x"])
def test_results_that_would_come_back_as_uploads_are_refused(tmp_path: Path, output: str) -> None:
    folder = tmp_path / "buckets" / "uploads"
    options = Options(buckets={"alias": str(folder), "inside": str(folder / "deep")})
    with pytest.raises(ProviderError, match="would set it off again") as refused:
        routes([created("a", "uploads", output)], options, tmp_path)
    assert refused.value.hint is not None


def test_a_circle_of_two_triggers_is_refused_and_a_chain_is_not(tmp_path: Path) -> None:
    chain = [created("a", "in", "mid"), created("b", "mid", "out")]
    assert len(routes(chain, Options(), tmp_path)) == 2
    with pytest.raises(ProviderError, match="would set it off again"):
        routes([*chain, created("c", "out", "in")], Options(), tmp_path)


def test_another_prefix_of_the_same_bucket_is_fine(tmp_path: Path) -> None:
    assert routes([created("a", "box", "box/out", prefix="in/")], Options(), tmp_path)


@pytest.mark.parametrize("name", ["..", "a/b", ".hidden", "", "a b"])
def test_a_bucket_name_cannot_leave_the_home(tmp_path: Path, name: str) -> None:
    with pytest.raises(ProviderError):
        routes([created("a", name, "out")], Options(), tmp_path)


def test_a_relative_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="absolute"):
        routes([created("a", "in", "out")], Options(buckets={"in": "uploads"}), tmp_path)
