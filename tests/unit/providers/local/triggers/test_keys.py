import pytest

from preheat.errors import BadInput
from preheat_providers.local.triggers.keys import (
    check_key,
    check_path,
    feeds,
    split_output,
    unfinished,
)


@pytest.mark.parametrize("key", ["a", "a/b c+%.png", "ü" * 512, "...", "a..b/.."[:-3]])
def test_an_ordinary_key_is_fine(key: str) -> None:
    check_key(key)
    check_path(key)


@pytest.mark.parametrize("key", ["", "ü" * 513, "a" * 1025, "\udcff.png"])
def test_a_key_has_1_to_1024_bytes_of_utf_8(key: str) -> None:
    with pytest.raises(BadInput):
        check_key(key)


@pytest.mark.parametrize("key", ["..", "../a", "a/../../b", "/etc/passwd", "a//b", "a/./b", "a/", "a\0b"])
def test_a_key_that_could_leave_the_folder_names_no_file(key: str) -> None:
    with pytest.raises(BadInput):
        check_path(key)


@pytest.mark.parametrize("key", [".hidden", "a/.git/b", "a.tmp", "a.PART", "x/.a.png"])
def test_hidden_and_half_written_files_are_no_objects(key: str) -> None:
    assert unfinished(key)


@pytest.mark.parametrize(
    ("output", "expected"),
    [("results", ("results", "")), ("results/", ("results", "")), ("results/a/b", ("results", "a/b/"))],
)
def test_an_output_prefix_is_a_folder(output: str, expected: tuple[str, str]) -> None:
    assert split_output(output) == expected


@pytest.mark.parametrize(
    ("output", "prefix", "watched", "expected"),
    [
        ("/b/", "", "/b/", True),
        ("/b/out/", "", "/b/", True),
        ("/b/out/", "in/", "/b/in/", False),
        ("/b/", "in/", "/b/in/", True),
        ("/b/in/out/", "in/", "/b/in/", True),
        ("/b/inner/", "in", "/b/in", True),
        ("/c/", "", "/b/", False),
        ("/b/nested/", "", "/b/", True),
    ],
)
def test_an_output_that_can_set_off_a_trigger_is_seen(
    output: str, prefix: str, watched: str, expected: bool
) -> None:
    assert feeds(output, prefix, watched) is expected
