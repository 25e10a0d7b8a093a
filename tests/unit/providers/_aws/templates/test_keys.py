from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.lambda_templates import eventbridge_matches, iam_matches, substituted

from preheat_providers._aws.templates.keys import key_matchers, key_patterns
from preheat_providers.aws_lambda.shipped.settings import Upload

TEXT = st.text(alphabet="ab/.*?${}\\! ", max_size=5)


@given(TEXT, TEXT, TEXT)
def test_eventbridge_and_iam_take_the_keys_that_the_function_takes(
    prefix: str, suffix: str, middle: str
) -> None:
    upload = Upload(name="x", bucket="b", prefix=prefix, suffix=suffix, output="o/")
    for key in (prefix + middle + suffix, prefix + suffix, middle, prefix, suffix, prefix[:-1] + suffix):
        taken = upload.wants("b", key)
        assert eventbridge_matches(key_matchers(prefix, suffix), key) == taken
        granted = [substituted(pattern) for pattern in key_patterns(prefix, suffix)]
        assert any(iam_matches(pattern, key) for pattern in granted) == taken


def test_a_trigger_on_every_key_needs_no_pattern() -> None:
    assert key_matchers("", "") == []
    assert key_patterns("", "") == ["*"]


def test_a_key_in_which_prefix_and_suffix_overlap_is_taken_too() -> None:
    assert key_matchers("in/", "/") == [{"wildcard": "in/*/"}, "in/"]
    assert key_patterns("a.b", "b.c") == ["a.b*b.c", "a.b.c"]
