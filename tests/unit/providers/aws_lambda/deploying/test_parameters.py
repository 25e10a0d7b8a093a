from preheat_providers._aws.stacks import Stack
from preheat_providers.aws_lambda.deploying.parameters import has_token, stack_parameters


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


def test_a_token_is_kept_once_the_stack_has_one() -> None:
    assert has_token(stack(TokenSha256="****"))
    assert not has_token(stack(ArtifactBucket="b"))
    assert not has_token(None)


def test_a_function_without_a_token_has_no_parameter_for_it() -> None:
    assert stack_parameters(bucket="b", secrets={}, token=False, token_sha256=None) == {"ArtifactBucket": "b"}


def test_the_value_of_a_kept_token_is_not_known() -> None:
    kept = stack_parameters(bucket="b", secrets={}, token=True, token_sha256=None)
    assert kept == {"ArtifactBucket": "b", "TokenSha256": None}


def test_each_secret_has_a_parameter_of_its_own() -> None:
    values = stack_parameters(bucket="b", secrets={"A_B": "1", "AB": "2"}, token=False, token_sha256=None)
    assert sorted(value for value in values.values() if value) == ["1", "2", "b"]
