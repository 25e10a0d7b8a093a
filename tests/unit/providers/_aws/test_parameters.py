from preheat_providers._aws.parameters import (
    artifact_bucket,
    declared_parameters,
    has_token,
    stack_parameters,
)
from preheat_providers._aws.stacks import Stack


def stack(**parameters: str) -> Stack:
    return Stack(
        name="s",
        id="i",
        status="CREATE_COMPLETE",
        reason=None,
        template={},
        parameters=parameters,
        outputs={},
        tags={},
    )


def test_the_stack_is_told_what_its_template_asks_for() -> None:
    for token in (True, False):
        declared = declared_parameters(["B", "A"], token=token)
        values = stack_parameters(bucket="b", secrets={"A": "1", "B": "2"}, token=token, token_sha256="0")
        assert values.keys() == declared.keys()


def test_nobody_reads_what_is_secret() -> None:
    declared = declared_parameters(["KEY"], token=True)
    assert [name for name, each in declared.items() if "NoEcho" not in each] == ["ArtifactBucket"]


def test_a_token_is_kept_once_the_stack_has_one() -> None:
    assert has_token(stack(TokenSha256="****"))
    assert not has_token(stack(ArtifactBucket="b"))
    assert not has_token(None)


def test_without_a_token_there_is_no_parameter_for_it() -> None:
    assert stack_parameters(bucket="b", secrets={}, token=False, token_sha256=None) == {"ArtifactBucket": "b"}


def test_the_value_of_a_kept_token_is_not_known() -> None:
    kept = stack_parameters(bucket="b", secrets={}, token=True, token_sha256=None)
    assert kept == {"ArtifactBucket": "b", "TokenSha256": None}


def test_each_secret_has_a_parameter_of_its_own() -> None:
    values = stack_parameters(bucket="b", secrets={"A_B": "1", "AB": "2"}, token=False, token_sha256=None)
    assert sorted(value for value in values.values() if value) == ["1", "2", "b"]


def test_a_stack_knows_the_bucket_that_it_was_deployed_by() -> None:
    assert artifact_bucket(stack(ArtifactBucket="team")) == "team"
    assert artifact_bucket(stack()) is None
    assert artifact_bucket(None) is None
